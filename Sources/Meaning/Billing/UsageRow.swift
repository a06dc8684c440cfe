import Metering
import Timekeeping

/// Energy and cost of one channel of one device in one period; what `usage` prints. Energies in mWh, nil: not known.
public struct UsageRow: Hashable, Sendable {
    /// `HomeBalance.home` and `.unmetered` stand for the home's lines.
    public var device: DeviceID
    /// A device's name, `home` or `unmetered`.
    public var name: String
    public var channel: Channel
    public var from: Timestamp
    public var to: Timestamp
    /// Seconds east of UTC at `from` and at `to`, for printing.
    public var fromOffset: Int
    public var toOffset: Int
    public var imported: Int64?
    public var exported: Int64?
    public var produced: Int64?
    public var charged: Int64?
    public var discharged: Int64?
    /// Sum of the slots' costs, not rounded; nil when nothing could be priced or the currency changed within.
    public var cost: Decimal?
    public var currency: Currency?
    /// The part of the energies that was spread over gaps.
    public var estimated: Int64
    /// ms measured, and only filled, of the whole period: also of what has not come yet.
    public var measuredTime: Int64
    public var filledTime: Int64
    /// Nil where no power was read, or nobody looked.
    public var power: PowerRange?

    /// A row of the same channel in a period in which nothing was measured.
    public func missing(in period: Period, zone: Zone) -> UsageRow {
        UsageRow(
            device: device, name: name, channel: channel, from: period.from, to: period.to,
            fromOffset: zone.offset(at: period.from), toOffset: zone.offset(at: period.to), estimated: 0,
            measuredTime: 0, filledTime: 0)
    }

    public var span: Int64 { to - from }
    public var quality: Quality { Quality(measured: measuredTime, filled: filledTime, of: span) }

    /// The measured share with one to four decimals, rounded down: `1.0` only when nothing is missing.
    public var coverageText: String { UsageRow.share(measuredTime, of: span) }

    /// `time` of `span` in the same form.
    public static func share(_ time: Int64, of span: Int64) -> String {
        guard span > 0 else { return "0.0" }
        let share = min(max(time, 0), span) * 10_000 / span
        let digits = String(share % 10_000 + 10_000).dropFirst()
        var text = "\(share / 10_000).\(digits)"
        while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
        return text
    }
}
