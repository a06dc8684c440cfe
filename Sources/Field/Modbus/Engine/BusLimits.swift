/// The limits of one bus. Times in µs.
public struct BusLimits: Hashable, Sendable {
    /// The learned time-out of a unit stays between these two, on top of what the bytes take on the line.
    public var timeoutFloor: Int64 = 100_000
    public var timeoutCeiling: Int64 = 1_000_000
    /// Silence before every request, on top of the line's own gap.
    public var pause: Int64 = 0
    /// Times that a damaged answer is asked for again at once.
    public var retries = 1
    /// A unit that does not answer is asked again after 1, 2, 4, … s, at last after this long.
    public var quarantine: Int64 = 60_000_000
    /// A bus that cannot be opened is tried again after 0.25, 0.5, 1, … s, at last after this long.
    public var reopening: Int64 = 2_000_000

    public init() {}

    /// The first step of the quarantine.
    static let firstStep: Int64 = 1_000_000
    /// The first step of reopening.
    static let firstReopening: Int64 = 250_000
    /// The time-out of a unit of which too little is known, where the ceiling is not lower.
    static let unknownTimeout: Int64 = 300_000
    /// After asking a silent unit in vain, the next such attempt on this bus waits this many times as long as the
    /// attempt took: all the silent units together cost the others 4 % of the line.
    static let probeSpacing: Int64 = 24
    /// Answers in a row that were damaged beyond repair until a unit counts as silent.
    static let damagedReads = 3
    /// Reads in a row for which a unit that answers to other things was silent, until the block is cut or left out.
    static let silentReads = 3
    /// A busy unit is asked again after this long.
    static let busyPause: Int64 = 500_000
    /// Registers that a unit refuses are asked for again after a minute, two, four, … an hour.
    static let firstRefusal: Int64 = 60_000_000
    static let lastRefusal: Int64 = 3_600_000_000
    /// Time-outs in a row, whoever was asked, after which a TCP connection is taken for dead.
    static let halfOpen = 2
    /// Requests from outside the plan that may wait.
    public static let maximumQueries = 64
}
