import Devices
import Metering
import Testing

/// One mistake per file, and the exact words about it.
@Suite struct ProfileErrorTests {
    private static let message = """
        kind = "mqtt"
        name = "family"
        version = 1
        [[topic]]
        pattern = "family/{device}"
        payload = "json"
        [[field]]
        path = "P"
        quantity = "power"

        """
    private static let meter = """
        kind = "modbus"
        name = "meter"
        version = 1
        function = 4
        [blocks]
        max_registers = 4
        [groups.fast]
        period_ms = 1000
        [[register]]
        address = 0
        type = "u16"
        quantity = "power"
        group = "fast"

        """

    private static func problems(_ text: String) -> [String] {
        do throws(ProfileError) {
            _ = try Profile(source: .init(file: "p.toml", text: Array(text.utf8)))
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func `both patterns of the cases below are right themselves`() {
        #expect(Self.problems(Self.message) == [])
        #expect(Self.problems(Self.meter) == [])
    }

    @Test(arguments: [
        (
            "version = 1", "versoin = 1",
            [
                "p.toml:1:1: version: is missing",
                "p.toml:3:1: versoin: is no key of a profile; did you mean `version`?",
            ]
        ),
        ("\"mqtt\"", "\"mqqt\"", ["p.toml:1:8: kind: has no value `mqqt`: mqtt, modbus; did you mean `mqtt`?"]),
        ("\"family\"", "\"Family\"", ["p.toml:2:8: name: must be a–z, 0–9 and _"]),
        ("version = 1", "version = \"1\"", ["p.toml:3:11: version: must be an integer, not a string"]),
        ("version = 1", "version = 0", ["p.toml:3:11: version: must be 1 to 4294967295, not 0"]),
        (
            "payload =", "paylaod =",
            [
                "p.toml:4:1: topic.payload: is missing",
                "p.toml:6:1: topic.paylaod: is no key of `topic`; did you mean `payload`?",
            ]
        ),
        (
            "/{device}", "/{devcie}",
            [
                "p.toml:5:11: topic.pattern: has the level `{devcie}`; a level is text, +, #, {device}, {device+}, {channel}, {quantity} or {field}"
            ]
        ),
        ("/{device}", "/power", ["p.toml:5:11: topic.pattern: names no {device}"]),
        ("/{device}", "/{device}/#/x", ["p.toml:5:11: topic.pattern: has `#` before its last level"]),
        (
            "/{device}", "/{device+}/#",
            [
                "p.toml:5:11: topic.pattern: has more than one part of varying length (`{device+}`, `#`)"
            ]
        ),
        ("\"json\"", "\"number\"", ["p.toml:4:1: topic.field: is missing"]),
        ("\"power\"", "\"powr\"", ["p.toml:9:12: field.quantity: no quantity is called `powr`; did you mean `power`?"]),
        (
            "\"power\"", "\"power\"\nunit = \"kw\"",
            [
                "p.toml:10:8: field.unit: `kw` is no unit of power (W, kW, MW, GW, mW, Watt, watt); did you mean `kW`?"
            ]
        ),
        (
            "\"power\"", "\"power\"\nscale = 0",
            [
                "p.toml:10:9: field.scale: must be a factor such as 10, 0.1 or \"1/60\", and not 0"
            ]
        ),
        (
            "\"P\"", "\"a..b\"",
            [
                "p.toml:8:8: field.path: `a..b` is no path: up to 8 names with dots between, an element as [0], at most one `*`"
            ]
        ),
        ("\"power\"", "\"energy_import\"", ["p.toml:1:1: counter: no [[counter]] states the class of `energy_import`"]),
        (
            "\"power\"", "\"power\"\n[[counter]]\nquantity = \"gas\"\nclass = \"lifetime\"\nstep = 1",
            [
                "p.toml:11:12: counter.quantity: nothing in this profile gives `gas`"
            ]
        ),
        (
            "\"power\"", "\"power\"\nhidden = true",
            ["p.toml:10:10: field.hidden: needs a `name` that [[combine]] can use"]
        ),
        (
            "\"power\"", "\"power\"\nname = \"main\"\n[[combine]]\nquantity = \"power\"\nplus = [\"mian\"]",
            ["p.toml:13:8: combine.plus: no [[field]] has the name `mian`; did you mean `main`?"]
        ),
        (
            "\"power\"", "\"power\"\nchannels = \"3-1\"",
            [
                "p.toml:10:12: field.channels: must be a range such as \"0-3\", an array of names, or a table"
            ]
        ),
    ])
    func `a mistake in a message profile has its place, key and reason`(
        wrong: String, with replacement: String, expected: [String]
    ) {
        #expect(Self.problems(Self.message.replacing(wrong, with: replacement, maxReplacements: 1)) == expected)
    }

    @Test(arguments: [
        ("function = 4", "function = 6", ["p.toml:4:12: function: must be 3 to 4, not 6"]),
        (
            "\"u16\"", "\"u15\"",
            [
                "p.toml:11:8: register.type: has no value `u15`; did you mean `u16`?"
            ]
        ),
        (
            "group = \"fast\"", "group = \"fats\"",
            [
                "p.toml:13:9: register.group: has no value `fats`: fast; did you mean `fast`?"
            ]
        ),
        ("group = \"fast\"", "", ["p.toml:9:1: register.group: is missing, here and in [defaults]"]),
        ("address = 0", "address = 65536", ["p.toml:10:11: register.address: must be 0 to 65535, not 65536"]),
        (
            "address = 0\ntype = \"u16\"", "address = 65535\ntype = \"u32\"",
            [
                "p.toml:10:11: register.address: the register ends behind 0xFFFF"
            ]
        ),
        (
            "group = \"fast\"", "group = \"fast\"\nchannels = [\"l1\", \"L2\"]",
            [
                "p.toml:14:12: register.channels: `L2` is no channel: 1 to 15 of a–z, 0–9 and _"
            ]
        ),
        (
            "group = \"fast\"", "group = \"fast\"\nnot_available = [\"xyz\"]",
            [
                "p.toml:14:17: register.not_available: `xyz` is no raw value of up to 16 hexadecimal digits"
            ]
        ),
        (
            "type = \"u16\"", "type = \"u16\"\nchannels = [\"l1\", \"l2\", \"l3\", \"n\", \"total\"]",
            [
                "p.toml:10:11: register.address: 5 registers belong together, and blocks.max_registers is 4"
            ]
        ),
        (
            "group = \"fast\"",
            "group = \"fast\"\n[[register]]\naddress = 1\ntype = \"u16\"\nquantity = \"power\"\ngroup = \"fast\"",
            [
                "p.toml:17:12: register.quantity: `total power` is read from 0x0000 already"
            ]
        ),
        ("version = 1", "version = ", ["p.toml:3:11: Error while parsing key-value pair: expected value"]),
    ])
    func `a mistake in a meter's profile has its place, key and reason`(
        wrong: String, with replacement: String, expected: [String]
    ) {
        let found = Self.problems(Self.meter.replacing(wrong, with: replacement, maxReplacements: 1))
        #expect(found.count == expected.count)
        for (found, expected) in zip(found, expected) { #expect(found.hasPrefix(expected)) }
    }
}
