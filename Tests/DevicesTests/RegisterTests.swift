import Devices
import Metering
import Testing

/// Words in, samples out: types, word orders, sentinels, and how registers are packed into requests.
@Suite struct RegisterTests {
    private static func map(_ registers: String, blocks: String = "") throws -> RegisterMap {
        let text = """
            kind = "modbus"
            name = "meter"
            version = 1
            function = 3
            [blocks]
            \(blocks)
            [groups.fast]
            period_ms = 1000
            [groups.slow]
            period_ms = 9000
            [defaults]
            group = "fast"
            \(registers)
            """
        return try #require(Profile(source: .init(file: "m.toml", text: Array(text.utf8))).registers)
    }

    private static func register(_ address: Int, _ type: String, _ more: String = "", channel: String = "total")
        -> String
    {
        "[[register]]\naddress = \(address)\ntype = \"\(type)\"\nquantity = \"power\"\nchannel = \"\(channel)\"\n\(more)\n"
    }

    @Test(
        arguments: [
            ("u16", [0xFFFF], "65535"), ("s16", [0xFFFF], "-1"), ("u32", [0x0001, 0xE240], "123456"),
            ("s32", [0xFFFE, 0xB5D7], "-84521"), ("u64", [0, 0, 0x0012, 0xD687], "1234567"),
            ("s64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE], "-2"), ("f32", [0x449A, 0x5000], "1234.5"),
            ("f64", [0x4142, 0xD456, 0xC000, 0x0000], "2468013.5"),
        ] as [(String, [UInt16], String)])
    func `every type is read in both word orders`(type: String, words: [UInt16], value: String) throws {
        for (order, wire) in [("high-first", words), ("low-first", words.reversed())] {
            let map = try Self.map(Self.register(0, type, "word_order = \"\(order)\""))
            var samples: [Sample] = []
            #expect(map.decode(map.blocks()[0], words: wire, into: &samples).isEmpty)
            #expect(samples.map(ProfileCheck.line) == ["total power \(value)"])
        }
    }

    @Test(
        arguments: [
            ("u16", "FFFF", [0xFFFF]), ("s16", "8000", [0x8000]), ("s32", "7FFF FFFF", [0x7FFF, 0xFFFF]),
            ("u64", "FFFFFFFFFFFFFFFF", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF]), ("f32", "0", [0x7FC0, 0x0000]),
            ("f32", "0", [0xFF80, 0x0000]), ("f32", "0", [0xFF7F, 0xFFFF]),
            ("f64", "0", [0x7FF0, 0x0000, 0x0000, 0x0001]),
        ] as [(String, String, [UInt16])])
    func `what is not available is no sample and no error`(type: String, sentinel: String, words: [UInt16]) throws {
        let map = try Self.map(Self.register(0, type, "not_available = [\"\(sentinel)\"]\nscale = 0.1"))
        var samples: [Sample] = []
        #expect(map.decode(map.blocks()[0], words: words, into: &samples).isEmpty)
        #expect(samples.isEmpty)
    }

    @Test func `a scale is exact, and a value that does not fit is an error of its register`() throws {
        let map = try Self.map(
            Self.register(7, "s16", "scale = 0.1") + Self.register(8, "u64", "unit = \"kW\"", channel: "l1"))
        var samples: [Sample] = []
        let errors = map.decode(map.blocks()[0], words: [0xFFFD, 0xFFFF, 0, 0, 0], into: &samples)
        #expect(samples.map(ProfileCheck.line) == ["total power -0.3"])
        #expect(errors.map(\.description) == ["register 0x0008: is out of range"])
    }

    @Test func `a short answer is an error and gives nothing`() throws {
        let map = try Self.map(Self.register(0, "u32"))
        var samples: [Sample] = []
        let errors = map.decode(map.blocks()[0], words: [1], into: &samples)
        #expect(errors.map(\.error) == [.shortAnswer(words: 1, expected: 2)])
        #expect(samples.isEmpty)
    }

    @Test(arguments: [
        ("max_gap = 2", [[0, 4], [10, 12]]), ("max_gap = 6", [[0, 12]]), ("", [[0, 4], [10, 12]]),
        ("max_gap = 9\nmax_registers = 4", [[0, 4], [10, 12]]),
    ])
    func `registers are packed up to the limits and never split`(blocks: String, expected: [[Int]]) throws {
        let map = try Self.map(
            Self.register(2, "u32", channel: "l2") + Self.register(0, "u32", channel: "l1")
                + Self.register(10, "u32", channel: "l3"), blocks: blocks)
        #expect(map.blocks().map { [Int($0.address), Int($0.address) + $0.count] } == expected)
    }

    @Test func `the phases of one row stay in one request`() throws {
        let row = """
            [[register]]
            address = 4
            type = "u16"
            quantity = "voltage"
            channels = ["l1", "l2", "l3"]
            """
        let map = try Self.map(Self.register(0, "u32") + row, blocks: "max_registers = 6\nmax_gap = 5")
        #expect(map.blocks().map { [Int($0.address), $0.count] } == [[0, 2], [4, 3]])
    }

    @Test func `an SDM630 is read in four requests, the fast one of 72 registers`() throws {
        let map = try #require(ProfileCatalog.builtIn["eastron_sdm630"]?.registers)
        #expect(map.blocks(of: "fast").map(\.description) == ["function 4, 72 registers from 0x0000"])
        #expect(map.blocks(of: "slow").map(\.description) == ["function 4, 8 registers from 0x0048"])
        #expect(
            map.blocks(of: "detail").map(\.description) == [
                "function 4, 26 registers from 0x00C8", "function 4, 34 registers from 0x0156",
            ])
        #expect(map.blocks().allSatisfy { $0.count <= 80 && $0.count % 2 == 0 && $0.address % 2 == 0 })
        #expect(Set(map.blocks().flatMap { block in (0..<block.count).map { Int(block.address) + $0 } }).count == 140)
    }

    @Test func `a block gives its own group's samples only`() throws {
        let map = try Self.map(
            Self.register(0, "u16", channel: "l1") + Self.register(1, "u16", "group = \"slow\"", channel: "l2")
                + Self.register(2, "u16", channel: "l3"), blocks: "max_gap = 1")
        var samples: [Sample] = []
        #expect(map.decode(map.blocks(of: "fast")[0], words: [1, 2, 3], into: &samples).isEmpty)
        #expect(samples.map(ProfileCheck.line) == ["l1 power 1", "l3 power 3"])
    }
}
