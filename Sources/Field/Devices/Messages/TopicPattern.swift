/// A topic with named parts, such as `tele/{device+}/SENSOR` or `energy/{device}/{channel}/{quantity}`.
///
/// A part is one level: text, `+` (any), `{device}`, `{channel}`, `{quantity}` (a canonical name), `{field}` (looked up
/// in the profile's fields) or `{device+}`, which is one or more levels, since some families let names hold `/`.
/// `#` at the end is any number of levels. At most one part is of varying length, so a topic matches in one way only.
public struct TopicPattern: Hashable, Sendable, CustomStringConvertible {
    enum Level: Hashable, Sendable {
        case text([UInt8])
        case any
        case part(Part)
        case deviceLevels
        case rest
    }

    enum Part: String, Hashable, Sendable, CaseIterable {
        case device, channel, quantity, field
    }

    /// Where the named parts stand in a topic, in bytes.
    struct Match: Hashable {
        var device: Range<Int>?
        var channel: Range<Int>?
        var quantity: Range<Int>?
        var field: Range<Int>?
    }

    public let description: String
    let levels: [Level]

    /// Why a text is no pattern: a sentence for the profile's author.
    struct Problem: Error {
        let reason: String
    }

    /// More levels than any family uses.
    static let maximumLevels = 16
    /// `{device+}` is subscribed with up to this many levels; a match may be longer.
    static let subscribedDeviceLevels = 4

    init(_ text: String) throws(Problem) {
        description = text
        var levels: [Level] = []
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= TopicPattern.maximumLevels else {
            throw Problem(reason: "has more than \(TopicPattern.maximumLevels) levels")
        }
        for (i, part) in parts.enumerated() {
            let level = try TopicPattern.level(String(part) ?? "")
            if level == .rest, i != parts.count - 1 { throw Problem(reason: "has `#` before its last level") }
            if case .part = level, levels.contains(level) { throw Problem(reason: "names `\(part)` twice") }
            levels.append(level)
        }
        guard levels.count(where: { $0 == .rest || $0 == .deviceLevels }) <= 1 else {
            throw Problem(reason: "has more than one part of varying length (`{device+}`, `#`)")
        }
        guard !(levels.contains(.deviceLevels) && levels.contains(.part(.device))) else {
            throw Problem(reason: "names the device twice")
        }
        self.levels = levels
    }

    private static func level(_ text: String) throws(Problem) -> Level {
        switch text {
        case "": throw Problem(reason: "has an empty level")
        case "+": return .any
        case "#": return .rest
        case "{device+}": return .deviceLevels
        default: break
        }
        if text.hasPrefix("{"), text.hasSuffix("}"), let part = Part(rawValue: String(text.dropFirst().dropLast())) {
            return .part(part)
        }
        guard !text.contains(where: { "{}+#".contains($0) }) else {
            throw Problem(
                reason: "has the level `\(text)`; a level is text, +, #, {device}, {device+}, {channel}, {quantity} "
                    + "or {field}"
            )
        }
        return .text(Array(text.utf8))
    }

    /// How many levels a topic may have that it matches.
    var levelCounts: ClosedRange<Int> {
        if levels.contains(.rest) { return levels.count - 1...Int.max }
        return levels.contains(.deviceLevels) ? levels.count...Int.max : levels.count...levels.count
    }

    /// Whether the first level is a word: a topic that it matches is meant.
    var beginsWithText: Bool {
        if case .text = levels.first { return true }
        return false
    }

    func has(_ part: Part) -> Bool {
        levels.contains(.part(part)) || (part == .device && levels.contains(.deviceLevels))
    }

    /// `roof/dtu/{device}/+` of `{base}/{device}/+`; nil when the text needs a base and there is none.
    static func text(_ text: String, base: String?) -> String? {
        guard text.hasPrefix("{base}") else { return text }
        return base.map { $0 + text.dropFirst("{base}".count) }
    }

    /// A Tasmota FullTopic with its placeholders replaced: of `%prefix%/%topic%/` and `tele` it is `tele/{device+}/`,
    /// with `end` behind it.
    static func text(fullTopic: String, prefix: String, end: String) -> String {
        let slash = fullTopic.hasSuffix("/") ? "" : "/"
        return fullTopic.replacing("%prefix%", with: prefix).replacing("%topic%", with: "{device+}") + slash + end
    }

    /// The MQTT filters that together cover the pattern.
    public var subscriptions: [String] {
        guard levels.contains(.deviceLevels) else { return [filter(deviceLevels: 1)] }
        return (1...TopicPattern.subscribedDeviceLevels).map(filter)
    }

    private func filter(deviceLevels: Int) -> String {
        let words = levels.flatMap { level -> [String] in
            switch level {
            case .text(let bytes): [String(decoding: bytes, as: UTF8.self)]
            case .any, .part: ["+"]
            case .rest: ["#"]
            case .deviceLevels: Array(repeating: "+", count: deviceLevels)
            }
        }
        return words.joined(separator: "/")
    }

    /// `ends` are the ends of the topic's levels, in bytes.
    func match(_ topic: UnsafeRawBufferPointer, levelEnds ends: [Int]) -> Match? {
        let varying = levels.firstIndex { $0 == .deviceLevels || $0 == .rest }
        let fixed = varying == nil ? levels.count : levels.count - 1
        let spare = ends.count - fixed
        guard varying == nil ? spare == 0 : spare >= (levels[varying!] == .rest ? 0 : 1) else { return nil }
        var match = Match()
        var at = 0
        for level in levels {
            switch level {
            case .rest:
                return match
            case .deviceLevels:
                match.device = start(of: at, ends)..<ends[at + spare - 1]
                at += spare
            default:
                guard take(level, topic, start(of: at, ends)..<ends[at], into: &match) else { return nil }
                at += 1
            }
        }
        return match
    }

    private func start(of level: Int, _ ends: [Int]) -> Int {
        level == 0 ? 0 : ends[level - 1] + 1
    }

    private func take(
        _ level: Level, _ topic: UnsafeRawBufferPointer, _ range: Range<Int>, into match: inout Match
    ) -> Bool {
        switch level {
        case .text(let bytes): return topic[range].elementsEqual(bytes)
        case .part(.device): match.device = range
        case .part(.channel): match.channel = range
        case .part(.quantity): match.quantity = range
        case .part(.field): match.field = range
        case .any, .deviceLevels, .rest: return true
        }
        return !range.isEmpty
    }
}
