import Metering

/// How far a home supplies itself, from the energies of any span; shares in ten-thousandths, rounded to the nearest,
/// ties to even.
///
/// What the home used is `imported + produced + discharged − charged − exported`. Of what its roof yielded, all that
/// was not exported was used at home or stored; of what it used, all that was not imported was its own. Both lie
/// between 0 and 1 also where a battery was charged from the grid.
public struct SelfSupply: Hashable, Sendable {
    /// Share of the production that was not exported; nil without production.
    public var selfConsumption: Int64?
    /// Share of the use that was not imported; nil where nothing was used.
    public var autarky: Int64?

    /// Ten-thousandths.
    private static let whole: Int128 = 10_000

    /// mWh; `imported` and `produced` must be known, nothing else can be said without them.
    public init?(
        imported: Int64?, exported: Int64?, produced: Int64?, charged: Int64? = nil, discharged: Int64? = nil
    ) {
        guard let imported, let produced, imported >= 0, produced >= 0 else { return nil }
        let exported = max(0, exported ?? 0)
        let used =
            Int128(imported) + Int128(produced) + Int128(discharged ?? 0) - Int128(charged ?? 0) - Int128(exported)
        selfConsumption = SelfSupply.share(Int128(produced) - Int128(exported), of: Int128(produced))
        autarky = SelfSupply.share(used - Int128(imported), of: used)
    }

    private static func share(_ part: Int128, of all: Int128) -> Int64? {
        guard all > 0 else { return nil }
        return Int64(Thousandths.divideTiesToEven(max(0, min(part, all)) * whole, all))
    }

    /// `0.7312`, `1.0`: one to four decimals.
    public static func text(_ share: Int64) -> String {
        let digits = String(share % 10_000 + 10_000).dropFirst()
        var text = "\(share / 10_000).\(digits)"
        while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
        return text
    }
}
