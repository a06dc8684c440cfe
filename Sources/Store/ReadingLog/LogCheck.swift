import Disk
import Metering
import Records
import Timekeeping

/// Reads every frame of a log in its files and says what is wrong, without opening the log and without changing it.
///
/// Blocks; one thread. While the log's daemon runs, what it is just writing or recycling is no damage: `isLive`.
public struct LogCheck {
    /// What lies in the files.
    public struct Totals: Hashable, Sendable {
        public var segments = 0
        public var frames = 0
        public var records = 0
        public var readings = 0
        /// Of all frames, without padding.
        public var frameBytes: Int64 = 0
        /// Of the parts of segments that are written: heads, frames and what fills up their pages.
        public var usedBytes: Int64 = 0
        /// Of all segment files.
        public var fileBytes: Int64 = 0
        public var epochs: Set<UInt64> = []
        /// Wall times of the first and the last frame that has records.
        public var first: Timestamp?
        public var last: Timestamp?
    }

    private let directory: String
    private let topic: Topic
    private let fileSystem: any FileSystem
    private let isLive: Bool
    public private(set) var totals = Totals()
    /// The offset after the last record seen, and its epoch.
    private var expected: Cursor?

    public init(
        directory: String, topic: Topic, partition: UInt32 = 0, fileSystem: any FileSystem, isLive: Bool = false
    ) {
        self.directory = "\(directory)/\(topic.name)/\(partition)"
        self.topic = topic
        self.fileSystem = fileSystem
        self.isLive = isLive
    }

    /// `progress` gets the bytes of each file that is done. Throws where not even a list of the files can be had.
    /// `limit`: only so many of the newest segments.
    public mutating func run(
        limit: Int = .max, progress: (Int64) -> Void = { _ in }, _ found: (FileFinding) -> Void
    ) throws(DiskError) {
        let names = try fileSystem.list(directory)
        for name in names {
            if SegmentFile.damagedNumber(name) != nil {
                found(note(name, "a segment whose head could not be read was set aside; it is never read again"))
            } else if SegmentFile.isTorn(name) {
                found(note(name, "bytes that were cut from a segment's end, kept for a person to look at"))
            }
        }
        let numbers = names.compactMap(SegmentFile.number).sorted().suffix(limit)
        for (i, number) in numbers.enumerated() {
            let path = directory + "/" + SegmentFile.name(number)
            do throws(DiskError) {
                progress(try check(number, path, isLast: i == numbers.count - 1, found))
            } catch {
                // The ring took the file meanwhile, or it cannot be read.
                if isLive, error.isMissing { continue }
                found(FileFinding(.damage, path, "\(error)"))
            }
        }
    }

    private func note(_ name: String, _ reason: String) -> FileFinding {
        FileFinding(.note, directory + "/" + name, reason)
    }

    private mutating func check(
        _ number: UInt64, _ path: String, isLast: Bool, _ found: (FileFinding) -> Void
    ) throws(DiskError) -> Int64 {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.size()
        let page = try file.read(at: 0, count: SegmentHeader.length)
        let header: SegmentHeader
        do throws(SegmentHeader.Failure) {
            header = try SegmentHeader.decode(page)
        } catch .newer(let version) {
            found(FileFinding(.note, path, "is of format \(version), which a newer energyd wrote"))
            return size
        } catch {
            found(FileFinding(.damage, path, at: 0, "the segment's head cannot be read"))
            return size
        }
        guard header.number == number, header.topic == topic else {
            found(
                FileFinding(
                    .damage, path, at: 24, "the head is that of segment \(header.number) of \(header.topic.name)"))
            return size
        }
        if size < Int64(header.size) {
            found(FileFinding(.damage, path, at: size, "the file ends \(Int64(header.size) - size) bytes too early"))
        }
        totals.segments += 1
        totals.fileBytes += size
        totals.epochs.insert(header.epoch)
        noteJump(
            to: Cursor(epoch: header.epoch, offset: header.firstOffset), path, Int64(SegmentHeader.pageSize), [], found)
        expected = Cursor(epoch: header.epoch, offset: header.firstOffset)
        var scan = SegmentScan(path: path, header: header)
        try scan.run(file, to: Int(min(size, Int64(header.size)))) { frame, gap, at, broken in
            take(frame, gap, path, at, broken, found)
        } found: { finding in
            found(finding)
        }
        finish(scan, path, isLast, found)
        return size
    }

    private mutating func take(
        _ frame: FrameHeader, _ gap: Gap?, _ path: String, _ at: Int, _ broken: [Int], _ found: (FileFinding) -> Void
    ) {
        totals.frames += 1
        totals.frameBytes += Int64(frame.length)
        let end = gap?.end ?? frame.endOffset
        guard frame.count > 0, let before = expected, end > before.offset else { return }
        noteJump(to: Cursor(epoch: frame.epoch, offset: frame.firstOffset), path, Int64(at), broken, found)
        expected = Cursor(epoch: frame.epoch, offset: end)
        if let gap {
            let reason = "\(gap.end - gap.first) records were given up here: neither disk nor memory had room"
            found(FileFinding(.note, path, at: Int64(at), reason))
        }
        totals.records += Int(frame.count)
        if totals.first == nil { totals.first = frame.wall }
        totals.last = frame.wall
    }

    /// Offsets between the last record and `next` that no frame has.
    private func noteJump(
        to next: Cursor, _ path: String, _ at: Int64, _ broken: [Int], _ found: (FileFinding) -> Void
    ) {
        guard let before = expected, next.offset > before.offset else { return }
        let missing = next.offset - before.offset
        guard next.epoch == before.epoch else {
            // An epoch that begins after a loss leaves out offsets that somebody may have seen.
            return found(FileFinding(.note, path, at: at, "a new epoch begins here, \(missing) offsets later"))
        }
        var reason = "\(missing) records are missing before this place (offsets \(before.offset) to \(next.offset - 1))"
        if let first = broken.first { reason += "; what is left of a frame lies at byte \(first)" }
        found(FileFinding(.damage, path, at: at, reason))
    }

    private mutating func finish(
        _ scan: SegmentScan, _ path: String, _ isLast: Bool, _ found: (FileFinding) -> Void
    ) {
        totals.readings += scan.readings
        totals.usedBytes += Int64(scan.end)
        guard let first = scan.broken.first else { return }
        if isLast, isLive { return }
        if isLast {
            found(
                FileFinding(
                    .damage, path, at: Int64(first),
                    "a write that did not reach the disk whole; the next start copies it aside and cuts it"))
        } else {
            found(
                FileFinding(
                    .note, path, at: Int64(first),
                    "what is left of a write that failed; where it was not done again, records are missing"))
        }
    }
}

/// One segment's frames in the order of position.
private struct SegmentScan {
    let path: String
    let header: SegmentHeader
    var readings = 0
    /// The page boundary behind the last frame.
    private(set) var end = SegmentHeader.pageSize
    /// Where headers of frames lie without their frames, since the last whole frame.
    var broken: [Int] = []
    private var declared: Set<UInt32> = []

    init(path: String, header: SegmentHeader) {
        self.path = path
        self.header = header
    }

    /// `frame` gets each whole frame of this segment, what it stands for if that is a gap, and the broken ones before.
    mutating func run(
        _ file: any File, to limit: Int, _ frame: (FrameHeader, Gap?, Int, [Int]) -> Void, found: (FileFinding) -> Void
    ) throws(DiskError) {
        let segment = SegmentInfo(
            number: header.number, epoch: header.epoch, firstOffset: header.firstOffset, size: Int(header.size))
        let scanner = FrameScanner(file, of: segment, from: SegmentHeader.pageSize, to: limit)
        while true {
            switch try scanner.next() {
            case .frame(let head, let at, let bytes):
                if head.topic != header.topic || head.gateway != header.gateway || head.epoch != header.epoch {
                    found(FileFinding(.damage, path, at: Int64(at), "a frame of another log lies in this one"))
                }
                frame(head, head.droppedGap(bytes), at, broken)
                let page = SegmentHeader.pageSize
                end = (at + head.length + page - 1) / page * page
                broken.removeAll()
                do throws(FileFinding) { try content(head, at, bytes) } catch { found(error) }
            case .newer(let at): found(FileFinding(.note, path, at: Int64(at), "a frame of a newer format"))
            case .broken(let at, _): broken.append(at)
            case .end: return
            }
        }
    }

    private mutating func content(
        _ head: FrameHeader, _ at: Int, _ bytes: UnsafeRawBufferPointer
    ) throws(FileFinding) {
        var count = 0
        var unknown: UInt32?
        do {
            for (number, _) in try Frame.dictionary(bytes, head) { declared.insert(number.value) }
            try Frame.records(bytes, head) { _, record in
                guard case .readings(let readings) = record else { return }
                count += readings.count
                for reading in readings where !declared.contains(reading.series.value) {
                    unknown = reading.series.value
                }
            }
        } catch {
            throw FileFinding(
                .damage, path, at: Int64(at), "the frame is whole, but what it holds cannot be read: \(error)")
        }
        readings += count
        if let unknown {
            throw FileFinding(
                .damage, path, at: Int64(at), "readings of series \(unknown), which this segment does not declare")
        }
    }
}
