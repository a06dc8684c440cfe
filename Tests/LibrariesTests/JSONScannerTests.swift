import Foundation
import JSONScanner
import Testing

@Suite struct JSONScannerTests {
    static func kind(_ bytes: [UInt8], _ limits: JSONLimits = .message) -> JSONError.Kind? {
        let scanner = JSONScanner(limits: limits)
        do {
            try bytes.withUnsafeBytes { raw in try scanner.scan(raw) { _ in } }
            return nil
        } catch { return (error as? JSONError)?.kind }
    }

    static func error(_ text: String, _ limits: JSONLimits = .message) -> JSONError? {
        do {
            _ = try JSONDocument(bytes: Array(text.utf8), limits: limits)
            return nil
        } catch { return error }
    }

    static func root(_ text: String) throws -> JSONValue {
        try JSONDocument(bytes: Array(text.utf8)).root
    }

    @Test(
        arguments: [
            ("", .empty, 0), (" \n\t", .empty, 0), ("\u{FEFF}{}", .byteOrderMark, 0),
            ("nan", .syntax, 0), (#"{"a":nan}"#, .syntax, 5), (#"{"a":NaN}"#, .syntax, 5),
            ("[-Infinity]", .badNumber, 2),
            ("[1,]", .syntax, 3), (#"{"a":1,}"#, .syntax, 7), ("[,1]", .syntax, 1), ("[1 2]", .syntax, 3),
            (#"{"a" 1}"#, .syntax, 5), (#"{"a":}"#, .syntax, 5), ("{1:2}", .syntax, 1), (#"{"a":1]"#, .syntax, 6),
            ("[1}", .syntax, 2), ("{]", .syntax, 1), ("]", .syntax, 0), ("}", .syntax, 0), (":", .syntax, 0),
            ("'a'", .syntax, 0), ("truex", .syntax, 0), ("[trux]", .syntax, 1), ("tru", .truncated, 0),
            ("{", .truncated, 1), (#"{"a":1"#, .truncated, 6), ("[1", .truncated, 2), ("[[1]", .truncated, 4),
            (#"{"a":{"b":1}"#, .truncated, 12), (#""abc"#, .truncated, 4), (#"{"a":"b}"#, .truncated, 8),
            ("{} x", .trailing, 3), ("{}{}", .trailing, 2), ("[] ]", .trailing, 3), ("1 2", .trailing, 2),
            (#""a" "b""#, .trailing, 4), (#"{"a":1} }"#, .trailing, 8),
            ("01", .badNumber, 1), ("[1.]", .badNumber, 3), ("[.5]", .syntax, 1), ("[+1]", .syntax, 1),
            ("[1e]", .badNumber, 3), ("[1e+]", .badNumber, 4), ("[0x10]", .badNumber, 2), ("[1_0]", .badNumber, 2),
            ("[--1]", .badNumber, 2), ("1.", .truncated, 2), ("-", .truncated, 1), ("[1a]", .badNumber, 2),
            (#"["\x"]"#, .badEscape, 2), (#"["\u12"]"#, .badEscape, 2), (#"["\uD800"]"#, .badEscape, 2),
            (#"["a\uDC00"]"#, .badEscape, 3), (#"["\uD800\u0041"]"#, .badEscape, 2),
            ("[\"a\nb\"]", .controlCharacter, 3), ("[\"\u{0}\"]", .controlCharacter, 2), ("[1\u{0}]", .badNumber, 2),
        ] as [(String, JSONError.Kind, Int)])
    func `a malformed document is refused with its kind and byte`(text: String, kind: JSONError.Kind, offset: Int) {
        #expect(Self.error(text) == JSONError(kind: kind, offset: offset), "\(text)")
    }

    @Test(
        arguments: [
            ("[\"\u{7F}\"]", [0x5B, 0x22, 0xFF, 0x22, 0x5D], 2), ("overlong", [0x22, 0xC0, 0x80, 0x22], 1),
            ("surrogate", [0x22, 0xED, 0xA0, 0x80, 0x22], 1), ("cut", [0x22, 0xE2, 0x82, 0x22], 1),
            ("outside a string", [0x5B, 0x31, 0x2C, 0x80, 0x5D], 3),
            ("too high", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1),
        ] as [(String, [UInt8], Int)])
    func `a text that is not UTF-8 is refused at the byte`(name: String, bytes: [UInt8], offset: Int) {
        #expect(throws: JSONError(kind: .invalidUTF8, offset: offset)) { try JSONDocument(bytes: bytes) }
    }

    @Test func `every limit holds at its edge`() {
        let small = JSONLimits(bytes: 20, depth: 2, tokens: 4, numberLength: 5)
        #expect(Self.error("[[12345],1]", small) == nil)
        #expect(Self.error("[[[1]]]", small) == JSONError(kind: .tooDeep(maximumDepth: 2), offset: 2))
        #expect(Self.error("[1,2,3,4]", small) == JSONError(kind: .tooManyTokens(maximum: 4), offset: 7))
        #expect(Self.error("[123456]", small) == JSONError(kind: .numberTooLong(maximumLength: 5), offset: 1))
        #expect(Self.error("                     ", small) == JSONError(kind: .tooLarge(maximumBytes: 20), offset: 20))
        #expect(Self.error(String(repeating: "[", count: 100_000)) != nil)
        let deep = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        #expect(Self.error(deep)?.kind == .tooDeep(maximumDepth: 32))
    }

    @Test func `an error is a sentence with its place`() {
        let text = JSONError(kind: .tooDeep(maximumDepth: 32), offset: 70).description
        #expect(text == "The JSON text nests deeper than 32 levels, at byte 70.")
    }

    @Test func `members are found and of duplicates the last wins`() throws {
        let root = try Self.root(#" {"a":1,"b":{"a":9,"x":[1,{"a":2}]},"a":2,"":3,"\u0061b":4} "#)
        #expect(root["a"]?.integer == 2)
        #expect(root["b"]?["a"]?.integer == 9)
        #expect(root[""]?.integer == 3)
        #expect(root["ab"]?.integer == 4)
        #expect(root["nothing"] == nil)
        #expect(root["a"]?["b"] == nil)
        #expect(root.member("b")?.kind == .object)
        #expect(root.members.map { $0.key.string() } == ["a", "b", "a", "", "ab"])
        #expect(root["b"]?["x"]?.elements.map(\.kind) == [.number, .object])
        #expect(root.elements.first { _ in true } == nil)
        #expect(root["b"].map { String(decoding: $0.text, as: UTF8.self) } == #"{"a":9,"x":[1,{"a":2}]}"#)
    }

    @Test func `any value may be the root`() throws {
        #expect(try Self.root(" -12.50e1 ").integer == -125)
        #expect(try Self.root("\"a\"").string() == "a")
        #expect(try Self.root("true").bool == true)
        #expect(try Self.root("false ").bool == false)
        #expect(try Self.root("null").isNull)
        #expect(Array(try Self.root("[]").elements.map(\.kind)).isEmpty)
        #expect(Array(try Self.root("{}").members.map(\.value.kind)).isEmpty)
    }

    @Test func `escapes are resolved`() throws {
        let root = try Self.root(#"["\"\\\/\b\f\n\r\t", "\u0000", "\u00e9\u20AC\uD83D\ude00", "é€😀", ""]"#)
        let strings = root.elements.map { $0.string() }
        #expect(strings == ["\"\\/\u{8}\u{C}\n\r\t", "\0", "é€😀", "é€😀", ""])
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("0e99", 0), ("0.000", 0), ("1e3", 1000), ("1.50e1", 15), ("1.5", nil), ("5000e-3", 5),
            ("5001e-3", nil), ("100.000", 100), ("9223372036854775807", .max), ("9223372036854775808", nil),
            ("-9223372036854775808", .min), ("-9223372036854775809", nil), ("1e18", 1_000_000_000_000_000_000),
            ("1e19", nil), ("1e99999999999999999999", nil), ("1e-99999999999999999999", nil),
            ("0.00000000000000000001e20", 1), ("10000000000000000000000000000e-28", 1), ("18446744073709551616", nil),
            ("9.223372036854775807e18", .max), ("1E+2", 100),
        ] as [(String, Int64?)])
    func `an integer is exact or nothing`(text: String, value: Int64?) throws {
        #expect(try Self.root(text).integer == value)
    }

    @Test func `number text is what was written`() throws {
        let text = "[12345678901234567890.123456789012345678901234567890e-7]"
        let number = try #require(Self.root(text).elements.first { _ in true })
        let written = try #require(number.numberText)
        #expect("[\(String(decoding: written, as: UTF8.self))]" == text)
    }

    @Test func `a document's value may be kept`() throws {
        var kept: JSONValue?
        do { kept = try Self.root(#"{"a":["x"]}"#)["a"] }
        _ = try Self.root(#"{"other":1}"#)
        #expect(kept?.elements.first { _ in true }?.string() == "x")
    }

    @Test func `a scanner takes documents one after another, bad ones between`() throws {
        let scanner = JSONScanner()
        for round in 0..<300 {
            let text = round % 3 == 2 ? #"{"n":"# : #"{"pad":"\#(String(repeating: "x", count: round))","n":\#(round)}"#
            let bytes = Array(text.utf8)
            let value = try? bytes.withUnsafeBytes { raw in try scanner.scan(raw) { $0["n"]?.integer } }
            #expect(value == (round % 3 == 2 ? nil : Int64(round)))
        }
    }

    @Test func `the body's own error comes through, and the scanner goes on`() throws {
        enum Refusal: Error, Equatable { case malformed(JSONError.Kind), mine }
        let scanner = JSONScanner()
        func refuse(_ text: String) throws(Refusal) {
            try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(Refusal) in
                let raw = UnsafeRawBufferPointer(bytes)
                return try scanner.scan(raw, malformed: { .malformed($0.kind) }) { (_) throws(Refusal) in throw .mine }
            }
        }
        #expect(throws: Refusal.mine) { try refuse("{}") }
        #expect(throws: Refusal.malformed(.truncated)) { try refuse("{") }
        #expect(throws: Refusal.mine) { try refuse("{}") }
    }

    @Test func `a value that is used after its scan traps`() async {
        await #expect(processExitsWith: .failure) {
            let scanner = JSONScanner()
            let kept = try [UInt8]("{}".utf8).withUnsafeBytes { raw in try scanner.scan(raw) { $0 } }
            _ = kept.kind
        }
    }
}
