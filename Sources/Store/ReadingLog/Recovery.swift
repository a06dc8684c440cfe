import Disk
import Metering
import Records
import Timekeeping

/// What the files of a log amount to.
struct RecoveredLog {
    var segments: [SegmentInfo] = []
    var dictionary = SeriesDictionary()
    var epoch: UInt64 = 0
    var nextOffset: UInt64 = 0
    var lastWall = Timestamp(milliseconds: 0)
    /// Greater than any before, should another epoch have to begin.
    var newEpoch: UInt64 = 0
    /// Never used before, by a good or a damaged segment.
    var nextNumber: UInt64 = 1
    var hasPrepared = false
    /// Where to go on in the last segment; nil to begin another.
    var position: Int?
    /// The last segment has a frame, so the dictionary is at its start.
    var isBegun = false
    /// Where frames of the last segment lie, in order.
    var index: [FramePlace] = []
    var report = RecoveryReport()
}

/// A frame's first offset and its place in the active segment.
struct FramePlace: Hashable, Sendable {
    let firstOffset: UInt64
    let position: Int
}

/// Opens a log's directory: reads the header of each segment and all of the last one.
struct Recovery {
    let directory: String
    let fileSystem: any FileSystem
    let options: LogOptions
    var log = RecoveredLog()
    var headers: [UInt64: SegmentHeader] = [:]

    init(directory: String, fileSystem: any FileSystem, options: LogOptions) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
    }

    /// `newEpoch` is used when the log is new or something was cut or lost.
    mutating func run(newEpoch: UInt64) throws(DiskError) -> RecoveredLog {
        try fileSystem.createDirectory(directory)
        let names = try fileSystem.list(directory)
        log.hasPrepared = names.contains(SegmentFile.next)
        log.newEpoch = newEpoch
        let lost = readHeaders(names)
        beginNumbersAnew()
        var isBroken = lost > 0
        if let last = log.segments.last {
            log.epoch = last.epoch
            log.nextOffset = last.firstOffset
            isBroken = scanLast(last) || isBroken
            completeDictionary(before: last, isWhole: !isBroken && log.report.damagedFrames == 0)
        } else {
            isBroken = true
        }
        // Whoever saw what is lost may know its offsets: they are not given again.
        log.nextOffset += UInt64(lost) * UInt64(options.segmentSize)
        if isBroken {
            log.epoch = max(newEpoch, log.epoch + 1)
            log.position = nil
            log.report.startedEpoch = true
        }
        log.report.segments = log.segments.count
        log.report.nextOffset = log.nextOffset
        log.report.epoch = log.epoch
        return log
    }

    /// A file in the making is begun anew: what it was to become nobody knows any more. And a disk that lied may have
    /// lost a segment's name and kept its frames in the file that the next one is made of: under a number that no life
    /// before has given they are no frames.
    private mutating func beginNumbersAnew() {
        if log.hasPrepared {
            do throws(DiskError) {
                try fileSystem.remove(directory + "/" + SegmentFile.next)
                log.hasPrepared = false
            } catch {
                log.report.diskErrors.append(error)
            }
        }
        if !log.segments.isEmpty { log.nextNumber += log.newEpoch & 0xFF }
    }

    /// Fills the list of segments; returns how many files at its end cannot be read.
    private mutating func readHeaders(_ names: [String]) -> Int {
        var lost = 0
        for name in names {
            guard let number = SegmentFile.damagedNumber(name), number < 1 << 53 else { continue }
            log.nextNumber = max(log.nextNumber, number + 1)
        }
        let numbers = names.compactMap(SegmentFile.number).filter { $0 < 1 << 53 }.sorted()
        for number in numbers {
            log.nextNumber = max(log.nextNumber, number + 1)
            switch header(number) {
            case .success(let header)
            where header.number == number && header.topic == options.topic && header.partition == options.partition
                && header.firstOffset >= log.segments.last?.firstOffset ?? 0 && header.firstOffset < 1 << 62:
                headers[number] = header
                log.segments.append(
                    SegmentInfo(
                        number: number, epoch: header.epoch, firstOffset: header.firstOffset,
                        size: Int(header.size)))
                log.lastWall = max(log.lastWall, header.created)
                lost = 0
            case .failure(.newer(let version)):
                log.report.newerFormat = max(version, log.report.newerFormat ?? 0)
            case .success, .failure(.damaged):
                setAside(number)
                lost += 1
            case nil:
                lost += 1
            }
        }
        return lost
    }

    /// Nil when the file system refuses: then the file keeps its name, since it may be readable next time.
    private mutating func header(_ number: UInt64) -> Result<SegmentHeader, SegmentHeader.Failure>? {
        do throws(DiskError) {
            let file = try fileSystem.open(path(number), .read)
            defer { file.close() }
            // One page of each of some hundred files: reading ahead would make megabytes of them.
            file.expectScatteredReads()
            let bytes = try file.read(at: 0, count: SegmentHeader.length)
            do throws(SegmentHeader.Failure) {
                return .success(try SegmentHeader.decode(bytes))
            } catch {
                return .failure(error)
            }
        } catch {
            log.report.diskErrors.append(error)
            return nil
        }
    }

    private mutating func setAside(_ number: UInt64) {
        let name = SegmentFile.damagedName(number)
        do throws(DiskError) {
            try fileSystem.rename(path(number), to: directory + "/" + name)
            try dropDamaged(keeping: name)
            try fileSystem.syncDirectory(directory)
        } catch {
            log.report.diskErrors.append(error)
        }
        log.report.setAside.append(name)
    }

    /// A disk that goes bad bit by bit must not fill up with what nobody can read.
    private func dropDamaged(keeping name: String) throws(DiskError) {
        let kept = try fileSystem.list(directory).filter { SegmentFile.damagedNumber($0) != nil && $0 != name }
        for old in kept.dropLast(Recovery.maximumDamagedFiles - 1) { try fileSystem.remove(directory + "/" + old) }
    }

    /// Files set aside that are kept; the oldest of more go.
    static let maximumDamagedFiles = 4

    func path(_ number: UInt64) -> String { directory + "/" + SegmentFile.name(number) }
}
