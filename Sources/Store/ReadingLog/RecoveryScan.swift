import Disk
import Glibc
import Metering
import Records
import Timekeeping

/// Reading the last segment to its end.
extension Recovery {
    /// Takes over what the last segment holds; true when something was cut or is missing.
    mutating func scanLast(_ last: SegmentInfo) -> Bool {
        do throws(DiskError) {
            let file = try fileSystem.open(path(last.number), .read)
            defer { file.close() }
            // After a kill the kernel may still hold what the disk lacks; what is reported durable must be on it.
            do throws(DiskError) {
                try file.sync()
                try fileSystem.syncDirectory(directory)
            } catch {
                // A disk that has become read-only, as ext4 does after an error, can still be read.
                guard error.isReadOnly else { throw error }
                log.report.diskErrors.append(error)
            }
            return try scan(file, last)
        } catch {
            log.report.diskErrors.append(error)
            // Nobody knows how many offsets the rest has used; a segment cannot hold more than it has bytes.
            log.nextOffset = last.firstOffset + UInt64(last.size)
            return true
        }
    }

    private mutating func scan(_ file: any File, _ last: SegmentInfo) throws(DiskError) -> Bool {
        let scanner = FrameScanner(file, of: last, from: SegmentHeader.pageSize, to: last.size)
        var goodEnd = SegmentHeader.pageSize
        var broken: [(at: Int, end: Int)] = []
        scanning: while true {
            switch try scanner.next() {
            case .frame(let header, let at, let bytes):
                log.report.damagedFrames += broken.count
                broken.removeAll()
                goodEnd = scanner.position
                take(header, at, bytes)
            case .newer:
                goodEnd = scanner.position
                log.report.newerFormat = max(SegmentHeader.version + 1, log.report.newerFormat ?? 0)
            case .broken(let at, let length): broken.append((at, at + length))
            case .end: break scanning
            }
        }
        log.isBegun = goodEnd > SegmentHeader.pageSize
        // Begun by a version that declared the series with the first flush: it goes on in a segment that does.
        let isNameless = !log.isBegun && headers[last.number]?.seriesCount ?? 0 > 0
        let page = SegmentHeader.pageSize
        let tail = (goodEnd + page - 1) / page * page
        log.position = isNameless ? nil : tail
        var cutEnd = broken.map(\.end).max() ?? tail
        if headers[last.number]?.isNewFile == true { cutEnd = max(cutEnd, try lastNonZero(file, from: tail) ?? tail) }
        if cutEnd > tail || !broken.isEmpty {
            log.report.tornBytes = max(cutEnd - tail, 1)
            copyAside(file, last, tail, cutEnd)
        }
        let isBroken = log.report.tornBytes > 0 || log.report.missingOffsets > 0
        if isBroken { try skipUsedNumbers(file, last) }
        return isBroken
    }

    private mutating func take(_ header: FrameHeader, _ at: Int, _ bytes: UnsafeRawBufferPointer) {
        // A frame that repeats offsets is the remainder of a flush that failed and was done again.
        let end = header.droppedGap(bytes)?.end ?? header.endOffset
        guard header.firstOffset < 1 << 62, header.count == 0 || end > log.nextOffset else { return }
        if header.firstOffset > log.nextOffset {
            log.report.missingOffsets += header.firstOffset - log.nextOffset
        }
        log.nextOffset = max(log.nextOffset, end)
        log.lastWall = max(log.lastWall, header.wall)
        log.index.append(FramePlace(firstOffset: header.firstOffset, position: at))
        guard let entries = try? Frame.dictionary(bytes, header) else { return }
        for (number, key) in entries { log.dictionary.insert(number, key) }
    }

    /// The end of the last 8 bytes that are not zero; nil where all are.
    private func lastNonZero(_ file: any File, from start: Int) throws(DiskError) -> Int? {
        var last: Int?
        var position = start
        while true {
            let bytes = try file.read(at: Int64(position), count: 64 << 10)
            if bytes.isEmpty { return last }
            bytes.withUnsafeBytes { buffer in
                guard let base = buffer.baseAddress, buffer[0] != 0 || memcmp(base, base + 1, buffer.count - 1) != 0
                else { return }
                for i in stride(from: 0, to: buffer.count & ~7, by: 8)
                where buffer.loadUnaligned(fromByteOffset: i, as: UInt64.self) != 0 { last = position + i + 8 }
            }
            position += bytes.count
        }
    }

    /// Keeps a copy of what is cut, for a person to look at; bounded, and never a reason not to start.
    private mutating func copyAside(_ file: any File, _ last: SegmentInfo, _ start: Int, _ end: Int) {
        let name = SegmentFile.tornName(last.number, position: start)
        do throws(DiskError) {
            var copies = try fileSystem.list(directory).filter { SegmentFile.isTorn($0) && $0 != name }
            while copies.count >= Recovery.maximumTornCopies {
                try fileSystem.remove(directory + "/" + copies.removeFirst())
            }
            let bytes = try file.read(at: Int64(start), count: min(max(0, end - start), Recovery.maximumTornBytes))
            try AtomicFile.write(bytes, to: directory + "/" + name, in: fileSystem)
            log.report.tornCopy = name
        } catch {
            log.report.diskErrors.append(error)
        }
    }

    private static let maximumTornCopies = 8
    private static let maximumTornBytes = 1 << 20

    /// A frame that is lost may have declared series; their numbers are not given to others while readings with
    /// them are in the log.
    private mutating func skipUsedNumbers(_ file: any File, _ last: SegmentInfo) throws(DiskError) {
        let scanner = FrameScanner(file, of: last, from: SegmentHeader.pageSize, to: last.size)
        var next: UInt32 = 0
        while true {
            switch try scanner.next() {
            case .frame(let header, _, let bytes):
                // A frame that cannot be decoded names no series.
                try? Frame.records(bytes, header) { _, record in
                    guard case .readings(let readings) = record else { return }
                    for reading in readings where reading.series.value < 1 << 20 {
                        next = max(next, reading.series.value + 1)
                    }
                }
            case .newer, .broken: continue
            case .end:
                log.dictionary.skip(to: SeriesNumber(next))
                return
            }
        }
    }

    /// Looks for declarations in older segments where the last one does not have them all: because it has no frame
    /// yet, or because the frame that had them is damaged.
    mutating func completeDictionary(before last: SegmentInfo, isWhole: Bool) {
        let wanted = min(headers[last.number]?.seriesCount ?? 0, UInt32(SeriesDictionary.maximumCount))
        // What it lacks was lost before it was begun, and told then; unless its first page, which declares, never came
        // to the disk.
        if isWhole, log.isBegun, log.index.first?.position == SegmentHeader.pageSize {
            return log.dictionary.skip(to: SeriesNumber(wanted))
        }
        let older = log.segments.dropLast().suffix(Recovery.segmentsSearched)
        for segment in older.reversed() where log.dictionary.count < wanted {
            do throws(DiskError) {
                let file = try fileSystem.open(path(segment.number), .read)
                defer { file.close() }
                try takeDeclarations(file, segment)
            } catch {
                log.report.diskErrors.append(error)
            }
        }
        log.dictionary.skip(to: SeriesNumber(wanted))
        // A segment without a frame may count series that were new in the write which never became durable: no reading
        // has them.
        let begun = log.isBegun ? last : log.segments.dropLast().last
        let used = max(begun.flatMap { headers[$0.number]?.seriesCount } ?? 0, log.dictionary.highest)
        log.report.lostSeries = max(0, Int(used) - log.dictionary.count)
    }

    private static let segmentsSearched = 8

    private mutating func takeDeclarations(_ file: any File, _ segment: SegmentInfo) throws(DiskError) {
        let scanner = FrameScanner(file, of: segment, from: SegmentHeader.pageSize, to: segment.size)
        while true {
            switch try scanner.next() {
            case .frame(let header, _, let bytes):
                log.lastWall = max(log.lastWall, header.wall)
                guard let entries = try? Frame.dictionary(bytes, header) else { continue }
                for (number, key) in entries where log.dictionary[number] == nil && log.dictionary[key] == nil {
                    log.dictionary.insert(number, key)
                }
            case .newer, .broken: continue
            case .end: return
            }
        }
    }
}
