import Metering
import Records
import Timekeeping

// When neither the disk nor memory has room: the oldest readings go, and a gap stands where they were.
extension PendingFrames {
    /// What was given up.
    struct Dropped: Hashable, Sendable {
        var records = 0
        var readings = 0
    }

    /// Gives up readings, the oldest first and a frame at a time, until no more than `ceiling` bytes are taken or no
    /// reading is left. Records of other kinds stay: they are few, and results depend on each of them.
    mutating func dropOldest(to ceiling: Int, now: () -> ClockReading) -> Dropped {
        var dropped = Dropped()
        var from = 0
        while memory > ceiling {
            guard let i = closed[from...].firstIndex(where: { !$0.isKept }) else {
                if open.isEmpty { break }
                close(now())
                continue
            }
            let pieces = pieces(of: closed[i], &dropped)
            closedMemory += pieces.reduce(-closed[i].memory) { $0 + $1.memory }
            closed.replaceSubrange(i...i, with: pieces)
            if i > 0, joinGaps(at: i - 1) { from = i - 1 } else { from = i }
        }
        return dropped
    }

    /// A frame without its readings: gaps for runs of them, frames for what lies between.
    private func pieces(of frame: ClosedFrame, _ dropped: inout Dropped) -> [ClosedFrame] {
        var pieces: [ClosedFrame] = []
        var offset = frame.header.firstOffset
        frame.records.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            while !reader.isAtEnd {
                let start = reader.position
                // What this log encoded it can decode.
                guard let record = try? reader.record(wall: frame.header.wall) else { break }
                if case .readings(let readings) = record {
                    dropped.records += 1
                    dropped.readings += readings.count
                    if let last = pieces.indices.last, let end = pieces[last].gapEnd {
                        pieces[last] = gap(from: pieces[last].header.firstOffset, to: end + 1, like: frame)
                    } else {
                        pieces.append(gap(from: offset, to: offset + 1, like: frame))
                    }
                } else {
                    let bytes = buffer[start..<reader.position]
                    if let last = pieces.indices.last, pieces[last].gapEnd == nil {
                        pieces[last].header.count += 1
                        pieces[last].records.append(contentsOf: bytes)
                    } else {
                        var kept = ClosedFrame(header: frame.header, dictionary: [], records: Array(bytes))
                        kept.header.firstOffset = offset
                        kept.header.count = 1
                        kept.isKept = true
                        pieces.append(kept)
                    }
                }
                offset += 1
            }
        }
        // Declarations come before all that may use them.
        if pieces.isEmpty {
            var kept = frame
            kept.isKept = true
            return [kept]
        }
        pieces[0].dictionary = frame.dictionary
        return pieces
    }

    private func gap(from first: UInt64, to end: UInt64, like frame: ClosedFrame) -> ClosedFrame {
        var header = frame.header
        header.firstOffset = first
        header.count = 1
        let gap = Gap(epoch: header.epoch, first: first, end: end, reason: .dropped)
        var writer = ByteWriter()
        writer.record(.gap(gap), wall: header.wall)
        return ClosedFrame(header: header, dictionary: [], records: writer.bytes, gapEnd: end, isKept: true)
    }

    /// Makes one gap of the frames at `i` and `i + 1` where both are gaps whose declarations fit in one frame.
    private mutating func joinGaps(at i: Int) -> Bool {
        let (first, second) = (closed[i], closed[i + 1])
        guard first.gapEnd == second.header.firstOffset, let end = second.gapEnd,
            first.dictionary.count + second.dictionary.count <= limits.target
        else { return false }
        // The later frame's times: log time goes on although its readings are gone.
        var joined = gap(from: first.header.firstOffset, to: end, like: second)
        joined.dictionary = first.dictionary + second.dictionary
        closedMemory += joined.memory - first.memory - second.memory
        closed.replaceSubrange(i...i + 1, with: [joined])
        return true
    }
}

extension FrameHeader {
    /// The gap that the frame stands for, where it stands for one: its only record names the offsets from its own on
    /// that never reached the disk.
    func droppedGap(_ bytes: UnsafeRawBufferPointer) -> Gap? {
        let start = FrameHeader.size + dictionaryLength
        // A look at the kind first, since nearly every frame holds readings.
        guard count == 1, start < length, bytes[start] == 6 else { return nil }
        var found: Gap?
        try? Frame.records(bytes, self) { _, record in
            if case .gap(let gap) = record { found = gap }
        }
        guard let found, found.reason == .dropped, found.epoch == epoch, found.first == firstOffset,
            found.end > firstOffset, found.end < 1 << 62
        else { return nil }
        return found
    }
}
