import JSONScanner
import Metering
import Timekeeping

/// Reads a text of prices, CSV or JSON, into runs of slots. Any bytes are safe to give.
///
/// - CSV: a line of titles, then a line a price; comma, semicolon or tab, and with a semicolon decimal commas too.
/// - JSON: a list of objects, at the top or as a member at any depth; an object with two lists of one length, times and
///   prices; or an object whose keys are times.
///
/// Times are RFC 3339, seconds or milliseconds since 1970, or local times of the home without an offset, in whose
/// repeated hour the order of the lines decides. A price holds until the next one begins, at most for the usual step.
public struct PriceReader {
    public static let maximumBytes = 8 << 20
    /// Ten years of hours.
    public static let maximumPrices = 100_000

    let layout: PriceLayout
    private let zone: Zone

    /// What is usual in the world for the start of a price and for the price.
    static let timeNames = [
        "time", "start", "timestamp", "start_time", "start_timestamp", "startsat", "starts_at", "valid_from", "from",
        "datetime", "date_time", "unix_seconds", "utc_timestamp", "hour", "date",
    ]
    static let priceNames = [
        "price", "marketprice", "market_price", "value", "spot", "spotprice", "spot_price", "price_per_kwh", "rate",
        "value_exc_vat", "value_inc_vat", "total", "nok_per_kwh", "eur_per_kwh", "sek_per_kwh", "dkk_per_kwh",
    ]

    /// `zone`: of times without an offset.
    public init(layout: PriceLayout, zone: Zone) {
        self.layout = layout
        self.zone = zone
    }

    /// The prices of a text, in the order of time; `list` and `currency` are what the runs are called.
    public func runs(_ bytes: [UInt8], list: String, currency: Currency) throws(PriceError) -> [PriceRun] {
        guard bytes.count <= PriceReader.maximumBytes else {
            throw PriceError("the text is longer than \(PriceReader.maximumBytes) bytes")
        }
        guard let first = bytes.first(where: { $0 > 0x20 && $0 < 0x80 }) else {
            throw PriceError("there is nothing in it")
        }
        let points: [Point]
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            points = try json(bytes)
        } else {
            points = try csv(bytes)
        }
        return try PriceReader.runs(of: points, list: list, currency: currency)
    }

    /// A price as it stands in the text.
    struct Point {
        var time: Timestamp
        /// 10⁻⁹ per kWh; nil: the text says that it is not known, so that the one before it ends here.
        var price: Int64?
        /// For messages.
        var place: String
    }

    // MARK: Values

    /// `last`: the time before it in the text.
    func time(_ text: String, after last: Timestamp?) -> Timestamp? {
        let text = text.filter { $0 != "\"" }
        if let time = try? Timestamp(rfc3339: text) { return time }
        if let number = Int64(text) {
            let time =
                (100_000_000..<100_000_000_000).contains(number)
                ? Timestamp(clampingSeconds: number) : Timestamp(milliseconds: number)
            return time.milliseconds >= 100_000_000_000 && Timestamp.validRange.contains(time) ? time : nil
        }
        return localTime(text, after: last)
    }

    /// `2026-10-25 02:15`, with `T` and seconds or without.
    private func localTime(_ text: String, after last: Timestamp?) -> Timestamp? {
        let bytes = Array(text.utf8.prefix(20))
        guard bytes.count == 16 || bytes.count == 19, let date = CivilDate(text.prefix(10)),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == 0x20, bytes[13] == UInt8(ascii: ":")
        else { return nil }
        let clock = text.dropFirst(11).split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard clock.count >= 2, clock.count == 2 || clock[2] == 0 else { return nil }
        switch zone.resolve(date, hour: clock[0], minute: clock[1]) {
        case .unique(let time): return time
        case .ambiguous(let earlier, let later): return last.map { $0 >= earlier } == true ? later : earlier
        // An hour that the clocks skip is one that a list may state all the same; its price is the next one's.
        case .missing, nil: return nil
        }
    }

    func price(_ text: some StringProtocol) -> Int64? {
        guard let number = DecimalText(text) else { return nil }
        let exponent = number.exponent + layout.unit.exponent + 9
        guard exponent <= 18 else { return nil }
        let scaled: Int128
        if exponent >= 0 {
            let (product, overflow) = number.mantissa.multipliedReportingOverflow(by: Thousandths.powersOfTen[exponent])
            if overflow { return nil }
            scaled = product
        } else {
            guard -exponent < Thousandths.powersOfTen.count else { return 0 }
            scaled = Thousandths.divideTiesToEven(number.mantissa, Thousandths.powersOfTen[-exponent])
        }
        return scaled.magnitude <= UInt128(PriceRun.maximumPrice) ? Int64(scaled) : nil
    }

    /// The one of `names` that is meant: what the layout says, else the only usual one.
    func choose(_ what: String, _ wanted: String?, of names: [String], usual: [String]) throws(PriceError) -> Int {
        let folded = names.map { $0.lowercased() }
        let shown = names.prefix(12).joined(separator: ", ")
        if let wanted {
            guard let index = folded.firstIndex(of: wanted.lowercased()) else {
                throw PriceError("there is no \(what) called \(wanted); there are \(shown)")
            }
            return index
        }
        let found = folded.indices.filter { usual.contains(folded[$0]) }
        guard let index = found.first else {
            throw PriceError("which of \(shown) is the \(what)? Say it with \(what) = \"…\"")
        }
        guard found.count == 1 || what == "time" else {
            let several = found.map { names[$0] }.joined(separator: " or ")
            throw PriceError("is \(several) the \(what)? Say it with \(what) = \"…\"")
        }
        return index
    }

    // MARK: Runs

    static func runs(of given: [Point], list: String, currency: Currency) throws(PriceError) -> [PriceRun] {
        let points = given.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
        guard points.contains(where: { $0.price != nil }) else { throw PriceError("there is no price in it") }
        guard points.count <= maximumPrices else { throw PriceError("there are more than \(maximumPrices) prices") }
        for point in points where Slot(containing: point.time).start != point.time {
            throw PriceError("\(point.place): \(point.time.rfc3339()) is no quarter of an hour")
        }
        let steps = zip(points, points.dropFirst()).map { $1.time - $0.time }.filter { $0 > 0 }
        // The last price, and one before a hole, hold as long as the others do.
        let step = min(steps.min() ?? Span.hour, Span.hour)
        var runs: [PriceRun] = []
        for (i, point) in points.enumerated() {
            let next = i + 1 < points.count ? points[i + 1].time : Timestamp.validRange.upperBound
            // Said twice: the later one in the text counts.
            guard next != point.time, let price = point.price else { continue }
            let slots = Int(min(step, next - point.time) / Slot.length)
            let slot = Slot(containing: point.time)
            if let last = runs.last, last.end == slot, last.slotsPerPrice == slots,
                last.prices.count < PriceRun.maximumCount
            {
                runs[runs.count - 1].prices.append(price)
            } else {
                runs.append(
                    PriceRun(list: list, currency: currency, first: slot, slotsPerPrice: slots, prices: [price]))
            }
        }
        return runs
    }
}
