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

    /// RFC 3339, such as `2024-05-11T08:20:00+02:00`; local times are `2024-05-11T08:20:00` and `2018.02.04 23:17:01`.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Result {
        let text = trimmed(bytes)
        if isLocal(text) { return .local }
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
