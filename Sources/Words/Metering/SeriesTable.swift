/// Series by small numbers and numbers by series, in some 50 bytes each: the keys once, in the order of their numbers,
/// and a table of numbers by hash.
public struct SeriesTable: Sendable {
    private var keys: [SeriesKey?] = []
    /// Numbers + 1 where a key's hash leads; 0: free.
    private var places: [UInt32] = []
    private var taken = 0
    /// A place whose number has another series now.
    private static let left = UInt32.max

    /// No series yet.
    public init() {}

    /// The number after the highest that has a series.
    public var end: Int { keys.count }

    /// The series of a number, if it has one.
    public subscript(number: Int) -> SeriesKey? { keys.indices.contains(number) ? keys[number] : nil }

    /// The number of a series, if it has one.
    public func number(of key: SeriesKey) -> Int? {
        guard let place = place(of: key), places[place] != 0 else { return nil }
        return Int(places[place]) - 1
    }

    /// Where a series' number is, or where it would be; nil without a table.
    private func place(of key: SeriesKey) -> Int? {
        if places.isEmpty { return nil }
        var place = key.hashValue & (places.count - 1)
        while places[place] != 0 {
            if places[place] != SeriesTable.left, keys[Int(places[place]) - 1] == key { break }
            place = (place + 1) & (places.count - 1)
        }
        return place
    }

    /// Gives a series that has no number the one after the highest.
    public mutating func append(_ key: SeriesKey) -> Int {
        let number = end
        set(number, to: key)
        return number
    }

    /// Gives a number to a series. Another series that had the number has none then; another number that the series
    /// had goes on to stand for it.
    public mutating func set(_ number: Int, to key: SeriesKey) {
        if number >= keys.count {
            // A quarter more: doubling would leave a third of this memory unused.
            if number >= keys.capacity { keys.reserveCapacity(number + 1 + max(16, number / 4)) }
            keys.append(contentsOf: repeatElement(nil, count: number + 1 - keys.count))
        }
        if let old = keys[number], old != key, let place = place(of: old), places[place] == UInt32(number + 1) {
            places[place] = SeriesTable.left
        }
        keys[number] = key
        if (taken + 1) * 4 > places.count * 3 { rebuild() }
        enter(number, key)
    }

    private mutating func enter(_ number: Int, _ key: SeriesKey) {
        guard let place = place(of: key) else { return }
        if places[place] == 0 { taken += 1 }
        places[place] = UInt32(number + 1)
    }

    private mutating func rebuild() {
        let old = places
        places = [UInt32](repeating: 0, count: max(64, old.count * 2))
        taken = 0
        for entry in old where entry != 0 && entry != SeriesTable.left {
            if let key = keys[Int(entry) - 1] { enter(Int(entry) - 1, key) }
        }
    }

    /// Every number that has a series, in the order of the series.
    public var ordered: [(number: Int, key: SeriesKey)] {
        keys.indices.compactMap { i in keys[i].map { (i, $0) } }.sorted { $0.key < $1.key }
    }
}
