/// What was seen of one unit; all of it only grows.
public struct UnitCounters: Hashable, Sendable {
    public var requests = 0
    /// Requests that brought words.
    public var answers = 0
    public var exceptions = 0
    public var timeouts = 0
    /// Answers that were damaged or did not fit.
    public var damaged = 0
    /// Requests made again at once because of such an answer, or of zeros that were not believed.
    public var retries = 0
    /// µs of the line, waiting included.
    public var busy: Int64 = 0

    /// Requests that brought no words.
    public var errors: Int { requests - answers }
}

/// A bus at one instant.
public struct BusReport: Sendable {
    public struct Unit: Sendable {
        public var unit: UInt8
        public var counters: UnitCounters
        /// µs of its last answers, the line's own time not counted; nil before the first one.
        public var latencyMedian: Int64?
        public var latencyHigh: Int64?
        /// µs that it is waited for now.
        public var timeout: Int64
        /// 0: read on schedule. Else how many attempts in a row were in vain.
        public var quarantineStep: Int
        /// µs until it is asked again; nil while it is read on schedule.
        public var nextAttempt: Int64?
        /// Stretches of registers that it refuses and that are left out for now.
        public var refused: Int
        /// Requests into which its blocks are cut now, and those that were planned.
        public var blocks: Int
        public var plannedBlocks: Int
    }

    public var units: [Unit]
    /// All requests, those from outside the plan included.
    public var total: UnitCounters
    /// Permille of the last ten seconds in which the line was busy.
    public var utilization: Int
    /// Why the bus cannot be opened; nil while it is open or was not needed yet.
    public var trouble: String?
    /// Whole answers that came too late or from the wrong unit, and were not taken for another's.
    public var strangers = 0
    /// Times the bus was opened.
    public var connects = 0
    /// Results that nobody fetched in time.
    public var lost = 0
    /// What is worth knowing of the line, such as that its driver has no RS-485 mode.
    public var note: String?
}

/// Busy time of the last ten seconds, in slots of one.
struct Utilization: Sendable {
    private var slots = [Int64](repeating: 0, count: 10)
    private var second: Int64
    private let start: Int64

    init(start: Int64) {
        self.start = start
        second = start / 1_000_000
    }

    mutating func add(_ busy: Int64, at now: Int64) {
        roll(to: now)
        slots[Int(second % 10)] += busy
    }

    mutating func permille(at now: Int64) -> Int {
        roll(to: now)
        let window = min(max(now - start, 1), 9_000_000 + now % 1_000_000)
        return Int(min(1_000, slots.reduce(0, +) * 1_000 / window))
    }

    private mutating func roll(to now: Int64) {
        let current = now / 1_000_000
        if current - second >= 10 {
            for i in slots.indices { slots[i] = 0 }
            second = current
        }
        while second < current {
            second += 1
            slots[Int(second % 10)] = 0
        }
    }
}
