import JSONScanner
import Metering
import Timekeeping

/// Reads the times that devices write, and decides which to believe.
enum TimeText {
    enum Result: Hashable {
        case instant(Timestamp)
        /// A local time without an offset names no instant.
        case local
        case unreadable
    }

    /// A time of a payload: text, or a number since 1970.
    static func read(_ value: JSONValue) -> Result {
        switch value.kind {
        case .string: read(value.text)
        case .number: value.numberText.flatMap { DecimalText($0) }.map { read(epoch: $0) } ?? .unreadable
        default: .unreadable
        }
    }

    /// RFC 3339, such as `2024-05-11T08:20:00+02:00`; local times are `2024-05-11T08:20:00` and `2018.02.04 23:17:01`.
    /// A Dutch meter's `240511084000S` is local with its offset: summer or winter. Digits alone are as a number.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Result {
        let text = trimmed(bytes)
        if isLocal(text) { return .local }
        if text.count == 13, let instant = meterTime(text) { return .instant(instant) }
        if (9...17).contains(text.count), text.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E }) {
            return DecimalText(text).map { read(epoch: $0) } ?? .unreadable
        }
        do throws(RFC3339Error) { return .instant(try Timestamp(rfc3339: text)) } catch { return .unreadable }
    }

    /// Seconds (10⁹…10¹¹), milliseconds (10¹²…10¹⁴) or microseconds (10¹⁵…10¹⁷) since 1970, told by magnitude.
    /// A number below is time since boot, or a clock that was never set: an instant long past.
    static func read(epoch decimal: DecimalText) -> Result {
        guard let thousandths = Thousandths.from(decimal) else { return .unreadable }
        let whole = thousandths / 1000
        switch whole {
        case 0..<1_000_000_000_000: return .instant(Timestamp(milliseconds: thousandths))
        case 1_000_000_000_000..<100_000_000_000_000: return .instant(Timestamp(milliseconds: whole))
        case 1_000_000_000_000_000..<9_000_000_000_000_000: return .instant(Timestamp(milliseconds: whole / 1000))
        default: return .unreadable
        }
    }

    /// `YYMMDDhhmmss` and `S` for UTC+2 or `W` for UTC+1 (DSMR 4 and later).
    private static func meterTime(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        let hours: Int64
        switch text[12] {
        case UInt8(ascii: "S"): hours = 2
        case UInt8(ascii: "W"): hours = 1
        default: return nil
        }
        var parts = (0..<6).map { 10 * Int(text[2 * $0] &- 0x30) + Int(text[2 * $0 + 1] &- 0x30) }
        parts[0] += 2000
        guard text[..<12].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return instant(parts).map { Timestamp(milliseconds: $0.milliseconds - hours * Span.hour) }
    }

    /// The instant in UTC of year, month, day, hour, minute and second.
    private static func instant(_ parts: [Int]) -> Timestamp? {
        guard parts[3] < 24, parts[4] < 60, parts[5] < 60,
            let date = CivilDate(year: parts[0], month: parts[1], day: parts[2])
        else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + Int64(parts[3] * 3600 + parts[4] * 60 + parts[5])
        return Timestamp(milliseconds: seconds * 1000)
    }

    /// A local time of a device whose zone is known. The hour that comes twice is told by the receive time, if that is
    /// near; a time that does not exist, and one without a zone, are not believed.
    static func believed(_ bytes: UnsafeRawBufferPointer, zone: Zone?, received: Timestamp) -> SampleTime {
        let text = trimmed(bytes)
        guard let zone, text.count >= 19 else { return .none }
        func number(_ at: Int, _ count: Int) -> Int { text[at..<at + count].reduce(0) { $0 * 10 + Int($1 &- 0x30) } }
        let parts = [number(0, 4), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2)]
        guard let date = CivilDate(year: parts[0], month: parts[1], day: parts[2]), instant(parts) != nil
        else { return .none }
        switch zone.resolve(date, hour: parts[3], minute: parts[4], second: parts[5]) {
        case .unique(let instant): return trust(instant, received: received)
        case nil, .missing: return .none
        case .ambiguous(let earlier, let later):
            let near = [earlier, later].filter { abs($0.milliseconds - received.milliseconds) <= 30 * Span.minute }
            return near.count == 1 ? trust(near[0], received: received) : .none
        }
    }

    /// Before 2015 a clock was not set; more than five minutes ahead it runs wrong.
    static func trust(_ instant: Timestamp, received: Timestamp) -> SampleTime {
        instant < earliest || instant > received + 5 * Span.minute ? .untrusted : .utc(instant)
    }

    private static let earliest = Timestamp(seconds: 1_420_070_400)

    /// Digits where a date and a time have them, perhaps a fraction, and no offset.
    private static func isLocal(_ text: UnsafeRawBufferPointer) -> Bool {
        guard (19...29).contains(text.count) else { return false }
        for (i, byte) in text.enumerated() {
            switch i {
            case 4, 7:
                guard byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else { return false }
            case 10:
                guard byte | 0x20 == UInt8(ascii: "t") || byte == UInt8(ascii: " ") else { return false }
            case 13, 16:
                guard byte == UInt8(ascii: ":") else { return false }
            case 19:
                guard byte == UInt8(ascii: ".") else { return false }
            default:
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return false }
            }
        }
        return true
    }
}
