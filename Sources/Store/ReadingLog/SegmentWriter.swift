import Disk
import Metering
import Records
import Timekeeping

/// A segment as the list of the log knows it.
struct SegmentInfo: Hashable, Sendable {
    let number: UInt64
    let epoch: UInt64
    let firstOffset: UInt64
    let size: Int
}

/// Writes frames into segment files: aligned writes and one sync for as many frames as fit, never twice to a page
/// that holds durable frames, and the oldest file again when the budget is used up.
///
/// Used under the log's writer lock only.
struct SegmentWriter: Sendable {
    private let directory: String
    private let fileSystem: any FileSystem
    private let options: LogOptions
    private var active: Active?
    private var nextNumber: UInt64
    /// A file for the next segment lies ready; it counts in the budget.
    private(set) var hasPrepared: Bool
    /// The number of a file that is a segment by name only.
    private var stray: UInt64?

    private struct Active: Sendable {
        var file: any File
        let info: SegmentInfo
        /// Where the next flush begins: a page boundary.
        var position: Int
        /// False until a flush into it was durable.
        var isBegun: Bool
        /// A write or sync into it failed: what lies beyond `position` is not known.
        var failed = false
    }

    /// What one `write` made durable.
    struct Written: Sendable {
        /// How many of the given frames, from the first on.
        var frames: Int
        var segment: UInt64
        /// Where each of them begins.
        var positions: [Int]
        /// Everything in the segment before it is durable.
        var end: Int
        var bytes: Int
    }

    init(
        directory: String, fileSystem: any FileSystem, options: LogOptions, nextNumber: UInt64, hasPrepared: Bool
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        self.nextNumber = nextNumber
        self.hasPrepared = hasPrepared
    }

    /// Goes on in a segment that an earlier run wrote, at the page boundary `position`.
    mutating func resume(_ info: SegmentInfo, file: any File, at position: Int, isBegun: Bool) {
        active = Active(file: file, info: info, position: position, isBegun: isBegun)
    }

    /// Leaves the active segment as it is: the next write begins another.
    mutating func leaveSegment() {
        active?.file.close()
        active = nil
    }

    /// True when the next write needs a new segment for a frame of `length` bytes.
    func needsSegment(for length: Int) -> Bool {
        guard let active else { return true }
        // What a failed flush left behind is never followed by other frames of the same segment, so that a reader
        // cannot take its remains for damage; a segment without a durable frame is simply written again.
        if active.failed { return active.isBegun }
        return active.position + length > active.info.size
    }

    /// Writes as many of `frames` as fit.
    mutating func write(_ frames: [ClosedFrame]) throws(DiskError) -> Written {
        guard let active else { preconditionFailure("write without a segment") }
        let start = active.position
        var positions: [Int] = []
        var pages: PageBuffer
        do throws(DiskError) {
            pages = PageBuffer(
                active.failed ? try reopen(active) : active.file, at: start, piece: options.segmentSize / 8)
            for frame in frames {
                let position = pages.end
                if position + (frame.length + 7) & ~7 > active.info.size { break }
                positions.append(position)
                try pages.append(frame, segment: active.info.number)
            }
            precondition(!positions.isEmpty, "a frame must fit in an empty segment")
            try pages.finish()
        } catch {
            self.active?.failed = true
            throw error
        }
        let padded = pages.end - start
        self.active?.position = start + padded
        self.active?.isBegun = true
        self.active?.failed = false
        return Written(
            frames: positions.count, segment: active.info.number, positions: positions, end: start + padded,
            bytes: padded)
    }

    /// The active segment's file by its name: a disk that was away meanwhile comes back under the name only.
    private mutating func reopen(_ active: Active) throws(DiskError) -> any File {
        let file = try fileSystem.open(directory + "/" + SegmentFile.name(active.info.number), .update)
        active.file.close()
        self.active?.file = file
        return file
    }

    /// Gives up the content of `oldest`: its file becomes the one that the next segment is made of. After an error it
    /// is to be given up again.
    mutating func recycle(_ oldest: SegmentInfo) throws(DiskError) {
        let path = directory + "/" + SegmentFile.name(oldest.number)
        if oldest.size == options.segmentSize, !hasPrepared {
            try fileSystem.rename(path, to: directory + "/" + SegmentFile.next)
            hasPrepared = true
        } else {
            do throws(DiskError) {
                try fileSystem.remove(path)
            } catch {
                // Gone by an attempt whose sync failed: without one its name may still come back.
                guard error.isMissing else { throw error }
            }
        }
        // Only then it is given up: a name that comes back would lie beside the budget.
        try fileSystem.syncDirectory(directory)
    }

    /// Makes a segment the active one, from the prepared file or a new one, with every series of `dictionary` declared
    /// at its start; `wall` is the time of those frames. After an error the active segment is the one before, and a
    /// file that is prepared stays so.
    ///
    /// The segments before may be given up as soon as this one is there, so the declarations are durable before it has
    /// its name: were they part of the first flush, a cut in it could leave no segment that names the series.
    mutating func begin(
        epoch: UInt64, firstOffset: UInt64, created: ClockReading, wall: Timestamp, dictionary: SeriesDictionary
    ) throws(DiskError) -> (info: SegmentInfo, end: Int) {
        let prepared = directory + "/" + SegmentFile.next
        try takeBackStray(prepared)
        // Before the header changes, so that no file has one segment's name and another's header.
        if hasPrepared { try fileSystem.syncDirectory(directory) }
        let (file, isNew) = try prepare(prepared)
        hasPrepared = true
        let header = SegmentHeader(
            topic: options.topic, partition: options.partition, number: nextNumber, gateway: options.gateway,
            epoch: epoch, firstOffset: firstOffset, created: created.wall, size: UInt64(options.segmentSize),
            seriesCount: dictionary.nextNumber.value, isNewFile: isNew)
        try file.write(header.encoded(), at: 0)
        let end = try declare(dictionary, header, wall: wall, monotonic: created.monotonic, in: file)
        let path = directory + "/" + SegmentFile.name(nextNumber)
        try fileSystem.rename(prepared, to: path)
        do throws(DiskError) {
            try fileSystem.syncDirectory(directory)
        } catch {
            do throws(DiskError) {
                try fileSystem.rename(path, to: prepared)
            } catch {
                // It lies there as an empty segment under its number, which is not given again.
                stray = nextNumber
                nextNumber += 1
                hasPrepared = false
            }
            throw error
        }
        let info = SegmentInfo(
            number: nextNumber, epoch: epoch, firstOffset: firstOffset, size: options.segmentSize)
        nextNumber += 1
        hasPrepared = false
        active?.file.close()
        // Opened again for its name in messages only.
        let named = (try? fileSystem.open(path, .update)) ?? file
        if named !== file { file.close() }
        active = Active(file: named, info: info, position: end, isBegun: false)
        return (info, end)
    }

    /// Writes frames without records that declare every series, and makes them and the header durable; where they end.
    private func declare(
        _ dictionary: SeriesDictionary, _ segment: SegmentHeader, wall: Timestamp, monotonic: Int64, in file: any File
    ) throws(DiskError) -> Int {
        var pages = PageBuffer(file, at: SegmentHeader.pageSize, piece: options.segmentSize / 8)
        let limit = FrameLimits(segmentSize: options.segmentSize).declarations
        let entries = dictionary.entries
        for from in stride(from: 0, to: entries.count, by: limit) {
            var names = ByteWriter()
            for entry in entries[from..<min(from + limit, entries.count)] { names.seriesEntry(entry.number, entry.key) }
            let header = FrameHeader(
                topic: options.topic, count: 0, epoch: segment.epoch, firstOffset: segment.firstOffset,
                gateway: options.gateway, boot: options.boot, wall: wall, monotonic: monotonic,
                partition: options.partition)
            try pages.append(
                ClosedFrame(header: header, dictionary: names.bytes, records: []), segment: segment.number)
        }
        try pages.finish()
        return pages.end
    }

    /// A file that an earlier attempt gave its name and could not take it back from: else it would lie beside the
    /// budget.
    private mutating func takeBackStray(_ prepared: String) throws(DiskError) {
        guard let stray else { return }
        do throws(DiskError) {
            try fileSystem.rename(directory + "/" + SegmentFile.name(stray), to: prepared)
            hasPrepared = true
        } catch {
            guard error.isMissing else { throw error }
        }
        self.stray = nil
    }

    /// The file that becomes the next segment: one that an earlier attempt left, or a new one with its space reserved.
    private func prepare(_ path: String) throws(DiskError) -> (any File, isNew: Bool) {
        let size = Int64(options.segmentSize)
        do throws(DiskError) {
            let file = try fileSystem.open(path, .update)
            if try file.size() == size { return (file, false) }
            file.close()
        } catch {
            guard error.isMissing else { throw error }
        }
        let file = try fileSystem.open(path, .create)
        do throws(DiskError) {
            try file.preallocate(size)
        } catch {
            file.close()
            // A full disk is not to keep the part that was reserved.
            try? fileSystem.remove(path)
            throw error
        }
        return (file, true)
    }
}
