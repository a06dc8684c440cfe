/// The values of one series that no file has yet, in the order they came.
struct SeriesHead: Sendable {
    private(set) var times: [Int64] = []
    private(set) var values: [Int64] = []
    private var isSorted = true

    var count: Int { times.count }
    /// Bytes that one value takes.
    static let pointSize = 2 * MemoryLayout<Int64>.stride

    mutating func append(_ time: Int64, _ value: Int64) {
        if let last = times.last, time <= last {
            // The same instant again, as a device does that repeats itself: the later report is right.
            if time == last {
                values[values.count - 1] = value
                return
            }
            isSorted = false
        }
        times.append(time)
        values.append(value)
    }

    mutating func removeAll() {
        // Room for as many again, but not for the most there ever were.
        let room = times.count
        times = []
        values = []
        times.reserveCapacity(room)
        values.reserveCapacity(room)
        isSorted = true
    }

    /// In the order of time; of several values for one instant the one that came last.
    func sorted() -> (times: [Int64], values: [Int64]) {
        if isSorted { return (times, values) }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        var sortedTimes: [Int64] = []
        var sortedValues: [Int64] = []
        for i in order {
            if sortedTimes.last == times[i] {
                sortedValues[sortedValues.count - 1] = values[i]
            } else {
                sortedTimes.append(times[i])
                sortedValues.append(values[i])
            }
        }
        return (sortedTimes, sortedValues)
    }
}
