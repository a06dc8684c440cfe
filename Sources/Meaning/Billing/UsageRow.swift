import Metering
import Timekeeping

/// Energy and cost of one channel of one device in one period; what `usage` prints. Energies in mWh, nil: not known.
package struct UsageRow: Hashable, Sendable {
    /// `HomeBalance.home` and `.unmetered` stand for the home's lines.
    package var device: DeviceID
    /// A device's name, `home` or `unmetered`.
    package var name: String
    package var channel: Channel
    package var from: Timestamp
    package var to: Timestamp
    /// Seconds east of UTC at `from` and at `to`, for printing.
    package var fromOffset: Int
    package var toOffset: Int
    package var imported: Int64?
    package var exported: Int64?
    package var produced: Int64?
    package var charged: Int64?
    package var discharged: Int64?
    /// Sum of the slots' costs, not rounded; nil when nothing could be priced or the currency changed within.
    package var cost: Decimal?
    package var currency: Currency?
    /// The part of the energies that was spread over gaps.
    package var estimated: Int64
    /// ms measured, and only filled, of the whole period: also of what has not come yet.
    package var measuredTime: Int64
    package var filledTime: Int64
    /// Nil where no power was read, or nobody looked.
    package var power: PowerRange?

    /// A row of the same channel in a period in which nothing was measured.
    package func missing(in period: Period, zone: Zone) -> UsageRow {
        UsageRow(
            device: device, name: name, channel: channel, from: period.from, to: period.to,
            fromOffset: zone.offset(at: period.from), toOffset: zone.offset(at: period.to), estimated: 0,
            measuredTime: 0, filledTime: 0)
    }

    package var span: Int64 { to - from }
    package var quality: Quality { Quality(measured: measuredTime, filled: filledTime, of: span) }

    /// The measured share with one to four decimals, rounded down: `1.0` only when nothing is missing.
    package var coverageText: String { UsageRow.share(measuredTime, of: span) }

    /// `time` of `span` in the same form.
    package static func share(_ time: Int64, of span: Int64) -> String {
        guard span > 0 else { return "0.0" }
        let share = min(max(time, 0), span) * 10_000 / span
        let digits = String(share % 10_000 + 10_000).dropFirst()
        var text = "\(share / 10_000).\(digits)"
        while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
        return text
    }
}
