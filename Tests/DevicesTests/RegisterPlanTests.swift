import Devices
import Metering
import Testing

/// How registers are packed into requests, beyond gaps and lengths: see `RegisterTests`.
@Suite struct RegisterPlanTests {
    private static func register(_ address: Int, _ channel: String, _ more: String = "") -> String {
        RegisterLanguageTests.register(address, "channel = \"\(channel)\"\n\(more)")
    }

    private static func spans(_ map: RegisterMap) -> [[Int]] {
        map.blocks().map { [Int($0.function), Int($0.address), Int($0.address) + $0.count] }
    }

    @Test func `a request stays between two multiples of the window`() throws {
        let map = try RegisterLanguageTests.map(
            Self.register(120, "l1") + Self.register(124, "l2") + Self.register(125, "l3"),
            more: "[blocks]\nwindow = 125\nmax_gap = 10")
        #expect(Self.spans(map) == [[3, 120, 125], [3, 125, 126]])
    }

    @Test func `a register that the window would split is a mistake of the profile`() {
        #expect(throws: ProfileError.self) {
            try RegisterLanguageTests.map(Self.register(124, "l1", "type = \"u32\""), more: "[blocks]\nwindow = 125")
        }
    }

    @Test func `a register that is read alone is never part of a longer request`() throws {
        let map = try RegisterLanguageTests.map(
            Self.register(0, "l1") + Self.register(1, "l2", "alone = true") + Self.register(2, "l3"),
            more: "[blocks]\nmax_gap = 10")
        #expect(Self.spans(map) == [[3, 0, 1], [3, 1, 2], [3, 2, 3]])
    }

    @Test func `functions are asked apart, and the other one is understood where both answer alike`() throws {
        let rows = Self.register(0, "l1") + Self.register(1, "l2", "function = 4")
        let apart = try RegisterLanguageTests.map(rows)
        #expect(Self.spans(apart) == [[3, 0, 1], [4, 1, 2]])
        #expect(RegisterLanguageTests.decode(apart, [1, 2], function: 4) == ["l2 power 2"])
        let alike = try RegisterLanguageTests.map(Self.register(0, "l1"), head: "functions = [4, 3]")
        #expect(Self.spans(alike) == [[4, 0, 1]])
        #expect(RegisterLanguageTests.decode(alike, [1], function: 3) == ["l1 power 1"])
        #expect(RegisterLanguageTests.decode(alike, [1], function: 4) == ["l1 power 1"])
    }

    @Test(arguments: [(-1, 0), (100, 101)])
    func `a base is added to every address`(base: Int, wire: Int) throws {
        let rows = Self.register(1, "l1", "scale_register = 2\nplus = 3")
        let map = try RegisterLanguageTests.map(rows, more: "base = \(base)")
        #expect(Self.spans(map) == [[3, wire, wire + 3]])
        #expect(RegisterLanguageTests.decode(map, [5, 1, 7], at: UInt16(wire)) == ["l1 power 120"])
    }

    @Test func `values of one pair never come from two answers`() {
        #expect(throws: ProfileError.self) {
            try RegisterLanguageTests.map(Self.register(0, "l1", "minus = 50"), more: "[blocks]\nmax_registers = 20")
        }
    }
}
