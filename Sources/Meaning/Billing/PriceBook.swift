import Metering
import Timekeeping

/// The prices of every list, slot by slot: what the records `prices` of a log amount to.
public struct PriceBook: Sendable {
    /// The prices of one UTC day; `none` where there is no price. 776 bytes a day and list, 283 KB a year.
    private struct Day {
        var prices = [Int64](repeating: PriceBook.none, count: PriceBook.slotsPerDay)
    }

    private struct List {
        var currency: Currency
        var days: [Int64: Day] = [:]
    }

    private static let none = Int64.min
    private static let slotsPerDay = Int(Span.day / Slot.length)
    /// Lists that a home may have, so that a log cannot fill the memory; what is beyond is counted.
    public static let maximumLists = 64
    /// Days of all lists: forty years of four of them.
    public static let maximumDays = 64_000

    private var lists: [String: List] = [:]
    private var dayCount = 0
    /// Runs that were left out because there were too many.
    public private(set) var refused: UInt64 = 0

    public init() {}

    public var names: [String] { lists.keys.sorted() }
    public var isEmpty: Bool { lists.isEmpty }

    /// Takes a run in; what it says replaces what was said before. A list that changes its currency starts over.
    public mutating func take(_ run: PriceRun) {
        guard lists[run.list] != nil || lists.count < PriceBook.maximumLists else {
            refused += 1
            return
        }
        var list = lists.removeValue(forKey: run.list) ?? List(currency: run.currency)
        if list.currency != run.currency {
            dayCount -= list.days.count
            list = List(currency: run.currency)
        }
        var slot = run.first
        for price in run.prices {
            for _ in 0..<run.slotsPerPrice {
                let (day, place) = PriceBook.place(of: slot)
                if list.days[day] == nil {
                    guard dayCount < PriceBook.maximumDays else {
                        refused += 1
                        lists[run.list] = list
                        return
                    }
                    dayCount += 1
                }
                list.days[day, default: Day()].prices[place] = price
                slot = slot.next
            }
        }
        lists[run.list] = list
    }

    /// Per kWh; nil where the list has none.
    public func price(_ list: String, at slot: Slot) -> Decimal? {
        nano(list, at: slot).map { Decimal(nano: $0) }
    }

    /// In 10⁻⁹ per kWh.
    public func nano(_ list: String, at slot: Slot) -> Int64? {
        let (day, place) = PriceBook.place(of: slot)
        guard let price = lists[list]?.days[day]?.prices[place], price != PriceBook.none else { return nil }
        return price
    }

    public func currency(of list: String) -> Currency? { lists[list]?.currency }

    /// The first slot with a price and the one after the last; nil when there is none.
    public func bounds(of list: String) -> (from: Slot, to: Slot)? {
        guard let days = lists[list]?.days, let first = days.keys.min(), let last = days.keys.max(),
            let low = days[first]?.prices.firstIndex(where: { $0 != PriceBook.none }),
            let high = days[last]?.prices.lastIndex(where: { $0 != PriceBook.none })
        else { return nil }
        let width = Int64(PriceBook.slotsPerDay)
        return (Slot(index: first * width + Int64(low)), Slot(index: last * width + Int64(high) + 1))
    }

    /// The parts of `run` that say something new, so that a list that is fetched again every hour writes nothing again.
    public func news(in run: PriceRun) -> [PriceRun] {
        guard currency(of: run.list) == run.currency || currency(of: run.list) == nil else { return [run] }
        var news: [PriceRun] = []
        var slot = run.first
        for price in run.prices {
            let end = Slot(index: slot.index + Int64(run.slotsPerPrice))
            let isKnown = (slot.index..<end.index).allSatisfy { nano(run.list, at: Slot(index: $0)) == price }
            if !isKnown {
                if let last = news.last, last.end == slot {
                    news[news.count - 1].prices.append(price)
                } else {
                    var part = run
                    part.first = slot
                    part.prices = [price]
                    news.append(part)
                }
            }
            slot = end
        }
        return news
    }

    private static func place(of slot: Slot) -> (day: Int64, place: Int) {
        let (day, rest) = slot.index.quotientAndRemainder(dividingBy: Int64(slotsPerDay))
        return rest < 0 ? (day - 1, Int(rest) + slotsPerDay) : (day, Int(rest))
    }
}
