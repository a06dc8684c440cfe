import ConfigurationFile
import Devices
import Metering
import TOML
import Testing
import Timekeeping

/// What `[mqtt]` says about messages: mappings, zones, full topics, bases.
@Suite struct MessageSettingsTests {
    private static func configuration(_ text: String) throws -> Configuration {
        try Folder(["t.toml": text]).load()
    }

    private static func lines(_ text: String, _ topic: String, _ payload: String) throws -> [String] {
        let configuration = try configuration(text)
        let profiles = [configuration.mqtt.mapping].compactMap { $0 } + ProfileCatalog.builtIn.profiles
        let decoder = MessageDecoder(profiles: profiles, settings: configuration.mqtt.settings)
        var message = DecodedMessage()
        Array(topic.utf8).withUnsafeBytes { topic in
            Array(payload.utf8).withUnsafeBytes { payload in
                decoder.decode(
                    topic: topic, payload: payload, retained: false,
                    received: Timestamp(milliseconds: 1_774_742_400_000), into: &message)
            }
        }
        guard message.device >= 0 else { return ["\(message.outcome)"] }
        return message.samples.map { "\(decoder.name(of: message.device)) \(ProfileCheck.line($0))" }
    }

    private static let plain = """
        [[mqtt.mapping]]
        topic = "garage/ev/power"
        device = "wallbox"
        quantity = "power"
        unit = "kW"
        decimal_comma = true
        with_unit = true

        """

    @Test(arguments: [
        ("7.2", "wallbox total power 7200"), (" 7,2\n", "wallbox total power 7200"),
        ("231.4 W", "wallbox total power 231.4"), ("\"0,482kW\"", "wallbox total power 482"),
        ("4.173e-1", "wallbox total power 417.3"),
    ])
    func `a plain number with comma and unit, where the mapping allows it`(payload: String, line: String) throws {
        #expect(try Self.lines(Self.plain, "garage/ev/power", payload) == [line])
    }

    @Test func `a mapping comes before a profile, and values of one JSON are several`() throws {
        let text = """
            [[mqtt.mapping]]
            topic = "tele/{device}/SENSOR"
            time = "ts"
            [[mqtt.mapping.value]]
            path = "emeters[1].power"
            quantity = "power"
            channel = "l2"
            [[mqtt.mapping.value]]
            path = '"switch:0"."a.b"'
            quantity = "energy_import"
            unit = "Wmin"
            class = "volatile"
            """
        let lines = try Self.lines(
            text, "tele/x/SENSOR", #"{"ts":1715409600,"emeters":[{"power":1},{"power":2}],"switch:0":{"a.b":600}}"#)
        #expect(lines == ["x l2 power 2", "x total energy_import 10"])
        #expect(try Self.configuration(text).mqtt.mapping?.counters.first?.counterClass == .volatile)
    }

    @Test func `values with commas between are told by position`() throws {
        let text = """
            [[mqtt.mapping]]
            topic = "emonhub/rx/{device}/values"
            payload = "csv"
            [[mqtt.mapping.value]]
            path = "[1]"
            quantity = "power"
            [[mqtt.mapping.value]]
            path = "[4]"
            quantity = "voltage"
            scale = 0.01
            """
        let lines = try Self.lines(text, "emonhub/rx/10/values", "417,-1290,0,0,23611,194,300,300,0")
        #expect(lines == ["10 total power -1290", "10 total voltage 236.11"])
    }

    @Test func `full topics, bases, topics and a zone`() throws {
        let text = """
            [mqtt]
            full_topics = ["house/%topic%/mqtt/%prefix%/"]
            device_zone = "Europe/Berlin"
            bases = { zigbee2mqtt = ["zigbee/upstairs"] }
            topics = { homewizard = ["p1/{device}"] }
            """
        let tasmota = #"{"ENERGY":{"Power":52}}"#
        #expect(try Self.lines(text, "house/attic/plug/mqtt/tele/SENSOR", tasmota) == ["attic/plug total power 52"])
        #expect(try Self.lines(text, "zigbee/upstairs/desk", #"{"power":1}"#) == ["desk total power 1"])
        #expect(try Self.lines(text, "p1/cellar", #"{"active_power_w":-5}"#) == ["cellar total power -5"])
    }

    @Test(arguments: [
        ("[[mqtt.mapping]]\ntopic = \"a/b\"\nquantity = \"power\"", "names no {device}; say which with `device`"),
        ("[[mqtt.mapping]]\ntopic = \"a/{device}\"\nquantity = \"powr\"", "no quantity is called `powr`; did you mean"),
        ("[[mqtt.mapping]]\ntopic = \"a/{device}\"\nquantity = \"power\"\nunit = \"kWh\"", "`kWh` is no unit of power"),
        ("[[mqtt.mapping]]\ntopic = \"a/{device}\"\nquanity = \"power\"", "quanity is no key of"),
        ("[mqtt]\nfull_topics = [\"x/%topic%/\"]", "holds \"x/%topic%/\", which needs %prefix% and %topic%"),
        ("[mqtt]\ndevice_zone = \"Mars\"", "mqtt.device_zone cannot be used"),
        ("[mqtt]\nbases = { opendtu = [\"a//b\"] }", "holds \"a//b\", which has an empty level"),
    ])
    func `a mistake is told with its place`(text: String, reason: String) throws {
        let problems = try Folder(["t.toml": text]).problems()
        #expect(problems.contains { $0.contains(reason) && $0.hasPrefix("t.toml:") }, "\(problems)")
    }
}
