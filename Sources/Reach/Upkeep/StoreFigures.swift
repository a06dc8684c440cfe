import Disk
import History
import Ledger
import ReadingLog
import Records
import Timekeeping

/// What a home's store takes on its disk, and what it writes there.
public struct StoreFigures: Hashable, Sendable {
    /// One part of the store: topics of the log, tiers of History, the ledger, the rest.
    public struct Part: Hashable, Sendable {
        /// `log facts`, `history raw`, `ledger` …
        public var name: String
        public var files = 0
        public var bytes: Int64 = 0
        /// What it holds, and in which word: `readings`, `values`, `slots`; nil where that is not counted.
        public var items: Int?
        public var unit = ""
        /// Bytes that one item takes; nil without items.
        public var bytesPerItem: Double?
        public var first: Timestamp?
        public var last: Timestamp?
        /// Bytes a day that it writes, from its own files; nil where they span less than ten minutes.
        public var writtenPerDay: Double?
    }

    public var parts: [Part] = []
    /// Bytes of all files.
    public var bytes: Int64 = 0
    public var files = 0
    public var series = 0
    /// Bytes a day that reach the disk.
    public var writtenPerDay: Double?
    /// Where that number comes from, in a sentence.
    public var basis = ""

    /// Looks at a state directory. Reads the newest segments of the log and the indexes of History, and changes
    /// nothing. `isLive`: a daemon uses it meanwhile.
    public init(
        _ directory: StateDirectory, fileSystem: any FileSystem, isLive: Bool
    ) throws(DiskError) {
        for topic in directory.topics(fileSystem) {
            parts.append(try StoreFigures.log(topic, directory, fileSystem, isLive))
        }
        parts += try StoreFigures.history(directory, fileSystem, isLive)
        parts.append(try StoreFigures.ledger(directory, fileSystem))
        let whole = try StateDirectory.measure(directory.path, fileSystem)
        bytes = whole.bytes
        files = whole.files
        let named = parts.reduce((files: 0, bytes: Int64(0))) { ($0.files + $1.files, $0.bytes + $1.bytes) }
        parts.append(
            Part(name: "other", files: max(0, files - named.files), bytes: max(0, bytes - named.bytes)))
        // Without the log's share, which is by far the largest, the rest would say nothing.
        guard parts.contains(where: { $0.name == "log facts" && $0.writtenPerDay != nil }) else { return }
        writtenPerDay = parts.compactMap(\.writtenPerDay).reduce(0, +)
        basis = "from the growth of log and history; what the ledger writes is not in it"
    }

    /// Segments of the log that are read for what a reading takes.
    private static let sampled = 4

    private static func log(
        _ topic: Topic, _ directory: StateDirectory, _ fileSystem: any FileSystem, _ isLive: Bool
    ) throws(DiskError) -> Part {
        var part = Part(name: "log \(topic.name)")
        (part.files, part.bytes) = try StateDirectory.measure("\(directory.log)/\(topic.name)", fileSystem)
        var check = LogCheck(directory: directory.log, topic: topic, fileSystem: fileSystem, isLive: isLive)
        try check.run(limit: sampled) { _ in }
        let totals = check.totals
        part.items = topic == .facts ? totals.readings : totals.records
        part.unit = topic == .facts ? "readings" : "records"
        if part.files > sampled { part.unit += " in its newest \(sampled) files" }
        part.first = totals.first
        part.last = totals.last
        if let items = part.items, items > 0 { part.bytesPerItem = Double(totals.usedBytes) / Double(items) }
        part.writtenPerDay = perDay(totals.usedBytes, totals.first, totals.last)
        return part
    }

    private static func history(
        _ directory: StateDirectory, _ fileSystem: any FileSystem, _ isLive: Bool
    ) throws(DiskError) -> [Part] {
        var check = HistoryCheck(directory: directory.history, fileSystem: fileSystem, isLive: isLive)
        try check.run(readsBlocks: false) { _ in }
        return check.tiers.map { tier in
            var part = Part(name: "history \(tier.name)", files: tier.files, bytes: tier.bytes)
            part.items = tier.values
            part.unit = "values"
            part.first = tier.first
            part.last = tier.last
            if tier.values > 0 { part.bytesPerItem = Double(tier.bytes) / Double(tier.values) }
            part.writtenPerDay = perDay(tier.bytes, tier.first, tier.last)
            return part
        }
    }

    private static func ledger(
        _ directory: StateDirectory, _ fileSystem: any FileSystem
    ) throws(DiskError) -> Part {
        var part = Part(name: "ledger")
        for suffix in ["", "-wal", "-shm"] {
            let (files, bytes) = try StateDirectory.measure(directory.ledger + suffix, fileSystem)
            part.files += files
            part.bytes += bytes
        }
        part.unit = "slots"
        // A ledger that cannot be read has no number here; `StoreCheck` says why.
        if part.files > 0, let slots = try? LedgerFile(path: directory.ledger).slotCount() {
            part.items = slots
            if slots > 0 { part.bytesPerItem = Double(part.bytes) / Double(slots) }
        }
        return part
    }

    private static func perDay(_ bytes: Int64, _ first: Timestamp?, _ last: Timestamp?) -> Double? {
        guard let first, let last, last - first >= 10 * Span.minute else { return nil }
        return Double(bytes) * Double(Span.day) / Double(last - first)
    }
}

/// What a card of 32 GB goes through, by what its makers say.
public struct CardWear: Hashable, Sendable {
    /// Bytes that reach the card in a year.
    public let bytesPerYear: Double
    /// How often that fills a card of 32 GB.
    public var fillsPerYear: Double { bytesPerYear / CardWear.cardBytes }
    /// The share of its rated endurance that a year takes, at best: each byte is written once.
    public var share: Double { bytesPerYear / CardWear.ratedBytes }
    /// … and at worst: a card that rewrites a whole erase unit of 128 KiB for each page of 4 KiB.
    public var worstShare: Double { share * CardWear.worstAmplification }

    public static let cardBytes = 32e9
    /// Makers of high-endurance cards state hours of recording that come to 117 TB for 128 GB (SanDisk High Endurance,
    /// Kingston): 29 TB for 32 GB. For plain cards they state nothing.
    public static let ratedBytes = 29.25e12
    public static let worstAmplification = 32.0
    public static let assumption =
        "a high-endurance card of 32 GB, rated for about 29 TB (117 TB at 128 GB); makers of plain cards state nothing"

    public init(writtenPerDay: Double) {
        bytesPerYear = writtenPerDay * 365
    }
}
