import Bridge
import Metering
import Testing
import Timekeeping

@Suite struct BridgeTests {
    private static let gateway = GatewayID(high: 1, low: 2)
    private static let start = Timestamp(milliseconds: 1_790_000_000_000)
    private static let options = BridgeOptions(
        topic: "energyd", home: "my home", discovery: "homeassistant", gateway: gateway, version: "1.0")
    private static let washer = DeviceID(high: 0xAA, low: 0xBB)

    private func device(_ name: String, _ id: DeviceID = washer, role: DeviceRole = .load) -> Device {
        Device(id: id, name: name, role: role, family: "tasmota", model: "Plug S", validFrom: Self.start)
    }

    private func key(_ quantity: String, _ channel: String = "total", _ id: DeviceID = washer) throws -> SeriesKey {
        SeriesKey(
            device: id, channel: try #require(Channel(channel)), quantity: try #require(Quantity(name: quantity)))
    }

    /// Topic → text of what is said, in order.
    private func said(_ bridge: inout BridgeState) -> [String] {
        bridge.publications().map { "\($0.topic) = \(String(decoding: $0.payload, as: UTF8.self))" }
    }

    private func values(_ bridge: inout BridgeState) -> [String] {
        said(&bridge).filter { !$0.hasPrefix("homeassistant/") }
    }

    @Test func `a device has its availability and a topic for each series, in canonical units`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        bridge.note(try key("power"), 1_234_500, at: Self.start)
        bridge.note(try key("voltage", "l1"), 230_100, at: Self.start)
        bridge.note(total: try key("energy_import"), 5_250)
        #expect(
            values(&bridge) == [
                "energyd/my_home/washer/available = online", "energyd/my_home/washer/power = 1234.5",
                "energyd/my_home/washer/l1/voltage = 230.1", "energyd/my_home/washer/energy_import = 5.25",
            ])
        #expect(values(&bridge).isEmpty)
        bridge.note(try key("power"), 1_234_500, at: Self.start)
        bridge.note(try key("voltage", "l1"), 230_200, at: Self.start)
        bridge.note(device("washer"), isOnline: false)
        #expect(
            values(&bridge) == [
                "energyd/my_home/washer/available = offline", "energyd/my_home/washer/l1/voltage = 230.2",
            ])
        bridge.forget()
        #expect(values(&bridge).count == 4)
    }

    @Test func `a register of energy is not published as it is, nor a delta, nor availability twice`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        for quantity in ["energy_import", "energy_total", "energy_import_delta", "available"] {
            bridge.note(try key(quantity), 1000, at: Self.start)
        }
        #expect(values(&bridge) == ["energyd/my_home/washer/available = online"])
    }

    @Test func `a total never falls, and a correction does not come back as use`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        var told: [Int64] = []
        // 100 kWh of a spike are taken back, then the washer goes on.
        for source: Int64 in [1_000, 2_000, 100_002_000, 2_500, 2_700, 3_000] {
            bridge.note(total: try key("energy_import"), source)
            _ = bridge.publications()
            told.append(try #require(bridge.snapshot().totals[try key("energy_import")]).value)
        }
        #expect(told == [1_000, 2_000, 100_002_000, 100_002_000, 100_002_200, 100_002_500])
    }

    @Test func `a total does not fall over a restart, whatever became of its source`() throws {
        let energy = try key("energy_import")
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        bridge.note(total: energy, 5_000)
        #expect(bridge.mustBeKept)
        _ = bridge.snapshot()
        bridge.note(total: energy, 5_000)
        #expect(!bridge.mustBeKept)
        bridge.note(total: energy, 3_000)
        #expect(bridge.mustBeKept)
        bridge.note(total: energy, 3_500)
        let kept = try BridgeSnapshot(decoding: bridge.snapshot().encoded())
        #expect(!bridge.mustBeKept)
        var next = BridgeState(Self.options, kept: kept)
        next.note(device("washer"), isOnline: true)
        // Half a Wh was booked between the snapshot and the end; then the ledger was lost.
        next.note(total: energy, 4_000)
        #expect(values(&next).last == "energyd/my_home/washer/energy_import = 6")
        next.note(total: energy, 10)
        next.note(total: energy, 20)
        #expect(values(&next) == ["energyd/my_home/washer/energy_import = 6.01"])
    }

    @Test func `a total that cannot be kept is not told until it is`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        bridge.note(total: try key("energy_import"), 5_000)
        bridge.note(try key("power"), 1000, at: Self.start)
        _ = bridge.snapshot()
        bridge.noteNotKept()
        #expect(bridge.mustBeKept)
        var told = bridge.publications(withTotals: false).map(\.topic)
        #expect(told.contains("energyd/my_home/washer/power"))
        #expect(!told.contains("energyd/my_home/washer/energy_import"))
        told = bridge.publications().map(\.topic)
        #expect(told == ["energyd/my_home/washer/energy_import"])
    }

    @Test func `a gas register at zero is no new start, one that stays low is`() throws {
        let gas = try key("gas")
        var bridge = BridgeState(Self.options)
        bridge.note(device("meter"), isOnline: true)
        func tell(_ value: Int64, _ minute: Int64) -> [String] {
            bridge.note(gas, value, at: Self.start + minute * Span.minute)
            return values(&bridge).filter { $0.contains("gas") }
        }
        #expect(tell(812_500, 0) == ["energyd/my_home/meter/gas = 812.5"])
        #expect(tell(0, 1).isEmpty)
        #expect(tell(812_600, 2) == ["energyd/my_home/meter/gas = 812.6"])
        #expect(tell(100, 3).isEmpty && tell(100, 4).isEmpty && tell(200, 12).isEmpty)
        #expect(tell(200, 13).isEmpty)
        #expect(tell(300, 14) == ["energyd/my_home/meter/gas = 812.7"])
    }

    @Test func `a device that is renamed leaves nothing behind, now or after a restart`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("plug"), isOnline: true)
        bridge.note(try key("power"), 1000, at: Self.start)
        _ = bridge.publications()
        let kept = bridge.snapshot()
        bridge.note(device("washer"), isOnline: true)
        bridge.note(try key("power"), 1000, at: Self.start)
        let expected = [
            "energyd/my_home/plug/available = ", "energyd/my_home/plug/power = ",
            "energyd/my_home/washer/available = online", "energyd/my_home/washer/power = 1",
        ]
        #expect(values(&bridge) == expected)
        var next = BridgeState(Self.options, kept: try BridgeSnapshot(decoding: kept.encoded()))
        next.note(device("washer"), isOnline: true)
        next.note(try key("power"), 1000, at: Self.start)
        #expect(values(&next) == expected)
        var same = BridgeState(Self.options, kept: kept)
        same.note(device("plug"), isOnline: false)
        #expect(values(&same) == ["energyd/my_home/plug/available = offline"])
    }

    @Test func `names that read the same as a level of a topic do not share it`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("a/b", DeviceID(high: 0x1234_5678_0000_0000, low: 1)), isOnline: true)
        bridge.note(device("a b", DeviceID(high: 0x8765_4321_0000_0000, low: 2)), isOnline: true)
        bridge.note(device("$SYS", DeviceID(high: 3, low: 3)), isOnline: true)
        #expect(
            Set(values(&bridge)) == [
                "energyd/my_home/a_b/available = online", "energyd/my_home/a_b_87654321/available = online",
                "energyd/my_home/_$SYS/available = online",
            ])
    }

    @Test func `Home Assistant is told of all sensors of a device in one message`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        bridge.note(try key("power"), 1000, at: Self.start)
        bridge.note(try key("voltage", "l2"), 230_000, at: Self.start)
        bridge.note(try key("switch"), 1000, at: Self.start)
        bridge.note(total: try key("energy_import"), 1)
        let publications = bridge.publications().filter { $0.topic.hasPrefix("homeassistant/device/energyd_000000") }
        #expect(publications.map(\.isConfirmed) == [true, true])
        #expect(publications[0].topic == "homeassistant/device/energyd_\(Self.gateway)/config")
        #expect(publications[1].topic == "homeassistant/device/energyd_\(Self.washer)/config")
        let text = String(decoding: publications[1].payload, as: UTF8.self)
        let expected = """
            {"device":{"identifiers":["energyd_\(Self.washer)"],"name":"washer","model":"Plug S",\
            "via_device":"energyd_\(Self.gateway)"},"origin":{"name":"energyd","sw_version":"1.0"},\
            "availability":[{"topic":"energyd/bridge/state"},{"topic":"energyd/my_home/washer/available"}],\
            "availability_mode":"all","components":{\
            "l2_voltage":{"platform":"sensor","unique_id":"energyd_\(Self.washer)_l2_voltage","name":"Voltage L2",\
            "device_class":"voltage","state_class":"measurement","unit_of_measurement":"V",\
            "state_topic":"energyd/my_home/washer/l2/voltage"},\
            "total_power":{"platform":"sensor","unique_id":"energyd_\(Self.washer)_total_power","name":"Power",\
            "device_class":"power","state_class":"measurement","unit_of_measurement":"W",\
            "state_topic":"energyd/my_home/washer/power"},\
            "total_energy_import":{"platform":"sensor","unique_id":"energyd_\(Self.washer)_total_energy_import",\
            "name":"Energy import","device_class":"energy","state_class":"total_increasing",\
            "unit_of_measurement":"Wh","state_topic":"energyd/my_home/washer/energy_import"}}}
            """
        #expect(text == expected)
        // A value alone announces nothing again; a new sensor does.
        bridge.note(try key("power"), 2000, at: Self.start)
        #expect(said(&bridge) == ["energyd/my_home/washer/power = 2"])
        bridge.note(try key("current"), 500, at: Self.start)
        #expect(said(&bridge).count == 2)
    }

    @Test func `without discovery nothing is announced, and the gateway's own device never`() throws {
        var options = Self.options
        options.discovery = nil
        var bridge = BridgeState(options)
        bridge.note(device("gateway", DeviceID(high: 9, low: 9), role: .gateway), isOnline: true)
        bridge.note(device("washer"), isOnline: true)
        bridge.note(try key("power"), 1000, at: Self.start)
        #expect(said(&bridge).count == 2)
    }

    @Test func `damaged snapshots are refused with their place and never trap`() throws {
        var bridge = BridgeState(Self.options)
        bridge.note(device("washer"), isOnline: true)
        bridge.note(total: try key("energy_import"), 77)
        _ = bridge.publications()
        let bytes = bridge.snapshot().encoded()
        for length in 0..<bytes.count { _ = try? BridgeSnapshot(decoding: Array(bytes[..<length])) }
        for i in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[i] ^= 1 << bit
                _ = try? BridgeSnapshot(decoding: damaged)
            }
        }
        #expect(try BridgeSnapshot(decoding: bytes) == bridge.snapshot())
    }
}
