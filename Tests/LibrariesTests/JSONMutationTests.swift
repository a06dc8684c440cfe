import Foundation
import JSONScanner
import Simulation
import Testing

/// Same documents, same verdict and same values as Foundation's parser, on documents that were damaged at random.
@Suite struct JSONMutationTests {
    static let sensor =
        #"{"Time":"2026-03-29T00:59:50","ENERGY":{"Total":1234.567,"Power":[12,-3],"Ok":true,"#
        + #""Factor":0.98,"Note":"a\"\u00e9\n"},"TempUnit":null}"#

    @Test func `damaged sensor documents never crash and agree with Foundation`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let scanner = JSONScanner()
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.damaged(Array(Self.sensor.utf8), by: &random)
            let ours = try? bytes.withUnsafeBytes { raw in try scanner.scan(raw) { Self.tree($0) } }
            guard !Self.isIncomparable(bytes) else { continue }
            let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            accepted += ours == nil ? 0 : 1
            let text = String(decoding: bytes, as: UTF8.self)
            if let ours {
                let theirs = try #require(theirs as? NSObject, "seed \(seed): only we accept \(text)")
                #expect(ours == theirs, "seed \(seed): \(text)")
            } else if theirs != nil {
                // Foundation is laxer in these only.
                #expect(Self.isLaxity(bytes), "seed \(seed): we refuse \(text)")
            }
        }
        #expect(accepted > 1_000 && accepted < 19_000, "seed \(seed): \(accepted) accepted shows nothing")
    }

    static func damaged(_ bytes: [UInt8], by random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            let marks = Array(#"{}[]",:\0123eE+-. tfnu/"#.utf8)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.remove(at: at)
            case 1: bytes.insert(marks.randomElement(using: &random)!, at: at)
            case 2: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 3: bytes[at] = marks.randomElement(using: &random)!
            case 4: bytes = Array(bytes[..<at])
            default:
                let end = min(at + Int.random(in: 1...8, using: &random), bytes.count)
                bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    static func tree(_ value: JSONValue) -> NSObject {
        switch value.kind {
        case .object:
            return Dictionary(value.members.map { ($0.key.string()!, tree($0.value)) }, uniquingKeysWith: { $1 })
                as NSDictionary
        case .array: return value.elements.map(tree) as NSArray
        case .string: return value.string()! as NSString
        case .boolean: return value.bool! as NSNumber
        case .null: return NSNull()
        case .number:
            if let whole = value.integer { return whole as NSNumber }
            return NSNumber(value: Double(String(decoding: value.numberText!, as: UTF8.self))!)
        }
    }

    /// Foundation keeps the first of two members of one name, we the last; and it refuses a number beyond `Double`,
    /// which we hand on as text: nothing to compare.
    static func isIncomparable(_ bytes: [UInt8]) -> Bool {
        guard let root = try? JSONDocument(bytes: bytes).root else { return false }
        func search(_ value: JSONValue) -> Bool {
            let keys = value.members.map { $0.key.string()! }
            let number = value.numberText.flatMap { Double(String(decoding: $0, as: UTF8.self)) } ?? 0
            return Set(keys).count < keys.count || number.isInfinite
                || value.members.contains { search($0.value) } || value.elements.contains { search($0) }
        }
        return search(root)
    }

    /// A byte order mark, an encoding other than UTF-8 that Foundation guesses from NUL bytes, a comma at the end.
    static func isLaxity(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return bytes.starts(with: [0xEF, 0xBB, 0xBF]) || bytes.prefix(4).contains(0)
            || text.range(of: #",\s*[\]}]"#, options: .regularExpression) != nil
    }
}
