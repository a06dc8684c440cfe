/// Decides which time a fact gets while the wall clock may be wrong, as after a power cut on a box without a
/// battery-backed clock.
///
/// Until the clock is synchronised, facts are placed after the last time known to be durable, by the time that has
/// passed since the start. When the machine has been up for 15 minutes without synchronisation the wall clock is
/// believed: it was set by whoever runs the machine. Both are flagged. Once
/// the clock is synchronised it stays trusted until the next start: a lost time source drifts by seconds a day, which
/// is nearer the truth than any placement. Deterministic; one per process; not shared between threads.
public struct ClockTrust: Hashable, Sendable {
    /// What a time rests on.
    public enum Basis: Hashable, Sendable {
        /// Placed by age after the last durable time; to be re-stamped once the clock is set.
        case placed
        /// The wall clock, never synchronised so far.
        case believed
        /// The wall clock, synchronised.
        case synchronized
    }

    /// The time of a fact, and how far it can be relied on.
    public struct Stamp: Hashable, Sendable {
        public let time: Timestamp
        public let basis: Basis

        /// True when a reading with this time carries the flag of an unsynchronised clock.
        public var isFlagged: Bool { basis != .synchronized }
    }

    /// How long after the machine's boot the wall clock is not believed without synchronisation.
    public static let patience: Int64 = 15 * Span.minute

    private let lastDurable: Timestamp?
    private let startMonotonic: Int64
    /// Wall minus monotonic time, once synchronised.
    private var wallMinusMonotonic: Int64?

    /// - Parameters:
    ///   - lastDurable: the latest time found in the log; nil in an empty one, and then there is nothing to place
    /// after.
    ///   - start: the first reading of the clocks in this process.
    public init(lastDurable: Timestamp?, start: ClockReading) {
        self.lastDurable = lastDurable
        self.startMonotonic = start.monotonic
    }

    /// The stamp of what happens at `reading`, which also tells whether the clock has been set. Readings come in order.
    public mutating func stamp(_ reading: ClockReading) -> Stamp {
        if reading.synchronized || wallMinusMonotonic != nil {
            wallMinusMonotonic = reading.wall - Timestamp(milliseconds: reading.monotonic)
            return Stamp(time: reading.wall, basis: .synchronized)
        }
        guard let lastDurable else { return Stamp(time: reading.wall, basis: .believed) }
        let age = max(0, Timestamp(milliseconds: reading.monotonic) - Timestamp(milliseconds: startMonotonic))
        // One millisecond more, so that it is after what is already stored.
        let placed = lastDurable + age + 1
        guard reading.monotonic >= ClockTrust.patience else { return Stamp(time: placed, basis: .placed) }
        // A wall clock before what is already stored is known to be wrong, however long it has stood.
        return reading.wall >= placed
            ? Stamp(time: reading.wall, basis: .believed) : Stamp(time: placed, basis: .placed)
    }

    /// The true time of what happened at `monotonic` of this boot; nil until the clock has been synchronised.
    public func restamp(monotonic: Int64) -> Timestamp? {
        wallMinusMonotonic.map { Timestamp(milliseconds: monotonic) + $0 }
    }
}
