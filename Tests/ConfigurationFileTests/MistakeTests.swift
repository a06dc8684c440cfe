import ConfigurationFile
import Testing

/// One line of text, one mistake, one sentence.
struct Mistake: CustomTestStringConvertible {
    let text: String
    let problem: String

    init(_ text: String, _ problem: String) {
        self.text = text
        self.problem = problem
    }

    var testDescription: String { text }

    static let structure: [Mistake] = [
        Mistake("[mqqt]", "1:2: unknown key mqqt; did you mean mqtt?"),
        Mistake("[mqtt]\nhots = \"x\"", "2:1: unknown key mqtt.hots; did you mean host?"),
        Mistake(
            "[log]\nxyzzy = 1", "2:1: unknown key log.xyzzy; known here: level"),
        Mistake("home = 1", "1:8: home has to be a table: [home]"),
        Mistake("[modbus]\nbus = \"x\"", "1:1: modbus has to be written as [[modbus]]"),
        Mistake("[home]\nname = 1", "2:8: home.name has to be a string, not an integer"),
        Mistake("[home]\nname = \"a\\u001bb\"", "2:8: home.name holds a control character"),
        Mistake(
            "[home]\nzone = \"Europe/Berln\"",
            "2:8: home.zone cannot be used: time zone \"Europe/Berln\": there is no such zone; "
                + "did you mean Europe/Berlin?"),
        Mistake("[mqtt]\nport = 0", "2:8: mqtt.port is 0, but has to be from 1 to 65535"),
        Mistake("[mqtt]\nport = \"1883\"", "2:8: mqtt.port has to be a whole number, not a string"),
        Mistake("[mqtt]\nenabled = 1", "2:11: mqtt.enabled has to be true or false, not an integer"),
        Mistake("[mqtt]\nhost = \"\"", "2:8: mqtt.host is empty"),
        Mistake(
            "[mqtt]\nhost = \"mqtt://b\"",
            "2:8: mqtt.host is \"mqtt://b\", but has to be a name or an address alone, such as \"192.168.1.5\""),
        Mistake("[mqtt]\npassword_file = \"p\"", "2:17: mqtt.password_file needs mqtt.username"),
        Mistake(
            "[mqtt]\nprotocol = \"3.1\"",
            "2:12: mqtt.protocol is \"3.1\", but has to be one of 3.1.1, 5; did you mean \"3.1.1\"?"),
        Mistake("[mqtt]\nkey_file = \"k\"", "2:12: mqtt.key_file needs mqtt.certificate_file beside it"),
        Mistake("[mqtt]\ncertificate_file = \"c\"", "2:20: mqtt.certificate_file needs mqtt.key_file beside it"),
        Mistake(
            "[mqtt]\ntls = false\nca_file = \"c\"",
            "2:7: mqtt.tls is false, but mqtt.ca_file, certificate_file and key_file are for TLS alone"),
        Mistake(
            "[mqtt]\naccept = \"all\"", "2:10: mqtt.accept is \"all\", but has to be one of auto, listed"),
        Mistake(
            "[mqtt]\nignore = [\"bench\"]",
            "2:10: mqtt.ignore holds \"bench\", not an address such as \"mqtt:tasmota:bench\""),
        Mistake(
            "[bridge]\ntopic = \"a/#\"", "2:9: bridge.topic is \"a/#\", not levels of a topic such as \"energyd\""),
        Mistake(
            "[store]\nflush_interval = 10",
            "2:18: store.flush_interval is an integer, not a duration such as \"10s\", \"500ms\" or \"15m\""),
        Mistake(
            "[store]\nflush_interval = \"11m\"",
            "2:18: store.flush_interval is 11m, but has to be from 0s to 10m"),
        Mistake(
            "[store]\nlog_budget = \"1GB\"",
            "2:14: store.log_budget is \"1GB\", not a size such as \"64MiB\" or \"1GiB\""),
        Mistake(
            "[store]\nlog_budget = \"-1GiB\"",
            "2:14: store.log_budget is \"-1GiB\", not a size such as \"64MiB\" or \"1GiB\""),
        Mistake("[store]\nlog_budget = \"15MiB\"", "2:14: store.log_budget is 15MiB, but has to be from 16MiB to 4TiB"),
        Mistake(
            "[store]\nlog_budget = \"99999999999999999999TiB\"",
            "2:14: store.log_budget is 99999999999999999999TiB, but has to be from 16MiB to 4TiB"),
        Mistake("[store]\nhistory_days = 0", "2:16: store.history_days is 0, but has to be from 1 to 36500"),
        Mistake(
            "[log]\nlevel = \"warn\"",
            "2:9: log.level is \"warn\", but has to be one of trace, debug, info, notice, warning, error, critical"),
        Mistake(
            "[profiles]\ndirectories = \"/p\"", "2:15: profiles.directories has to be a list of at most 16 strings"),
        Mistake("[profiles]\ndirectories = [1]", "2:15: profiles.directories has to be a list of strings"),
    ]

    private static let bus = "[[modbus]]\nbus = \"tcp://m:502\"\n"
    private static let profile = "profile = \"eastron_sdm630\"\n"

    static let devices: [Mistake] = [
        Mistake(bus, "1:1: modbus has no device: add [[modbus.device]]"),
        Mistake(
            bus + "rs485 = true\n[[modbus.device]]\nname = \"a\"\n" + profile,
            "3:9: modbus.rs485 is for serial lines, and this bus is tcp://m:502"),
        Mistake(
            bus + "[[modbus.device]]\nname = \"a\"\nct = \"0\"\n" + profile,
            "5:6: modbus.device.ct is \"0\", not a ratio above 0 such as \"40\" or \"200/5\""),
        Mistake(
            bus + "timeout = \"1s\"\ntimeout_floor = \"2s\"\n[[modbus.device]]\nname = \"a\"\n" + profile,
            "4:17: modbus.timeout_floor is more than timeout"),
        Mistake("[[modbus]]\n[[modbus.device]]\nname = \"a\"\n" + profile, "1:1: modbus has no bus"),
        Mistake(bus + "[[modbus.device]]\n" + profile, "3:1: modbus.device has no name"),
        Mistake(bus + "[[modbus.device]]\nname = \"\"\n" + profile, "4:8: modbus.device.name is empty"),
        Mistake(
            bus + "[[modbus.device]]\nname = \"a\"\nprofile = \"eastron_sdm63\"",
            "5:11: modbus.device.profile is \"eastron_sdm63\", which is not a known profile of a Modbus meter; "
                + "did you mean \"eastron_sdm630\"?"),
        Mistake(
            bus + "[[modbus.device]]\nname = \"a\"\nunit = 256\n" + profile,
            "5:8: modbus.device.unit is 256, but has to be from 0 to 255"),
        Mistake(
            bus + "[[modbus.device]]\nname = \"a\"\n" + profile + "[[modbus.device]]\nname = \"b\"\nunit = 1\n"
                + profile,
            "8:8: modbus.device.unit is 1, already taken at t.toml:3:1"),
        Mistake(
            bus + "[[modbus.device]]\nname = \"a\"\n" + profile + "[[modbus.device]]\nname = \"a\"\nunit = 2\n"
                + profile,
            "7:8: modbus.device.name is \"a\", already taken at t.toml:4:8"),
        Mistake(
            bus + "[[modbus.device]]\nname = \"a\"\ninterval = \"50ms\"\n" + profile,
            "5:12: modbus.device.interval is 50ms, but has to be from 100ms to 1d"),
        Mistake("[[device]]\nrole = \"load\"", "1:1: device has no name"),
        Mistake(
            "[[device]]\nname = \"home\"",
            "2:8: device.name is \"home\", which no device may have: gateway, home, unmetered stand for themselves"),
        Mistake(
            "[[device]]\nname = \"\(String(repeating: "x", count: 65))\"", "2:8: device.name is longer than 64 bytes"),
        Mistake(
            "[[device]]\nname = \"a\"\nrole = \"gird\"",
            "3:8: device.role is \"gird\", but has to be one of load, grid, solar, battery; did you mean \"grid\"?"),
        Mistake(
            "[[device]]\nname = \"a\"\nbinding = \"plug_washer\"",
            "3:11: device.binding is \"plug_washer\", not an address such as \"mqtt:tasmota:plug_washer\", "
                + "as devices shows it"),
        Mistake(
            "[[device]]\nname = \"a\"\nbinding = \"mqtt:energy:x\"\n[[device]]\nname = \"b\"\nbinding = \"mqtt:energy:x\"",
            "6:11: device.binding is \"mqtt:energy:x\", already taken at t.toml:3:11"),
        Mistake("[[device]]\nname = \"a\"\nparent = \"a\"", "3:10: device.parent leads from \"a\" back to itself"),
        Mistake(
            "[[device]]\nname = \"a\"\nrating = 0", "3:10: device.rating is 0, but has to be from 1 to 10000000"),
    ]

    static let tariffs: [Mistake] = [
        Mistake("[[tariff]]\nname = \"t\"", "1:1: tariff.import is missing: what a kWh from the grid costs"),
        Mistake(
            "[[tariff]]\nimport = \"a lot\"",
            "2:10: tariff.import has to be a price per kWh with at most nine decimals, such as \"0.3215\""),
        Mistake(
            "[[tariff]]\nimport = 0.1234567891",
            "2:10: tariff.import has to be a price per kWh with at most nine decimals, such as \"0.3215\""),
        Mistake(
            "[[tariff]]\nimport = inf",
            "2:10: tariff.import has to be a price per kWh with at most nine decimals, such as \"0.3215\""),
        Mistake(
            "[[tariff]]\nimport = 1\ncurrency = \"euro\"",
            "3:12: tariff.currency is \"euro\", not a code such as EUR, USD or GBP"),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff]]\nimport = 1\ncurrency = \"USD\"\nvalid_from = 2026-01-01T00:00:00Z",
            "5:12: tariff.currency is USD, but other tariffs are in EUR; a home has one currency"),
        Mistake(
            "[[tariff]]\nimport = 1\nvalid_from = \"2026-01-01\"",
            "3:14: tariff.valid_from has to be a time with its offset, such as \"2026-01-01T00:00:00+01:00\""),
        Mistake(
            "[[tariff]]\nimport = 1\nvalid_from = 2026-01-01T00:00:00",
            "3:14: tariff.valid_from has to be a time with its offset, such as \"2026-01-01T00:00:00+01:00\""),
        Mistake(
            "[[tariff]]\nimport = 1\nvalid_from = \"2026-01-01T00:00:00Z\"\n"
                + "[[tariff]]\nimport = 2\nvalid_from = \"2026-01-01T01:00:00+01:00\"",
            "6:14: tariff.valid_from is 2026-01-01T00:00:00Z, already taken at t.toml:3:14"),
    ]
}

@Suite struct MistakeTests {
    @Test(arguments: Mistake.structure + Mistake.devices + Mistake.tariffs)
    func `a mistake is told with its place and what would be right`(_ mistake: Mistake) throws {
        let folder = try Folder(["t.toml": mistake.text])
        #expect(folder.problems() == ["t.toml:" + mistake.problem])
    }

    @Test func `all mistakes are told at once`() throws {
        let folder = try Folder(["t.toml": "[mqtt]\nport = 0\nhots = 1\n[home]\nname = 2"])
        #expect(folder.problems().count == 3)
    }

    @Test func `at most fifty are told`() throws {
        let lines = (0..<200).map { "key_\($0) = 1" }
        let folder = try Folder(["t.toml": lines.joined(separator: "\n")])
        #expect(folder.problems().count == 50)
    }

    @Test func `text that is no TOML is told with its place`() throws {
        let folder = try Folder(["t.toml": "[home\n"])
        let problems = folder.problems()
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("t.toml:1:") == true)
    }

    @Test func `a file that is not there is told`() throws {
        let folder = try Folder([:])
        #expect(folder.problems() == ["t.toml: cannot be read: No such file or directory"])
    }
}
