import Disk
import Metering
import Records
import Timekeeping

/// Begins a new epoch in the files of a log that nobody has open: after a restore, so that two different records never
/// have the same gateway, epoch and offset.
public enum EpochStart {
    /// Opens the log as a start would, and makes a new, empty segment of a new epoch its last. Returns the cursor at
    /// which the next record goes. Where opening begins a new epoch by itself, that is
    /// the one. A log of a newer format is left as it is.
    /// The new segment has the size of the last one.
    @discardableResult
    public static func begin(
        directory: String, fileSystem: any FileSystem, options: LogOptions, clock: any Clock,
        using generator: inout some RandomNumberGenerator
    ) throws(LogError) -> Cursor {
        try options.check()
        let place = "\(directory)/\(options.topic.name)/\(options.partition)"
        let now = clock.now()
        let wall = now.wall
        let random = UInt64(truncatingIfNeeded: generator.next() & 0xFFFF as UInt64)
        let newEpoch = (UInt64(clamping: wall.milliseconds) & 0xFFFF_FFFF_FFFF) << 16 | random
        var recovery = Recovery(directory: place, fileSystem: fileSystem, options: options)
        do throws(DiskError) {
            let log = try recovery.run(newEpoch: newEpoch)
            guard log.report.newerFormat == nil else { return Cursor(epoch: log.epoch, offset: log.nextOffset) }
            let epoch = log.report.startedEpoch ? log.epoch : max(newEpoch, log.epoch + 1)
            var options = options
            // A head can say a size that no segment has.
            if let size = log.segments.last?.size, LogOptions.isSegmentSize(size) { options.segmentSize = size }
            var writer = SegmentWriter(
                directory: place, fileSystem: fileSystem, options: options, nextNumber: log.nextNumber,
                hasPrepared: log.hasPrepared)
            let begun = ClockReading(
                wall: max(wall, log.lastWall), monotonic: now.monotonic, synchronized: now.synchronized)
            _ = try writer.begin(
                epoch: epoch, firstOffset: log.nextOffset, created: begun, wall: begun.wall,
                dictionary: log.dictionary)
            return Cursor(epoch: epoch, offset: log.nextOffset)
        } catch {
            throw LogError(options.topic, .disk(error))
        }
    }
}
