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

    /// With three decimals, so that the columns of points stand under each other.
    static func thousandths(_ value: JSONValue?) -> String {
        guard let value, let number = value.numberText.flatMap({ DecimalText($0) }),
            let thousandths = Thousandths.from(number)
        else { return "-" }
        return fixed(thousandths)
    }

    /// Whole watts.
    static func watts(_ value: JSONValue?) -> String {
        guard let value, let number = value.numberText.flatMap({ DecimalText($0) }),
            let milliwatts = Thousandths.from(number)
        else { return "-" }
        return String(Thousandths.divideTiesToEven(Int128(milliwatts), 1000))
    }

    /// With four decimals, so that the columns of points stand under each other.
    static func money(_ value: JSONValue?) -> String {
        guard let text = value?.string(), let amount = Decimal(price: text) else { return "-" }
        return amount.text(places: 4, minimum: 4)
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

    /// The clock of UTC to the millisecond, always of the same length: `2026-11-21 09:00:00.250`.
    static func milliseconds(_ value: JSONValue?) -> String {
        guard let text = value?.string(), let time = try? Timestamp(rfc3339: text) else { return "-" }
        let fraction = String(time.milliseconds - time.secondsFloor * 1000)
        return Timestamp(clampingSeconds: time.secondsFloor).rfc3339().prefix(19).replacing("T", with: " ") + "."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    /// How long ago, roughly.
    static func age(_ value: JSONValue?, now: Timestamp) -> String {
        guard let text = value?.string(), let time = try? Timestamp(rfc3339: text) else { return "never" }
        return span(now - time) + " ago"
    }

    /// Milliseconds as a person says them.
    static func span(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds / 1000)
        switch seconds {
        case ..<90: return "\(seconds) s"
        case ..<5400: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) d"
        }
    }

    /// Where a device is heard, bindings that differ in one part put together: `mqtt:{energy,tasmota}:washer`.
    static func bindings(_ value: JSONValue?) -> String {
        var groups: [(transport: String, profiles: [String], rest: String)] = []
        for address in value.map({ Array($0.elements) })?.compactMap({ $0.string() }) ?? [] {
            let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, parts[0] == "mqtt" else {
                groups.append((address, [], ""))
                continue
            }
            if let i = groups.firstIndex(where: { $0.transport == parts[0] && $0.rest == parts[2] }) {
                groups[i].profiles.append(parts[1])
            } else {
                groups.append((parts[0], [parts[1]], parts[2]))
            }
        }
        let texts = groups.map { group in
            switch group.profiles.count {
            case 0: group.transport
            case 1: "\(group.transport):\(group.profiles[0]):\(group.rest)"
            default: "\(group.transport):{\(group.profiles.joined(separator: ","))}:\(group.rest)"
            }
        }
        return texts.isEmpty ? "-" : texts.joined(separator: " ")
    }
}
