import Simulation
import TOML
import Testing

@Suite struct TOMLTests {
    static let text = """
        # a comment
        zone = "Europe/Berlin"
        import = 0.3215
        big = 1_000.250_0e1
        limits = [1, 0x1F, -7]

        [home.mains]
        zulu = true
        alpha = 2026-03-29
        at = 02:30:00.5
        local = 2026-03-29T02:30:00
        offset = 2026-03-29 02:30:00+01:00
        utc = 2026-03-29T02:30:00Z

        [[device]]
        name = "a\\tb"
        [[device]]
        "strange key".part = 'x'
        "größe" = "ä"
        """

    static func error(_ text: String) -> TOMLError? {
        do {
            _ = try TOMLDocument(text: text, file: "x.toml")
            return nil
        } catch { return error }
    }

    @Test func `every value arrives with its kind, in document order`() throws {
        let root = try TOMLDocument(text: Self.text, file: "x.toml").root
        #expect(root.keys.map(\.name) == ["zone", "import", "big", "limits", "home", "device"])
        #expect(root["zone"]?.string == "Europe/Berlin")
        #expect(root["import"]?.content == .float(0.3215, text: "0.3215"))
        #expect(root["import"]?.decimalText == "0.3215")
        #expect(root["big"]?.decimalText == "1000.2500e1")
        #expect(root["limits"]?.array?.map(\.integer) == [1, 31, -7])
        let mains = try #require(root["home"]?.table?["mains"]?.table)
        #expect(mains.keys.map(\.name) == ["zulu", "alpha", "at", "local", "offset", "utc"])
        #expect(mains["zulu"]?.boolean == true)
        #expect(mains["alpha"]?.content == .localDate("2026-03-29"))
        #expect(mains["at"]?.content == .localTime("02:30:00.5"))
        #expect(mains["local"]?.content == .localDateTime("2026-03-29T02:30:00"))
        #expect(mains["offset"]?.content == .offsetDateTime("2026-03-29T02:30:00+01:00"))
        #expect(mains["utc"]?.content == .offsetDateTime("2026-03-29T02:30:00Z"))
        let devices = try #require(root["device"]?.array)
        #expect(devices.first?.table?["name"]?.string == "a\tb")
        #expect(devices.last?.table?["strange key"]?.table?["part"]?.string == "x")
        #expect(root["nothing"] == nil)
    }

    @Test(arguments: ["\n", "\r\n"])
    func `every key and value knows its line and column`(ending: String) throws {
        let text = Self.text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: ending)
        let root = try TOMLDocument(text: text, file: "etc/x.toml").root
        #expect(root["zone"]?.place.description == "etc/x.toml:2:8")
        #expect(root.key("zone")?.place.description == "etc/x.toml:2:1")
        #expect(root["limits"]?.array?.map(\.place.column) == [11, 14, 20])
        let home = try #require(root.key("home"))
        #expect(home.line == 7 && home.column == 2)
        let mains = try #require(root["home"]?.table)
        #expect(mains.key("mains")?.column == 7)
        #expect(root["home"]?.place.line == 7)
        #expect(root["device"]?.place.line == 15)
        let last = try #require(root["device"]?.array?.last)
        #expect(last.place.line == 17)
        #expect(last.table?["größe"]?.place.description == "etc/x.toml:19:11")
        #expect(last.table?.key("strange key")?.line == 18)
        #expect(last.table?["strange key"]?.place.line == 18)
    }

    @Test(arguments: [
        ("a = ", 1, 5), ("a = 1\nb = [1, 2\n", 2, 11), ("a = 1\na = 2", 2, 5), ("[t]\n[t]\n", 2, 1), ("a = nope", 1, 5),
        ("a = \"x", 1, 7), ("a = \"\\q\"", 1, 7), ("= 1", 1, 1), ("a", 1, 2), ("a = 1 b = 2", 1, 7),
        ("a = 01", 1, 6), ("a = 2026-13-01", 1, 12), ("a = 99999999999999999999", 1, 25), ("x = 1\r\n[t\r\n", 2, 3),
        ("a = {b = 1, b = 2}", 1, 17), ("a.b = 1\na = 2", 2, 5), ("a = 1__0", 1, 7), ("\"ä\" = 'ö' x", 1, 11),
    ])
    func `an error names its line and column`(text: String, line: Int, column: Int) throws {
        let error = try #require(Self.error(text))
        #expect(error.line == line, "\(error)")
        #expect(abs(error.column - column) <= 1, "\(error)")
        #expect(error.description.hasPrefix("x.toml:\(line):\(error.column): "))
        #expect(!error.reason.isEmpty)
    }

    @Test func `bytes that are not UTF-8 are an error with a place`() {
        let bytes: [UInt8] = Array("a = 1\nb = \"".utf8) + [0xFF] + Array("\"".utf8)
        let error = #expect(throws: TOMLError.self) { try TOMLDocument(bytes: bytes, file: "x.toml") }
        #expect(error?.line == 2)
    }

    @Test func `size and nesting are limited, in brackets and in dots`() throws {
        #expect(Self.error(String(repeating: "#", count: 1 << 20)) == nil)
        #expect(Self.error(String(repeating: "#", count: 1 << 20 + 1))?.reason.contains("1048576") == true)
        #expect(Self.error("a = " + String(repeating: "[", count: 500_000)) != nil)
        #expect(Self.error("a = " + String(repeating: "{a=", count: 200_000)) != nil)
        let dots = Self.error("x = 1\n" + Array(repeating: "a", count: 400_000).joined(separator: ".") + " = 1")
        #expect(dots?.description == "x.toml:2:64: The key has too many parts")
        #expect(Self.error("[" + Array(repeating: "a", count: 33).joined(separator: ".") + "]") != nil)
        #expect(Self.error(Array(repeating: "a", count: 32).joined(separator: ".") + " = 1") == nil)
    }

    @Test func `dots in strings, comments and arrays are no key parts`() {
        let dots = String(repeating: ".", count: 100)
        let floats = Array(repeating: "1.5", count: 100).joined(separator: ", ")
        let text = """
            a = "\(dots)\\"\(dots)" # \(dots)
            b = '\(dots)'
            c = \"\"\"\n"\(dots)"" \(dots)\"\"\"\"\"
            d = '''\n'\(dots)' \(dots)'''
            e = [\(floats)]
            "\(dots)" = 1
            """
        #expect(Self.error(text) == nil)
    }

    @Test func `infinity and not-a-number have no decimal text`() throws {
        let root = try TOMLDocument(text: "a = inf\nb = nan\nc = -1.5", file: "x").root
        #expect(root["a"]?.decimalText == nil)
        #expect(root["b"]?.decimalText == nil)
        #expect(root["c"]?.decimalText == "-1.5")
    }

    @Test func `damaged text never crashes`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let marks = Array("[]{}=\"'.,#\n\r \\019eE+-_:TZt".utf8)
        var accepted = 0
        for _ in 0..<3_000 {
            var bytes = Array(Self.text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: at)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.insert(marks.randomElement(using: &random)!, at: at)
                default: bytes = Array(bytes[...at])
                }
            }
            accepted += (try? TOMLDocument(bytes: bytes, file: "x")) == nil ? 0 : 1
        }
        #expect(accepted > 10 && accepted < 2_990, "seed \(seed)")
    }

    @Test(
        arguments: [
            ("intervall", "interval"), ("pasword", "password"), ("hots", "host"), ("Host", "host"), ("port", "port"),
            ("xyzzy", nil), ("it", nil), ("", nil),
        ] as [(String, String?)])
    func `the nearest name is suggested, or none`(word: String, meant: String?) {
        #expect(nearest(word, among: ["interval", "password", "host", "port", "zone"]) == meant)
    }
}
