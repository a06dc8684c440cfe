import Devices
import Metering
import Testing

/// What a profile can say of a register beyond address and type.
@Suite struct RegisterLanguageTests {
    static func map(_ registers: String, head: String = "function = 3", more: String = "") throws -> RegisterMap {
        let text = """
            kind = "modbus"
            name = "meter"
            version = 1
            \(head)
            \(more)
            [groups.fast]
            period_ms = 1000
            [defaults]
            group = "fast"
            type = "s16"
            \(registers)
            """
        return try #require(Profile(source: .init(file: "m.toml", text: Array(text.utf8))).registers)
    }

    static func register(_ address: Int, _ more: String, quantity: String = "power") -> String {
        "[[register]]\naddress = \(address)\nquantity = \"\(quantity)\"\n\(more)\n"
    }

    /// Samples and errors as text, the samples first.
    static func decode(
        _ map: RegisterMap, _ words: [UInt16], at address: UInt16 = 0, function: UInt8 = 3,
        context: RegisterContext = RegisterContext()
    ) -> [String] {
        var samples: [Sample] = []
        let block = RegisterBlock(function: function, address: address, count: words.count)
        let errors = map.decode(block, words: words, context: context, into: &samples)
        return samples.map(ProfileCheck.line) + errors.map(\.description)
    }

    static func context(_ function: UInt8, _ address: UInt16, _ words: [UInt16]) -> RegisterContext {
        var context = RegisterContext()
        context.note(.init(function: function, address: address, words: words))
        return context
    }

    @Test(
        arguments: [
            ("sm16", [0x807B], "-123"), ("sm32", [0x8000, 0x0001], "-1"), ("u48", [1, 0, 0], "4294967296"),
            ("s48", [0xFFFF, 0xFFFF, 0xFFFE], "-2"), ("m10k32", [123, 4567], "1234567"),
            ("m10k64", [0, 1, 2, 3], "100020003"), ("bcd16", [0x1234], "1234"), ("bcd32", [0x0012, 0x3456], "123456"),
            ("t5", [0xFE00, 0x5A69], "231.45"), ("t6", [0xFFFF, 0xD0F8], "-1204"), ("t6", [0x0100, 0x0007], "70"),
            ("t7", [0xFFFF, 0x251C], "-0.95"), ("t7", [0x0000, 0x25F0], "0.971"),
        ] as [(String, [UInt16], String)])
    func `rare types`(type: String, words: [UInt16], value: String) throws {
        let map = try Self.map(Self.register(0, "type = \"\(type)\""))
        #expect(Self.decode(map, words) == ["total power \(value)"])
    }

    @Test(arguments: [("m10k32", [123, 10_000]), ("bcd16", [0x12A4])] as [(String, [UInt16])])
    func `a digit above nine is an error of its register`(type: String, words: [UInt16]) throws {
        let map = try Self.map(Self.register(0, "type = \"\(type)\""))
        #expect(Self.decode(map, words) == ["register 0x0000: is out of range"])
    }

    @Test(
        arguments: [
            ("high-first", [0x449A, 0x5000]), ("low-first", [0x5000, 0x449A]),
            ("high-first-swapped", [0x9A44, 0x0050]),
            ("low-first-swapped", [0x0050, 0x9A44]),
        ] as [(String, [UInt16])])
    func `the four orders of words and bytes`(order: String, words: [UInt16]) throws {
        let map = try Self.map(Self.register(0, "type = \"f32\"\nword_order = \"\(order)\""))
        #expect(Self.decode(map, words) == ["total power 1234.5"])
    }

    @Test func `not available is told by type, before any scale`() throws {
        let map = try Self.map(
            Self.register(0, "type = \"u16\"\nscale = 0.1") + Self.register(1, "type = \"u32\"\nchannel = \"l1\""),
            more: "[not_available]\nu16 = [\"FFFF\"]\nu32 = [\"FFFF FFFF\"]")
        #expect(Self.decode(map, [0xFFFF, 0, 0xFFFF]) == ["l1 power 65535"])
        #expect(Self.decode(map, [10, 0xFFFF, 0xFFFF]) == ["total power 1"])
    }

    @Test(
        arguments: [
            (-1, ["total power 232.5"]), (0, ["total power 2325"]), (3, ["total power 2325000"]),
            (-0x8000, []), (11, ["register 0x0000: is out of range"]), (-11, ["register 0x0000: is out of range"]),
        ] as [(Int, [String])])
    func `a scale factor is a power of ten beside the value`(factor: Int, expected: [String]) throws {
        let map = try Self.map(Self.register(0, "scale_register = 1"))
        let word = UInt16(bitPattern: Int16(factor))
        #expect(Self.decode(map, [2325, word]) == expected)
        #expect(Self.decode(map, [2325], context: Self.context(3, 1, [word])) == expected)
    }

    @Test func `without its scale factor a value is an error that names it`() throws {
        let map = try Self.map(Self.register(0, "scale_register = 9"))
        #expect(
            Self.decode(map, [2325])
                == ["register 0x0000: depends on the register at function 3, 0x0009, which is not known"])
        #expect(map.blocks() == [RegisterBlock(function: 3, address: 0, count: 10, group: 0)])
    }

    @Test func `pairs are added or subtracted, and one half says nothing`() throws {
        let map = try Self.map(
            Self.register(0, "type = \"u32\"\nminus = 2") + Self.register(4, "plus = [5, 6]\nchannel = \"l1\""))
        #expect(Self.decode(map, [0, 5, 0, 900, 1, 2, 3]) == ["total power -895", "l1 power 6"])
        #expect(Self.decode(map, [0, 5]) == [])
        #expect(Self.decode(map, [1, 2], at: 4) == [])
        #expect(map.blocks().map(\.count) == [7])
    }

    @Test(
        arguments: [
            (0x3F8F_5C29, "0.88"), (0xBF8A_3D71, "-0.92"), (0x3F4C_CCCD, "0.8"), (0xBF80_0000, "-1"),
            (0x4000_0000, "0"),
        ] as [(UInt32, String)])
    func `a power factor of four quadrants is folded back`(raw: UInt32, value: String) throws {
        let map = try Self.map(
            Self.register(0, "type = \"f32\"\nform = \"four-quadrant\"", quantity: "power_factor"))
        #expect(Self.decode(map, [UInt16(raw >> 16), UInt16(raw & 0xFFFF)]) == ["total power_factor \(value)"])
    }

    @Test(arguments: [(9861, -2, "0.986"), (986, -3, "0.986"), (98, 0, "0.98"), (1, 0, "1"), (-985, -1, "-0.985")])
    func `a power factor is a percentage, or a ratio up to 1`(raw: Int16, factor: Int16, value: String) throws {
        let map = try Self.map(
            Self.register(0, "form = \"percent-or-ratio\"\nscale_register = 1", quantity: "power_factor"))
        let words = [UInt16(bitPattern: raw), UInt16(bitPattern: factor)]
        #expect(Self.decode(map, words) == ["total power_factor \(value)"])
    }

    @Test func `offset, magnitude and the scale that lands`() throws {
        let offset = try Self.map(Self.register(0, "type = \"u16\"\noffset = -10000\nscale = \"1/10000\""))
        #expect(Self.decode(offset, [200]) == ["total power -0.98"])
        let magnitude = try Self.map(Self.register(0, "magnitude = true"))
        #expect(Self.decode(magnitude, [0xFFFF]) == ["total power 1"])
        let lands = try Self.map(
            Self.register(
                0, "scales = [\"0.001\", \"0.01\"]\nplausible = [45, 65]\ntype = \"u16\"", quantity: "frequency"))
        #expect(Self.decode(lands, [49_980]) == ["total frequency 49.98"])
        #expect(Self.decode(lands, [4_998]) == ["total frequency 49.98"])
        #expect(Self.decode(lands, [0]) == ["total frequency 0"])
        #expect(Self.decode(lands, [499]) == ["register 0x0000: is out of range"])
    }

    @Test func `a flag of direction makes the value negative`() throws {
        let map = try Self.map(Self.register(0, "negative_when = { address = 1, mask = 0x0004, is = 4 }"))
        #expect(Self.decode(map, [5, 0xFFFB]) == ["total power 5"])
        #expect(Self.decode(map, [5, 0x0004]) == ["total power -5"])
        #expect(map.blocks().map(\.count) == [2])
    }

    @Test func `a code tells which of two quantities a register holds`() throws {
        let map = try Self.map(
            Self.register(0, "when = { function = 4, address = 7, is = 1 }")
                + Self.register(0, "when = [{ function = 4, address = 7, is = [2, 3] }]\nchannel = \"l1\""))
        #expect(Self.decode(map, [5], context: Self.context(4, 7, [1])) == ["total power 5"])
        #expect(Self.decode(map, [5], context: Self.context(4, 7, [3])) == ["l1 power 5"])
        #expect(Self.decode(map, [5], context: Self.context(4, 7, [4])) == [])
        // Both depend on it: one complaint.
        #expect(Self.decode(map, [5]).count == 1)
        #expect(map.contextBlocks == [RegisterBlock(function: 4, address: 7, count: 1)])
    }

    @Test func `registers of a meter that is not there hold nothing`() throws {
        let map = try Self.map(Self.register(2, ""), more: "[valid_when]\naddress = 0\nis = 1")
        #expect(Self.decode(map, [1, 0, 5]) == ["total power 5"])
        #expect(Self.decode(map, [0, 0, 5]) == [])
        #expect(Self.decode(map, [5], at: 2) == ["total power 5"])
        // The status comes with the same answer.
        #expect(map.blocks().map(\.count) == [3])
    }

    @Test func `behind transformers power, current, voltage and energy are multiplied`() throws {
        let rows =
            Self.register(0, "") + Self.register(1, "scale = 0.001", quantity: "current")
            + Self.register(2, "", quantity: "voltage") + Self.register(3, "scale = 0.01", quantity: "power_factor")
        let map = try Self.map(
            rows, more: "[transformers]\ncurrent = { address = 6 }\nvoltage = { address = 7, scale = 0.1 }")
        let words: [UInt16] = [5, 4321, 230, 98]
        #expect(
            Self.decode(map, words)
                == ["total power 5", "total current 4.321", "total voltage 230", "total power_factor 0.98"])
        let read = Self.context(3, 6, [20, 15])
        let multiplied = [
            "total power 150", "total current 86.42", "total voltage 345", "total power_factor 0.98",
        ]
        #expect(Self.decode(map, words, context: read) == multiplied)
        // What the owner says goes before what the meter says.
        var stated = Self.context(3, 6, [1, 1])
        stated.currentRatio = Scale(20)
        stated.voltageRatio = Scale(3, per: 2)
        #expect(Self.decode(map, words, context: stated) == multiplied)
        #expect(map.contextBlocks == [RegisterBlock(function: 3, address: 6, count: 2)])
        let zero = Self.context(3, 6, [0, 10])
        #expect(Self.decode(map, words, context: zero) == ["transformer ratio at function 3, 0x0006: is out of range"])
    }

    @Test func `inverted, power changes its sign and import and export change places`() throws {
        let text = """
            kind = "modbus"
            name = "meter"
            version = 1
            function = 3
            [groups.fast]
            period_ms = 1000
            [defaults]
            group = "fast"
            type = "s16"
            [[register]]
            address = 0
            quantity = "power"
            [[register]]
            address = 1
            quantity = "voltage"
            [[register]]
            address = 2
            quantity = "energy_import"
            [[register]]
            address = 3
            quantity = "energy_total"
            [[counter]]
            quantity = "energy_import"
            class = "lifetime"
            step = 1
            [[counter]]
            quantity = "energy_total"
            class = "lifetime"
            step = 1
            """
        for (text, context) in [
            (text, RegisterContext(isInverted: true)),
            (text.replacing("version = 1", with: "version = 1\ninvert = true"), RegisterContext()),
        ] {
            let profile = try Profile(source: .init(file: "m.toml", text: Array(text.utf8)))
            let map = try #require(profile.registers)
            #expect(
                Self.decode(map, [5, 230, 7, 9], context: context)
                    == ["total power -5", "total voltage 230", "total energy_export 7", "total energy_total 9"])
        }
    }

    @Test func `a fallback counts where nothing better is among the words, and is never asked for`() throws {
        let map = try Self.map(Self.register(0, "scale = 0.1") + Self.register(5, "fallback = true"))
        #expect(Self.decode(map, [41, 0, 0, 0, 0, 4]) == ["total power 4.1"])
        #expect(Self.decode(map, [4], at: 5) == ["total power 4"])
        #expect(map.blocks().map { [Int($0.address), $0.count] } == [[0, 1]])
        var samples: [Sample] = []
        let block = RegisterBlock(function: 3, address: 5, count: 1, group: 0)
        #expect(map.decode(block, words: [4], into: &samples).isEmpty && samples.isEmpty)
    }
}
