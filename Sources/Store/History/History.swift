import Disk
import Metering
import ReadingLog
import Records
import Synchronization
import Timekeeping

/// Every series of the home: raw values as far back as their ring of block files reaches, what each did in each minute
/// and each quarter of an hour for longer. A consumer of the topic `facts`.
///
/// New values are in memory (the head) until `follow` seals them into one file of each tier; the footer of the raw
/// values' file is the cursor: what came after it is read from the log again at the next start. A dozen neighbouring
/// files become one. Formats: `BlockFormat.md`.
///
/// `follow` and `seal` belong to one thread, queries come from any. Two locks, always in this order: `consumer` (held
/// while the log is read and files are written) and `state` (held for memory only), so that no query waits for a disk
/// that writes. Queries read files outside of the locks.
public final class History: Sendable {
    private let root: String
    let log: any Log
    let options: HistoryOptions
    let reading: BlockReading
    let state: Mutex<HistoryState>
    private let consumer: Mutex<Consumer>

    /// The name under which the log keeps what History still needs.
    public static let consumerName = "history"

    private struct Consumer {
        let reader: any LogReader
    }

    /// Opens or begins the files below `directory`. Fails only where a directory cannot be made or listed. Reads the
    /// footers of all files and one index. A damaged file is set aside; if it was the newest, the log is asked for
    /// what it had.
    public init(
        directory: String, fileSystem: any FileSystem, log: any Log, options: HistoryOptions = HistoryOptions()
    ) throws(DiskError) {
        root = directory
        self.log = log
        self.options = options
        reading = BlockReading(fileSystem, UnreadablePlaces { [log] in log.trouble == nil })
        let state = try HistoryOpening(root: directory, reading).run()
        let cursor = state.files(of: .raw).last?.footer.cursor ?? .oldest
        log.hold(History.consumerName, at: cursor)
        self.state = Mutex(state)
        consumer = Mutex(Consumer(reader: log.reader(from: cursor)))
    }

    /// Where the files of a tier lie.
    public func directory(of tier: HistoryTier) -> String { root + "/" + tier.name }

    /// Reads what has become durable and seals the head when it is due. Values are in queries' answers from then on.
    /// After an error everything up to it is taken over, and the next call goes on.
    public func follow() throws {
        try consumer.withLock { consumer in
            var isDone = false
            var failure: (any Error)?
            while !isDone {
                // With a full head nothing more is read: the log keeps it meanwhile.
                if state.withLock({ $0.isFull(options) }) { try seal(consumer.reader) }
                isDone = try consumer.reader.read(limitBytes: History.step, take)
                if failure == nil, state.withLock({ $0.isDue(options) }) {
                    do { try seal(consumer.reader) } catch { failure = error }
                }
            }
            // Nothing waits for a file, so nothing before is needed again.
            if state.withLock({ $0.heads.count == 0 }) { log.hold(History.consumerName, at: consumer.reader.cursor) }
            if failure == nil {
                do { try fillRollUps() } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    private static let step = 256 << 10

    private func take(_ item: LogItem) throws {
        switch item {
        case .frame(let frame):
            do {
                try state.withLock { try $0.take(frame, names: log.key(for:)) }
            } catch is RecordError {
                // Its checksum is right, so reading it again gives the same: it is left out.
                state.withLock { $0.statistics.skippedFrames += 1 }
            }
        case .gap: state.withLock { $0.statistics.gaps += 1 }
        case .rewound: state.withLock { $0.statistics.rewinds += 1 }
        }
    }

    /// Writes the head into files now.
    public func seal() throws {
        try consumer.withLock { try seal($0.reader) }
    }

    /// What is there and what was done.
    public var statistics: HistoryStatistics {
        state.withLock { state in
            var statistics = state.statistics
            for tier in HistoryTier.allCases {
                let files = state.files(of: tier)
                statistics.tiers[tier] = HistoryStatistics.Tier(
                    files: files.count, bytes: files.reduce(0) { $0 + $1.size },
                    first: files.map(\.footer.first).min(), last: files.map(\.footer.last).max())
                statistics.files += files.count
                statistics.bytes += files.reduce(0) { $0 + $1.size }
            }
            statistics.series = state.series.count
            statistics.headPoints = state.heads.count
            statistics.headBytes = state.heads.byteCount
            return statistics
        }
    }

    /// The last places that queries and merges found damaged, at most 32.
    public var damage: [BlockError] { state.withLock { $0.damage } }

    /// The newest log time that was read or sealed: the gateway's own wall clock, never a device's. Nil before any.
    public var logTime: Timestamp? {
        let newest = state.withLock { state in
            max(state.wall, state.files(of: .raw).last?.footer.wall ?? state.wall)
        }
        return newest.milliseconds > 0 ? newest : nil
    }

    /// What the log has given so far.
    public var cursor: Cursor { consumer.withLock { $0.reader.cursor } }
}
