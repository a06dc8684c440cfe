import Devices
import Intake
import Metering
import Testing
import Timekeeping

/// Identities that a test can foresee.
struct Counting: RandomNumberGenerator {
    private var state: UInt64 = 0

    mutating func next() -> UInt64 {
        state += 1
        return state
    }
}

@Suite struct DeviceRegistryTests {
    private var generator = Counting()
    private let noon = Timestamp(seconds: 1_750_000_000)
    private let plug = DeviceRegistry.Description(family: "tasmota", profile: "tasmota")
    private let topic = DeviceRegistry.Description(family: "energy", profile: "energy")

    private mutating func hear(
        _ address: String, _ description: DeviceRegistry.Description? = nil, in registry: inout DeviceRegistry,
        later: Int64 = 0
    ) throws -> (device: Device, changed: [Device]) {
        let found = try #require(
            registry.resolve(address, as: description ?? plug, at: noon + later, using: &generator))
        return (try #require(registry.devices[found.id]), found.changed)
    }

    @Test mutating func `a device that is heard for the first time gets an identity and one descriptor`() throws {
        var registry = DeviceRegistry()
        let first = try hear("mqtt:tasmota:plug_washer", in: &registry)
        #expect(first.changed == [first.device])
        #expect(first.device.name == "plug_washer")
        #expect(first.device.role == .load)
        #expect(first.device.validFrom == noon)
        let again = try hear("mqtt:tasmota:plug_washer", in: &registry, later: 1000)
        #expect(again.device == first.device)
        #expect(again.changed.isEmpty)
    }

    @Test mutating func `identity and name outlive a restart`() throws {
        var registry = DeviceRegistry()
        let before = try hear("mqtt:tasmota:washer", in: &registry).device
        var restarted = DeviceRegistry(known: Array(registry.devices.values))
        let after = try hear("mqtt:tasmota:washer", in: &restarted, later: Span.day)
        #expect(after.device == before)
        #expect(after.changed.isEmpty)
    }

    @Test mutating func `a later descriptor of the same device takes back the old name`() throws {
        var registry = DeviceRegistry()
        let old = try hear("mqtt:tasmota:plug", in: &registry).device
        var renamed = old
        renamed.name = "washer"
        let restarted = DeviceRegistry(known: [old, renamed])
        #expect(restarted.device(named: "plug") == nil)
        #expect(restarted.device(named: "washer")?.id == old.id)
        #expect(restarted.devices.count == 1)
    }

    @Test mutating func `the same name on a second kind of topic is the same device with two bindings`() throws {
        var registry = DeviceRegistry()
        let history = try hear("mqtt:energy:washer", topic, in: &registry).device
        let live = try hear("mqtt:tasmota:washer", in: &registry, later: 5)
        #expect(live.device.id == history.id)
        #expect(live.device.bindings.map(\.address) == ["mqtt:energy:washer", "mqtt:tasmota:washer"])
        #expect(live.changed.map(\.validFrom) == [noon + 5])
    }

    @Test mutating func `two devices of one kind never become one, however they are called`() throws {
        var registry = DeviceRegistry()
        let declared = [DeclaredDevice(name: "washer", bindings: [Binding(address: "mqtt:tasmota:plug_1")])]
        registry = DeviceRegistry(declared: declared)
        let first = try hear("mqtt:tasmota:plug_1", in: &registry).device
        let second = try hear("mqtt:tasmota:washer", in: &registry).device
        #expect(first.name == "washer")
        #expect(second.name == "washer_2")
        #expect(first.id != second.id)
    }

    @Test(arguments: ["home", "unmetered", "gateway"])
    mutating func `no topic can take a name that stands for something else`(name: String) throws {
        var registry = DeviceRegistry()
        let heard = try hear("mqtt:energy:\(name)", topic, in: &registry)
        #expect(heard.device.name == "\(name)_2")
    }

    @Test mutating func `nothing on the broker speaks for the gateway`() throws {
        var registry = DeviceRegistry()
        let own = DeviceRegistry.Description(family: "gateway", profile: "gateway", role: .gateway)
        let gateway = try hear("gateway:self:gateway", own, in: &registry).device
        let stranger = try hear("mqtt:energy:gateway", topic, in: &registry).device
        #expect(gateway.name == "gateway")
        #expect(stranger.id != gateway.id)
        #expect(stranger.name == "gateway_2")
    }

    @Test mutating func `what the configuration says of a device is in its first descriptor`() throws {
        let declared = DeclaredDevice(
            name: "heat pump", bindings: [Binding(address: "mqtt:tasmota:plug_7")], role: .load, parent: "grid",
            ratingWatts: 6000, model: "WPL 8")
        var registry = DeviceRegistry(declared: [declared])
        let grid = try hear("mqtt:energy:grid", topic, in: &registry).device
        let pump = try hear("mqtt:tasmota:plug_7", in: &registry).device
        #expect(grid.role == .grid)
        #expect(pump.name == "heat pump")
        #expect(pump.parent == grid.id)
        #expect(pump.ratingWatts == 6000)
        #expect(pump.model == "WPL 8")
    }

    @Test mutating func `a parent that appears later adopts its children`() throws {
        var registry = DeviceRegistry(declared: [DeclaredDevice(name: "washer", parent: "grid")])
        let washer = try hear("mqtt:tasmota:washer", in: &registry).device
        #expect(washer.parent == nil)
        // The grid meter has another name: `grid` then means the device with that role.
        let meter = DeviceRegistry.Description(family: "modbus", profile: "meter", role: .grid)
        let heard = try hear("modbus:tcp://meter:502/1", meter, in: &registry, later: 9)
        #expect(heard.changed.map(\.name) == [heard.device.name, "washer"])
        #expect(registry.devices[washer.id]?.parent == heard.device.id)
    }

    @Test mutating func `a grid meter is not behind itself`() throws {
        var registry = DeviceRegistry(declared: [DeclaredDevice(name: "meter", role: .grid, parent: "grid")])
        let meter = try hear("mqtt:energy:meter", topic, in: &registry).device
        #expect(meter.role == .grid)
        #expect(meter.parent == nil)
        let changed = registry.reconcile(at: noon)
        #expect(changed.isEmpty)
    }

    @Test mutating func `parents in a circle leave at least one device without`() throws {
        var registry = DeviceRegistry(declared: [
            DeclaredDevice(name: "a", parent: "b"), DeclaredDevice(name: "b", parent: "a"),
        ])
        let a = try hear("mqtt:energy:a", topic, in: &registry).device.id
        let b = try hear("mqtt:energy:b", topic, in: &registry).device.id
        _ = registry.reconcile(at: noon)
        let parents = [a, b].compactMap { registry.devices[$0]?.parent }
        #expect(parents.count == 1)
    }

    @Test mutating func `a name given in the configuration renames the device that is known`() throws {
        var before = DeviceRegistry()
        let plug = try hear("mqtt:tasmota:plug_1", in: &before).device
        var registry = DeviceRegistry(
            known: [plug],
            declared: [DeclaredDevice(name: "washer", bindings: [Binding(address: "mqtt:tasmota:plug_1")])])
        let changed = registry.reconcile(at: noon + 7)
        #expect(changed.map(\.id) == [plug.id])
        #expect(changed.map(\.name) == ["washer"])
        #expect(changed.map(\.validFrom) == [noon + 7])
        #expect(registry.device(named: "plug_1") == nil)
        let again = registry.reconcile(at: noon + 8)
        #expect(again.isEmpty)
    }

    @Test mutating func `two devices can change names, and children find the new ones at once`() throws {
        var before = DeviceRegistry()
        let a = try hear("mqtt:tasmota:a", in: &before).device
        let b = try hear("mqtt:tasmota:b", in: &before).device
        let c = try hear("mqtt:tasmota:c", in: &before).device
        var registry = DeviceRegistry(
            known: [a, b, c],
            declared: [
                DeclaredDevice(name: "b", bindings: [Binding(address: "mqtt:tasmota:a")]),
                DeclaredDevice(name: "a", bindings: [Binding(address: "mqtt:tasmota:b")], parent: "hub"),
                DeclaredDevice(name: "hub", bindings: [Binding(address: "mqtt:tasmota:c")]),
            ])
        _ = registry.reconcile(at: noon)
        #expect(registry.devices[a.id]?.name == "b")
        #expect(registry.devices[b.id]?.name == "a")
        #expect(registry.devices[b.id]?.parent == c.id)
    }

    @Test mutating func `a parent taken out of the configuration is gone`() throws {
        var before = DeviceRegistry(declared: [DeclaredDevice(name: "washer", parent: "grid")])
        _ = try hear("mqtt:energy:grid", topic, in: &before)
        let washer = try hear("mqtt:tasmota:washer", in: &before).device
        #expect(washer.parent != nil)
        var registry = DeviceRegistry(known: Array(before.devices.values))
        let changed = registry.reconcile(at: noon)
        #expect(changed.map(\.parent) == [nil])
    }

    @Test mutating func `a new version of a profile renews what it says of counters`() throws {
        var description = plug
        description.counters = [Counter(quantity: .energyImport, counterClass: .lifetime, step: 1000)]
        var registry = DeviceRegistry()
        let old = try hear("mqtt:tasmota:washer", description, in: &registry).device
        description.profileVersion = 2
        description.counters = [Counter(quantity: .energyImport, counterClass: .volatile, step: 10)]
        let new = try hear("mqtt:tasmota:washer", description, in: &registry, later: 1)
        #expect(new.changed.map(\.id) == [old.id])
        #expect(new.device.profileVersion == 2)
        #expect(new.device.counters == description.counters)
    }

    @Test mutating func `a home has a maximum of devices`() throws {
        var registry = DeviceRegistry()
        for number in 0..<DeviceRegistry.maximumDevices {
            _ = try hear("mqtt:energy:d\(number)", topic, in: &registry)
        }
        let more = registry.resolve("mqtt:energy:more", as: topic, at: noon, using: &generator)
        #expect(more == nil)
        let known = registry.resolve("mqtt:energy:d7", as: topic, at: noon, using: &generator)
        #expect(known != nil)
    }

    @Test(arguments: [
        ("mqtt:tasmota:plug_washer", "plug_washer"), ("mqtt:energy:a:b", "a:b"), ("mqtt:energy:", "device"),
        ("oddity", "oddity"), ("mqtt:energy:a\u{1B}[2Jb", "a_[2Jb"), ("mqtt:energy:a\u{202E}b", "a_b"),
        ("mqtt:energy:" + String(repeating: "x", count: 300), String(repeating: "x", count: 56)),
    ])
    func `a name is the last part of an address, as far as it fits and shows`(address: String, name: String) {
        #expect(DeviceRegistry.name(from: address) == name)
    }
}
