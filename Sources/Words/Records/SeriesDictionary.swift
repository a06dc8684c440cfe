import Metering

/// Both directions between series and their numbers in one gateway's log.
public struct SeriesDictionary: Sendable {
    private var table = SeriesTable()
    private var next: UInt32 = 0
    /// Numbers in use.
    public private(set) var count = 0

    /// No gateway has more series than this; a device that invents names is refused, not the gateway brought down.
    public static let maximumCount = 65_536

    /// No series yet.
    public init() {}

    /// The number that the next new series gets.
    public var nextNumber: SeriesNumber { SeriesNumber(next) }

    /// The number after the highest that has a series.
    public var highest: UInt32 { UInt32(table.end) }

    /// Leaves out the numbers below `number` that have no series: a damaged log may still mean something by them.
    public mutating func skip(to number: SeriesNumber) {
        next = max(next, number.value)
    }

    /// The series of a number, if it was declared.
    public subscript(number: SeriesNumber) -> SeriesKey? { table[Int(number.value)] }
    /// The number of a series, if it has one.
    public subscript(key: SeriesKey) -> SeriesNumber? {
        table.number(of: key).map { SeriesNumber(UInt32($0)) }
    }

    /// The number of `key`, given now if it has none; nil when the dictionary is full.
    public mutating func number(for key: SeriesKey) -> SeriesNumber? {
        if let known = self[key] { return known }
        guard next < SeriesDictionary.maximumCount else { return nil }
        let number = SeriesNumber(next)
        insert(number, key)
        return number
    }

    /// Takes over an entry that was read; the later one wins where a damaged log holds two. An entry beyond
    /// `maximumCount` is left out, as the codec never lets one through.
    public mutating func insert(_ number: SeriesNumber, _ key: SeriesKey) {
        guard number.value < SeriesDictionary.maximumCount else { return }
        if self[number] == nil { count += 1 }
        table.set(Int(number.value), to: key)
        next = max(next, number.value + 1)
    }

    /// Devices of which an energy register of the channel `total` has been seen.
    public var totalCounters: Set<DeviceID> {
        Set(entries.map(\.key).filter { $0.channel == .total && $0.quantity.unit == "Wh" }.map(\.device))
    }

    /// Every entry in the order of numbers.
    public var entries: [(number: SeriesNumber, key: SeriesKey)] {
        (0..<table.end).compactMap { i in table[i].map { (SeriesNumber(UInt32(i)), $0) } }
    }
}
