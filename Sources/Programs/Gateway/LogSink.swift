import API
import APITypes
import Intake
import Logging
import Metering
import ReadingLog
import Records
import Synchronization

/// Puts Intake's records into the log, and shows readings to those who watch.
///
/// What the log cannot take (a full disk for longer than memory lasts) is counted here and told once in a while.
final class LogSink: RecordSink {
    private let log: ReadingLog
    private let followers: Followers
    private let logger: Logger
    private let lostRecords = Atomic<Int>(0)
    private let names = Mutex<@Sendable (DeviceID) -> String>({ "\($0)" })

    /// `flush_interval = "0s"`: each batch is on the disk before the next is taken in.
    private let flushesEachBatch: Bool

    init(log: ReadingLog, followers: Followers, flushesEachBatch: Bool, logger: Logger) {
        self.log = log
        self.flushesEachBatch = flushesEachBatch
        self.followers = followers
        self.logger = logger
    }

    /// Records that the log did not take, since the start.
    var lost: Int { lostRecords.load(ordering: .relaxed) }

    /// How devices are called in what watchers see.
    func setNames(_ body: @escaping @Sendable (DeviceID) -> String) {
        names.withLock { $0 = body }
    }

    func number(for key: SeriesKey) -> SeriesNumber? {
        try? log.number(for: key)
    }

    func append(_ records: [Record]) {
        do {
            try log.append(records)
            if flushesEachBatch { try? log.flush(heartbeat: false) }  // what fails is told by the pipeline's next tick
        } catch {
            let before = lostRecords.add(records.count, ordering: .relaxed).oldValue
            if before == 0 || before / 1000 != (before + records.count) / 1000 {
                logger.error(
                    "readings are lost", metadata: ["records": "\(before + records.count)", "reason": "\(error)"])
            }
        }
    }

    func watch(_ readings: [Reading]) {
        guard followers.isWatched else { return }
        let name = names.withLock { $0 }
        followers.publish(
            readings.compactMap { reading in
                log.key(for: reading.series).map { ReadingAnswer(reading, key: $0, device: name($0.device)) }
            })
    }
}

extension ReadingAnswer {
    init(_ reading: Reading, key: SeriesKey, device: String) {
        self.init(
            device: device, channel: key.channel, quantity: key.quantity, time: reading.time,
            received: reading.received, value: reading.value, flags: reading.flags)
    }
}
