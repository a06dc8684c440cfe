import Disk
import Records

/// Reads one log's segments in order. Keeps its file and place between calls, so that following the durable end reads
/// only what is new. Files are read outside of the log's locks: a segment that the ring takes meanwhile is noticed by
/// its frames, which then carry another segment's number, and becomes a gap.
final class SegmentReader: LogReader {
    private let log: ReadingLog
    private(set) var cursor: Cursor
    private var place: Place?
    /// Reads that failed in a row.
    private var failures = 0
    private static let patience = 8

    private struct Place {
        let segment: SegmentInfo
        let file: any File
        var position: Int
    }

    init(log: ReadingLog, from cursor: Cursor) {
        self.log = log
        self.cursor = cursor
    }

    deinit { place?.file.close() }

    func read(limitBytes: Int, _ body: (LogItem) throws -> Void) throws -> Bool {
        var budget = max(1, limitBytes)
        while budget > 0 {
            let view = log.view
            try settle(view, body)
            guard let i = segment(view) else { return true }
            let isLast = i == view.segments.count - 1
            let segment = view.segments[i]
            let end = isLast ? view.durable.offset : view.segments[i + 1].firstOffset
            // At the end the segment's epoch, since one that has no segment yet may never have one.
            let next = Cursor(epoch: isLast ? segment.epoch : view.segments[i + 1].epoch, offset: end)
            if try enter(segment, isLast: isLast) {
                let limit = isLast ? view.durablePosition : segment.size
                let isDone = try readSegment(to: limit, below: end, &budget, body)
                if !isDone { continue }
            } else if !isListed(segment) {
                continue
            }
            if cursor.offset < end {
                guard try reportDamage(in: segment, to: end, body) else { continue }
                cursor = next
            }
            if isLast { return true }
            cursor = next
            dropPlace()
        }
        return false
    }

    /// Moves a cursor that this log cannot serve, and says so.
    private func settle(_ view: LogView, _ body: (LogItem) throws -> Void) throws {
        let oldest = view.segments.first.map { Cursor(epoch: $0.epoch, offset: $0.firstOffset) } ?? view.durable
        if cursor == .oldest {
            if !view.segments.isEmpty { cursor = oldest }
            return
        }
        if cursor.offset < oldest.offset {
            let gap = Gap(epoch: cursor.epoch, first: cursor.offset, end: oldest.offset, reason: .overwritten)
            return try report(.gap(gap), goingTo: oldest, body)
        }
        if cursor.epoch == view.durable.epoch, cursor.offset <= view.durable.offset { return }
        // An epoch's records end where the next epoch's begin. One without a segment was begun and never became
        // durable, so it ends where it began.
        let isKnown = view.segments.contains { $0.epoch == cursor.epoch }
        let next = view.segments.first { $0.epoch > cursor.epoch }.map {
            Cursor(epoch: $0.epoch, offset: $0.firstOffset)
        }
        let end = next ?? view.durable
        // Epochs rise, so one that was lost whole lies between those that are here: what came before it is known to
        // whoever has its cursor, and is not to be told again.
        let isPlaced = isKnown || cursor.epoch < end.epoch
        if cursor.offset == end.offset || (isPlaced && cursor.offset < end.offset) { return }
        // An epoch that is not of this log says nothing about its offsets.
        let to = isPlaced || cursor.offset > view.durable.offset ? end : oldest
        try report(.rewound(from: cursor, to: to), goingTo: to, body)
    }

    private func report(_ item: LogItem, goingTo next: Cursor, _ body: (LogItem) throws -> Void) throws {
        try body(item)
        cursor = next
        dropPlace()
    }

    private func dropPlace() {
        place?.file.close()
        place = nil
    }

    private func segment(_ view: LogView) -> Int? {
        if let place, let i = view.segments.lastIndex(of: place.segment) { return i }
        dropPlace()
        return view.segments.lastIndex { $0.firstOffset <= cursor.offset }
    }

    private func isListed(_ segment: SegmentInfo) -> Bool { log.view.segments.contains(segment) }

    /// Opens the file of `segment`; false when there is none.
    private func enter(_ segment: SegmentInfo, isLast: Bool) throws -> Bool {
        if place != nil { return true }
        do throws(DiskError) {
            let path = log.directory + "/" + SegmentFile.name(segment.number)
            let file = try log.fileSystem.open(path, .read)
            let position = isLast ? log.position(of: cursor.offset, in: segment) : SegmentHeader.pageSize
            place = Place(segment: segment, file: file, position: position)
            return true
        } catch {
            if error.isMissing {
                // A segment that is gone is damage; a whole disk that is gone comes back.
                try log.checkPlace()
                return false
            }
            throw LogError(log.options.topic, .disk(error))
        }
    }

    /// Reports what lies between the cursor and `end` as damaged; false when the ring has taken the segment, so that
    /// the reason is another.
    private func reportDamage(
        in segment: SegmentInfo, to end: UInt64, _ body: (LogItem) throws -> Void
    ) throws -> Bool {
        guard isListed(segment) else {
            dropPlace()
            return false
        }
        try body(.gap(Gap(epoch: segment.epoch, first: cursor.offset, end: end, reason: .damaged)))
        log.noteDamagedGap()
        cursor.offset = end
        return true
    }

    /// Delivers frames up to position `limit` and offset `end`; false when there is more to do.
    private func readSegment(
        to limit: Int, below end: UInt64, _ budget: inout Int, _ body: (LogItem) throws -> Void
    ) throws -> Bool {
        guard let start = place, start.position < limit else { return true }
        let scanner = FrameScanner(start.file, of: start.segment, from: start.position, to: limit)
        while budget > 0 {
            switch try next(scanner) {
            case .frame(let header, _, let bytes):
                guard try deliver(header, bytes, start.segment, below: end, body) else { return false }
                place?.position = scanner.position
                budget -= header.length
            case .newer, .broken: continue
            case .end:
                failures = 0
                place?.position = limit
                return true
            }
        }
        return false
    }

    private func next(_ scanner: FrameScanner) throws(LogError) -> FrameScanner.Found {
        do throws(DiskError) {
            return try scanner.next()
        } catch {
            // A file that stays unreadable is damage like any other, and must not stop its consumer for ever. While
            // nothing can be written either, it is not the file.
            if log.trouble == nil { failures += 1 }
            if failures >= SegmentReader.patience { return .end }
            // Opened anew by the next call: of a disk that was away the open file is dead.
            dropPlace()
            throw LogError(log.options.topic, .disk(error))
        }
    }

    /// False when the ring has taken the segment.
    private func deliver(
        _ header: FrameHeader, _ bytes: UnsafeRawBufferPointer, _ segment: SegmentInfo, below end: UInt64,
        _ body: (LogItem) throws -> Void
    ) throws -> Bool {
        let frameEnd = min(header.droppedGap(bytes)?.end ?? header.endOffset, end)
        // What comes again, or what a failed flush left behind and the next segment has.
        if header.firstOffset > end || header.endOffset < header.firstOffset { return true }
        if header.count == 0 ? header.firstOffset < cursor.offset : frameEnd <= cursor.offset { return true }
        if header.firstOffset > cursor.offset {
            guard try reportDamage(in: segment, to: header.firstOffset, body) else { return false }
        }
        if let gap = header.droppedGap(bytes) {
            try body(.gap(Gap(epoch: gap.epoch, first: cursor.offset, end: gap.end, reason: .dropped)))
            cursor = Cursor(epoch: segment.epoch, offset: gap.end)
            return true
        }
        let offsets = max(header.firstOffset, cursor.offset)..<max(frameEnd, cursor.offset)
        try body(.frame(LogFrame(header: header, offsets: offsets, bytes: bytes)))
        cursor = Cursor(epoch: segment.epoch, offset: offsets.upperBound)
        return true
    }
}
