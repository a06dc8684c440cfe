import JSONScanner
import Metering
import Timekeeping

/// How values are shown to people; nothing is computed here that is not in the answer.
enum Display {
    /// Wh as kWh with three decimals, cut from the exact text.
    static func kilowattHours(_ value: JSONValue?) -> String {
        guard let value, !value.isNull, let number = value.numberText.flatMap({ DecimalText($0) }),
            let milliwattHours = Thousandths.from(number)
        else { return "-" }
        // To the nearest Wh: three decimals of a kWh.
        let wattHours = Thousandths.divideTiesToEven(Int128(milliwattHours), 1000)
        return fixed(Int64(wattHours))
    }

    /// `1234567` thousandths as `1234.567`.
    static func fixed(_ thousandths: Int64) -> String {
        let sign = thousandths < 0 ? "-" : ""
        let fraction = String(thousandths.magnitude % 1000)
        return sign + "\(thousandths.magnitude / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    static func money(_ value: JSONValue?) -> String {
        guard let text = value?.string(), let amount = Decimal(price: text) else { return "-" }
        return amount.text(places: 4, minimum: 2)
    }

    static func percent(_ value: JSONValue?) -> String {
        guard let value, let number = value.numberText.flatMap({ DecimalText($0) }),
            let thousandths = Thousandths.from(number, scale: Scale(100))
        else { return "-" }
        return "\(Thousandths.divideTiesToEven(Int128(thousandths), 1000)) %"
    }

    /// An RFC 3339 text as a person reads it: the date and the clock, in the zone the answer is in.
    static func time(_ value: JSONValue?, to length: Int = 19) -> String {
        guard let text = value?.string() else { return "-" }
        return String(text.prefix(length)).replacing("T", with: " ")
    }

    /// How long ago, roughly.
    static func age(_ value: JSONValue?, now: Timestamp) -> String {
        guard let text = value?.string(), let time = try? Timestamp(rfc3339: text) else { return "never" }
        let seconds = max(0, (now - time) / 1000)
        switch seconds {
        case ..<90: return "\(seconds) s ago"
        case ..<5400: return "\(seconds / 60) min ago"
        case ..<172_800: return "\(seconds / 3600) h ago"
        default: return "\(seconds / 86_400) d ago"
        }
    }
}
