import ConfigurationFile
import Devices
import Foundation
import Intake
import MQTT
import Metering
import Modbus
import Simulation
import Testing
import Timekeeping

@Suite struct LoadTests {
    private static let shipped: String = {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        return (try? String(contentsOf: root.appendingPathComponent("etc/energyd.toml"), encoding: .utf8)) ?? ""
    }()

    @Test func `without a file there are defaults`() throws {
        let configuration = try Configuration.load(path: nil)
        #expect(configuration.mqtt.host == "127.0.0.1")
        #expect(configuration.mqtt.port == 1883)
        #expect(configuration.store.flushInterval == 10_000)
        #expect(configuration.tariffs.isEmpty)
    }

    @Test func `the file that is shipped loads as it is, and says nothing`() throws {
        #expect(Self.shipped.count > 1000)
        let configuration = try Folder(["t.toml": Self.shipped]).load()
        #expect(configuration.buses.isEmpty)
        #expect(configuration.devices.isEmpty)
        #expect(configuration.home.zone == nil)
    }

    @Test func `the file that is shipped loads with all that is commented out`() throws {
        // Prose does not look like a table or an assignment.
        let lines = Self.shipped.split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
            guard line.hasPrefix("# ") else { return line }
            let rest = line.dropFirst(2)
            let word = rest.prefix { $0.isLowercase || $0 == "_" }
            return rest.hasPrefix("[") || rest.dropFirst(word.count).hasPrefix(" = ") ? rest : line
        }
        let configuration = try Folder(["t.toml": lines.joined(separator: "\n")]).load()
        let defaults = Configuration()
        #expect(configuration.home.zone == "Europe/Berlin")
        #expect(configuration.buses[0].address == .tcp(host: "192.168.1.20", port: 502))
        #expect(configuration.buses.map { $0.devices.map(\.name) } == [["grid"], ["heat_pump"]])
        #expect(configuration.buses[0].devices[0].interval == 10_000)
        #expect(configuration.buses[0].devices[0].context.currentRatio == Scale(200, per: 5))
        #expect(configuration.buses[1].devices[0].pause == 20)
        #expect(configuration.buses.allSatisfy { $0.options == ModbusOptions() })
        #expect(configuration.devices.map(\.name) == ["washer"])
        #expect(configuration.tariffs.map { $0.importPrice.description } == ["0.3215"])
        // What stands there as the default is the default.
        #expect(configuration.mqtt.host == defaults.mqtt.host)
        #expect(configuration.mqtt.port == defaults.mqtt.port)
        #expect(configuration.mqtt.isEnabled == defaults.mqtt.isEnabled)
        #expect(configuration.mqtt.username == nil)
        #expect(configuration.mqtt.passwordFile == nil)
        #expect(configuration.mqtt.tls == nil)
        #expect(configuration.mqtt.version == .v311)
        #expect(configuration.mqtt.admission == defaults.mqtt.admission)
        #expect(configuration.bridge == defaults.bridge)
        #expect(configuration.store.flushInterval == defaults.store.flushInterval)
        #expect(configuration.store.logBudget == defaults.store.logBudget)
        #expect(configuration.store.historyDays == defaults.store.historyDays)
        #expect(configuration.store.historyBudget == defaults.store.historyBudget)
        #expect(configuration.profileDirectories == defaults.profileDirectories)
        #expect(configuration.logLevel == defaults.logLevel)
    }

    @Test func `files of conf_d follow in the order of their names`() throws {
        let folder = try Folder([
            "t.toml": "[[tariff]]\nimport = 1\nvalid_from = 2026-01-01T00:00:00Z\n[mqtt]\nport = 1",
            "conf.d/20.toml": "[[tariff]]\nimport = 3\nvalid_from = 2026-03-01T00:00:00Z\n[[device]]\nname = \"b\"",
            "conf.d/10.toml": "[[device]]\nname = \"a\"\n[mqtt]\nhost = \"h\"",
            "conf.d/notes.txt": "this is no TOML",
            "conf.d/.hidden.toml": "nor this",
        ])
        let configuration = try folder.load()
        #expect(configuration.devices.map(\.name) == ["a", "b"])
        #expect(configuration.tariffs.map { $0.importPrice.description } == ["1", "3"])
        #expect(configuration.mqtt.host == "h")
        #expect(configuration.mqtt.port == 1)
    }

    @Test func `a key that is set twice is told with both places`() throws {
        let folder = try Folder(["t.toml": "[mqtt]\nhost = \"a\"", "conf.d/x.toml": "[mqtt]\n\nhost = \"b\""])
        #expect(folder.problems() == ["conf.d/x.toml:3:1: mqtt.host is already set at t.toml:2:1"])
        let lists = try Folder([
            "t.toml": "[profiles]\ndirectories = [\"/a\"]", "conf.d/x.toml": "[profiles]\ndirectories = []",
        ])
        #expect(lists.problems() == ["conf.d/x.toml:2:1: profiles.directories is already set at t.toml:2:1"])
    }

    @Test func `a device of another file has the name already`() throws {
        let folder = try Folder(["t.toml": "[[device]]\nname = \"a\"", "conf.d/x.toml": "[[device]]\nname = \"a\""])
        #expect(folder.problems() == ["conf.d/x.toml:2:8: device.name is \"a\", already taken at t.toml:2:8"])
    }

    @Test func `the environment overrides tables`() throws {
        let folder = try Folder(["t.toml": "[mqtt]\nhost = \"a\"\nport = 1"])
        let configuration = try folder.load([
            "ENERGYD_MQTT_HOST": "b", "ENERGYD_MQTT_PORT": "2", "ENERGYD_MQTT_ENABLED": "false",
            "ENERGYD_STORE_LOG_BUDGET": "64MiB", "ENERGYD_STORE_FLUSH_INTERVAL": "0s",
            "ENERGYD_PROFILES_DIRECTORIES": "/a:/b", "ENERGYD_SOCKET": "not a table", "HOME": "/root",
        ])
        #expect(configuration.mqtt.host == "b")
        #expect(configuration.mqtt.port == 2)
        #expect(!configuration.mqtt.isEnabled)
        #expect(configuration.store.logBudget == 64 << 20)
        #expect(configuration.store.flushInterval == 0)
        #expect(configuration.profileDirectories == ["/a", "/b"])
    }

    @Test(arguments: [
        ("ENERGYD_MQTT_PORT", "many", "ENERGYD_MQTT_PORT: mqtt.port has to be a whole number, not a string"),
        ("ENERGYD_MQTT_PORT", "70000", "ENERGYD_MQTT_PORT: mqtt.port is 70000, but has to be from 1 to 65535"),
        ("ENERGYD_MQTT_ENABLED", "yes", "ENERGYD_MQTT_ENABLED: mqtt.enabled has to be true or false, not a string"),
        ("ENERGYD_MQTT_HOTS", "x", "ENERGYD_MQTT_HOTS: unknown key mqtt.hots; did you mean host?"),
        (
            "ENERGYD_STORE_LOG_BUDGET", "big",
            "ENERGYD_STORE_LOG_BUDGET: store.log_budget is \"big\", not a size such as \"64MiB\" or \"1GiB\""
        ),
    ])
    func `a mistake in the environment is told by the variable's name`(name: String, value: String, problem: String) {
        do throws(ConfigurationError) {
            _ = try Configuration.load(path: nil, environment: [name: value])
            Issue.record("\(name)=\(value) was taken")
        } catch {
            #expect(error.problems.map(\.description) == [problem])
        }
    }

    @Test func `prices are exact, whether they are written as text or as a number`() throws {
        for text in ["\"0.3215\"", "0.3215", "0.321_5", "\"0.321500000\""] {
            let configuration = try Folder(["t.toml": "[[tariff]]\nimport = \(text)"]).load()
            #expect(configuration.tariffs.first?.importPrice == Decimal(price: "0.3215"))
        }
        let negative = try Folder(["t.toml": "[[tariff]]\nimport = -0.01"]).load()
        #expect(negative.tariffs.first?.importPrice.description == "-0.01")
    }

    @Test func `tariffs are in the order in which they come into force`() throws {
        let configuration = try Folder([
            "t.toml": """
            [[tariff]]
            import = 2
            valid_from = 2026-02-01T00:00:00+01:00
            [[tariff]]
            import = 1
            """
        ]).load()
        #expect(configuration.tariffs.map { $0.importPrice.description } == ["1", "2"])
        #expect(configuration.tariffs.last?.validFrom.rfc3339() == "2026-01-31T23:00:00Z")
    }

    @Test func `the limits of a bus are its own`() throws {
        let text = """
            [[modbus]]
            bus = "rtu:/dev/ttyUSB0?baud=19200&parity=even"
            timeout = "2s"
            timeout_floor = "200ms"
            pause = "30ms"
            retries = 3
            quarantine = "5m"
            rs485 = true
            [[modbus.device]]
            name = "m"
            profile = "eastron_sdm630"
            pause = "0s"
            ct = "200/5"
            invert = true
            """
        let bus = try #require(try Folder(["t.toml": text]).load().buses.first)
        #expect(
            bus.options
                == ModbusOptions(
                    responseTimeout: 2_000, timeoutFloor: 200, pause: 30, retries: 3, quarantine: 300_000,
                    switchesRS485: true))
        #expect(bus.devices[0].pause == 0 && bus.devices[0].context.isInverted)
        #expect(bus.devices[0].context.currentRatio == Scale(200, per: 5) && bus.devices[0].context.voltageRatio == nil)
    }

    @Test func `hostile text is refused or read, and never traps`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let names = ["home", "mqtt", "modbus", "device", "tariff", "store", "log", "profiles", "x", "name", "bus"]
        let values = [
            "1", "-9223372036854775808", "9223372036854775807", "1e308", "inf", "nan", "true", "\"\"", "\"10s\"",
            "\"99999999999h\"", "\"9223372036854775807TiB\"", "[]", "[[]]", "{}", "{a = {b = 1}}", "[1, \"a\", {}]",
            "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "07:32:00",
            "\"mqtt:a:b\"", "\"tcp://[::1]:502\"", "\"rtu:///dev/ttyUSB0\"", "\"\\u0000\"", "\"\u{10FFFF}\"",
        ]
        let keys = [
            "name", "zone", "port", "bus", "unit", "profile", "interval", "timeout", "binding", "bindings", "parent",
            "import", "export", "currency", "valid_from", "rating", "log_budget", "history_days", "flush_interval",
            "level", "directories", "role", "model", "enabled", "host", "device", "rs485", "ct", "retries",
            "quarantine",
        ]
        for _ in 0..<400 {
            var text = ""
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let table = names.randomElement(using: &random)!
                switch Int.random(in: 0...3, using: &random) {
                case 0: text += "[\(table)]\n"
                case 1: text += "[[\(table)]]\n"
                case 2: text += "[[\(table).device]]\n"
                default: break
                }
                for key in keys.shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random)) {
                    text += "\(key) = \(values.randomElement(using: &random)!)\n"
                }
            }
            var bytes = Array(text.utf8)
            if Bool.random(using: &random), !bytes.isEmpty {
                for _ in 0..<3 {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            let folder = try Folder(["t.toml": String(decoding: bytes, as: UTF8.self)])
            for problem in folder.problems() {
                #expect(problem.hasPrefix("t.toml:"), "seed \(seed): \(problem)")
            }
        }
    }
}
