import Disk
import History
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping

// What a session does between two crashes.
extension FuzzRun {
    enum Outcome {
        case goesOn
        /// Power fails right after this.
        case cut
    }

    func work(_ session: Session) throws -> Outcome {
        switch random.between(0, 99) {
        case 0..<48: append(session)
        case 48..<74: flush(session)
        case 74..<80: attempt("history follows") { try session.history.follow() }
        case 80..<82: attempt("history seals") { try session.history.seal() }
        case 82..<88:
            let limit = Int(random.between(1, 16 << 10))
            attempt("consumer reads \(limit)") { try session.consumer.follow(limitBytes: limit) }
        case 88..<92: snapshot(session)
        case 92..<96: try send(session)
        case 96..<98: return try sendAndCut(session)
        default: try pull(session)
        }
        if canary == .released { session.log.hold(History.consumerName, at: session.log.end) }
        return .goesOn
    }

    /// Whatever the disk refuses is the store's to bear.
    private func attempt(_ what: @autoclosure () -> String, _ body: () throws -> Void) {
        do {
            try body()
            note(what())
        } catch {
            note("\(what()): \(error)")
        }
    }

    private func append(_ session: Session) {
        let isLarge = random.chance(mood == .flaky ? 60 : 15)
        let records = (0..<random.between(1, 4)).map { _ in
            record(session, count: isLarge ? random.between(100, 250) : random.between(1, 8))
        }
        attempt("appends \(records.count) records at \(session.log.end.offset)") {
            let first = try session.log.append(records)
            model.append(first.offset, records)
            noteAppended(records, session.log)
        }
    }

    /// Readings in whole seconds: most of them new, some late, some a second time with another value.
    private func record(_ session: Session, count: Int64) -> Record {
        if random.chance(30) {
            nextValue += 1
            return .clock(ClockState(offset: nextValue, synchronized: true, at: clock.now().wall))
        }
        let now = clock.now().wall
        var readings: [Reading] = []
        for i in 0..<count {
            let index = Int(random.between(0, Int64(FuzzRun.seriesCount) - 1))
            guard let number = try? session.log.number(for: FuzzRun.key(index)) else { continue }
            nextValue += 1
            let late = random.chance(50) ? random.between(1, 900) * 1000 : 0
            readings.append(
                Reading(
                    series: number, time: Timestamp(milliseconds: (now.milliseconds - late + i * 1000) / 1000 * 1000),
                    received: now, value: nextValue * 10))
        }
        return .readings(readings)
    }

    static func key(_ i: Int) -> SeriesKey {
        SeriesKey(device: DeviceID(high: 9, low: UInt64(i)), channel: .total, quantity: .power)
    }

    func flush(_ session: Session) {
        let before = session.log.durable.offset
        writes.begin()
        let heartbeat = random.chance(200)
        attempt("flushes") { try session.log.flush(heartbeat: heartbeat) }
        if mood == .rotten {
            // Up to the end, since what failed may have arrived all the same.
            flushes.append(WriteLog.Flush(offsets: before..<session.log.end.offset, writes: writes.end()))
        }
    }

    private func snapshot(_ session: Session) {
        let padding = Int(random.between(0, 3000))
        let cursor = canary == .ahead ? session.log.durable : session.consumer.cursor
        attempt("consumer rests at \(cursor.offset)") {
            try session.consumer.snapshot(session.log, session.snapshots, padding: padding, at: cursor)
        }
    }

    private func send(_ session: Session) throws {
        let limit = Int(random.between(1, 32 << 10))
        attempt("uplink sends from \(remote.cursor.offset)") {
            try remote.read(session.log, limitBytes: limit, isHonest: isExact)
        }
        if let complaint = remote.complaint { throw Finding("uplink: \(complaint)") }
    }

    /// What was appended and not synced may not have been sent, and what was sent must outlive the cut.
    private func sendAndCut(_ session: Session) throws -> Outcome {
        append(session)
        if random.chance(500) { flush(session) }
        append(session)
        attempt("uplink sends all") {
            try remote.read(session.log, limitBytes: 1 << 20, isHonest: isExact)
        }
        if let complaint = remote.complaint { throw Finding("uplink: \(complaint)") }
        return .cut
    }

    /// The card is pulled and comes back while the store is open.
    private func pull(_ session: Session) throws {
        guard mood == .honest || mood == .flaky, canary == nil else { return }
        disk.detach()
        note("the disk is pulled")
        let durable = session.log.durable
        for _ in 0..<random.between(1, 4) {
            append(session)
            flush(session)
            attempt("history follows") { try session.history.follow() }
            attempt("consumer reads") { try session.consumer.follow(limitBytes: 4096) }
        }
        try require(session.log.durable == durable, "durable without a disk")
        disk.attach()
        note("the disk is back")
    }
}
