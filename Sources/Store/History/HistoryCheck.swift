import Compression
import Disk
import Timekeeping

/// Reads every block of History's files and says what is wrong, without changing anything.
public struct HistoryCheck {
    /// What lies in the files of one tier.
    public struct Tier: Hashable, Sendable {
        /// The directory's name.
        public var name: String
        public var files = 0
        public var bytes: Int64 = 0
        /// Of values, or of buckets where the tier has those.
        public var values = 0
        public var first: Timestamp?
        public var last: Timestamp?
    }

    private let directory: String
    private let fileSystem: any FileSystem
    private let isLive: Bool
    public private(set) var tiers: [Tier] = []

    public init(directory: String, fileSystem: any FileSystem, isLive: Bool = false) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.isLive = isLive
    }

    /// `progress` gets the bytes of each file that is done; `readsBlocks`: not only the indexes. A tier without a
    /// directory is one without files.
    public mutating func run(
        readsBlocks: Bool = true, progress: (Int64) -> Void = { _ in }, _ found: (FileFinding) -> Void
    ) throws(DiskError) {
        let scratch = DecodingScratch()
        for name in HistoryTier.allCases.map(\.name) {
            var tier = Tier(name: name)
            let place = directory + "/" + name
            for file in try names(place) {
                let path = place + "/" + file
                if file.hasSuffix(".damaged") {
                    found(
                        FileFinding(.note, path, "a file that could not be read was set aside; it is never read again"))
                } else if file.hasSuffix(AtomicFile.temporarySuffix), !isLive {
                    found(FileFinding(.note, path, "a file that was never finished; the next start removes it"))
                }
                guard file.hasSuffix(".blk") else { continue }
                do throws(DiskError) {
                    progress(try check(path, &tier, scratch, readsBlocks: readsBlocks, found))
                } catch {
                    if isLive, error.isMissing { continue }
                    found(FileFinding(.damage, path, "\(error)"))
                }
            }
            tiers.append(tier)
        }
    }

    private func names(_ place: String) throws(DiskError) -> [String] {
        do throws(DiskError) { return try fileSystem.list(place) } catch {
            if error.isMissing { return [] }
            throw error
        }
    }

    private func check(
        _ path: String, _ tier: inout Tier, _ scratch: DecodingScratch, readsBlocks: Bool,
        _ found: (FileFinding) -> Void
    ) throws(DiskError) -> Int64 {
        let file: BlockFile
        switch try BlockFile.open(path, in: fileSystem) {
        case .newer:
            found(FileFinding(.note, path, "is of a newer format"))
            return 0
        case .damaged:
            found(FileFinding(.damage, path, "its end cannot be read; the next start sets it aside"))
            return 0
        case .good(let good): file = good
        }
        let opened = try fileSystem.open(path, .read)
        defer { opened.close() }
        tier.files += 1
        tier.bytes += file.size
        tier.first = min(tier.first ?? file.footer.first, file.footer.first)
        tier.last = max(tier.last ?? file.footer.last, file.footer.last)
        let title = try opened.read(at: 0, count: HistoryCheck.titles[0].count)
        if !HistoryCheck.titles.contains(title) {
            found(FileFinding(.damage, path, at: 0, "the file's first line is not that of a block file"))
        }
        guard let entries = try file.entries(opened, scratch) else {
            let place = file.size - Int64(file.footer.encodedLength) - Int64(file.footer.indexLength)
            found(FileFinding(.damage, path, at: place, "the index cannot be read, and so none of its blocks"))
            return file.size
        }
        for entry in entries where entry.isBlock {
            tier.values += entry.count
            guard readsBlocks else { continue }
            if try !isGood(entry, opened, file.tier, scratch) {
                tier.values -= entry.count
                found(
                    FileFinding(
                        .damage, path, at: Int64(entry.position), "\(entry.count) values of \(entry.key) cannot be read"
                    ))
            }
        }
        return file.size
    }

    /// First lines of both versions.
    private static let titles = [BlockFileWriter.header, Array("energyd blocks1\n".utf8)]

    private func isGood(
        _ entry: BlockEntry, _ file: any File, _ tier: HistoryTier, _ scratch: DecodingScratch
    ) throws(DiskError) -> Bool {
        guard tier == .raw else {
            let buckets: BucketColumns? = try BlockReading.columns(entry, file, scratch)
            return buckets?.fits(entry, tier) ?? false
        }
        let points: PointColumns? = try BlockReading.columns(entry, file, scratch)
        guard let points else { return false }
        return points.fits(entry, tier) && points.values.last == entry.lastValue
    }
}

extension History {
    /// How far a stored time may lie from the reported one, ms: times are put on their series' grid.
    public static var timeTolerance: Int64 { TimeGrid.farthestMove }
}
