import Metering
import TOML

extension RegisterMap {
    static let testKeys = ["function", "address", "words", "context", "ct", "pt"]

    static func testInput(_ table: ProfileTable) -> ProfileTest.Input? {
        guard let answer = answer(table) else { return nil }
        var context = RegisterContext()
        context.currentRatio = ratio(table, "ct")
        context.voltageRatio = ratio(table, "pt")
        for table in table.tables("context", keys: ["function", "address", "words"], maximum: 16) {
            guard let known = RegisterMap.answer(table) else { return nil }
            context.note(known)
        }
        return .words(
            function: answer.function, address: answer.address, words: answer.words, context: context)
    }

    private static func ratio(_ table: ProfileTable, _ key: String) -> Scale? {
        guard let scale = table.scale(key) else { return nil }
        if scale.numerator <= 0 { table.report(key, "must be above 0") }
        return scale
    }

    private static func answer(_ table: ProfileTable) -> RegisterContext.Answer? {
        let function = table.required("function", table.integer("function", in: 3...4))
        let address = table.required("address", table.integer("address", in: 0...0xFFFF))
        let text = table.required("words", table.string("words", maximum: 4096))
        guard let function, let address, let text else { return nil }
        var words: [UInt16] = []
        for part in text.split(whereSeparator: \.isWhitespace) {
            guard part.utf8.count == 4, let word = UInt16(part, radix: 16) else {
                table.report("words", "`\(part)` is no word of four hexadecimal digits")
                return nil
            }
            words.append(word)
        }
        guard (1...RegisterBlock.maximumCount).contains(words.count) else {
            table.report("words", "must be 1 to \(RegisterBlock.maximumCount) words")
            return nil
        }
        return .init(function: UInt8(function), address: UInt16(address), words: words)
    }
}
