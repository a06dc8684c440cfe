import Disk
import Glibc
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// A disk that is full, read-only or away: what waits, what is given up, and how it goes on.
@Suite struct DiskTroubleTests {
    private func smallMemory() -> LogWorld {
        var world = LogWorld()
        world.options.memoryCeiling = 64 << 10
        return world
    }

    @Test(arguments: [ENOSPC, EROFS, EIO])
    func `what fits neither disk nor memory is dropped from the oldest on, counted, and leaves a gap`(
        errno: CInt
    ) throws {
        var world = smallMemory()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(0, number)])
        try log.flush()
        world.disk.fail { operation, _, _ in [.write, .sync, .preallocate, .create].contains(operation) ? errno : nil }
        for i in 1..<1000 {
            try log.append([world.record(i, number, count: 20)])
            if i % 7 == 0 { #expect(throws: LogError.self) { try log.flush() } }
            #expect(log.statistics.waitingBytes <= 64 << 10)
        }
        #expect(log.durable.offset == 1)
        #expect(log.trouble != nil)
        world.disk.fail(nil)
        try log.flush(heartbeat: true)
        #expect(log.trouble == nil)
        #expect(log.durable == log.end)
        let dropped = UInt64(log.statistics.droppedRecords)
        #expect(dropped > 0 && log.statistics.droppedReadings == Int(dropped) * 20)
        // The same before and after a restart; nothing was cut, so the epoch goes on.
        for log in [log, try world.open()] {
            let received = try Received(log)
            #expect(received.offsets == [0] + Array(1 + dropped..<1000))
            #expect(received.gaps == [Gap(epoch: log.end.epoch, first: 1, end: 1 + dropped, reason: .dropped)])
            #expect(log.report.missingOffsets == 0)
        }
    }

    @Test func `records other than readings outlive a full memory, in their places`() throws {
        var world = smallMemory()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        world.disk.fail { operation, _, _ in operation == .write ? ENOSPC : nil }
        var kept: [UInt64] = []
        for i in 0..<400 {
            if i % 40 == 3 {
                let clock = ClockState(offset: Int64(i), synchronized: true, at: LogWorld.start)
                kept.append(try log.append([.clock(clock)]).offset)
            }
            try log.append([world.record(i, number, count: 20)])
        }
        // Series that only dropped records used keep their numbers.
        let late = try log.number(for: LogWorld.key(1))
        world.disk.fail(nil)
        try log.flush()
        let again = try world.open()
        #expect(again.key(for: number) == LogWorld.key(0) && again.key(for: late) == LogWorld.key(1))
        let received = try Received(again)
        let clocks = received.records.filter { if case .clock = $0.record { true } else { false } }
        #expect(clocks.map(\.offset) == kept)
        #expect(received.gaps.allSatisfy { $0.reason == .dropped })
        let gone = received.gaps.reduce(0) { $0 + $1.end - $1.first }
        #expect(gone == UInt64(log.statistics.droppedRecords) && gone > 0)
        #expect(UInt64(received.offsets.count) + gone == again.end.offset)
    }

    @Test func `a consumer does not take a disk that is away for damage`() throws {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        for i in 0..<40 {
            try log.append([world.record(i, number)])
            try log.flush()
        }
        let reader = log.reader(from: .oldest)
        var received = Received(reader)
        _ = try reader.read(limitBytes: 1) { received.take($0) }
        // Every file is gone, as an empty mount point has it, and what was open gives errors.
        world.disk.detach()
        for i in 40..<60 {
            try log.append([world.record(i, number)])
            #expect(throws: LogError.self) { try log.flush() }
            #expect(throws: LogError.self) { try received.read(reader) }
        }
        guard case .displaced = log.trouble?.reason else {
            Issue.record("\(String(describing: log.trouble))")
            return
        }
        world.disk.attach()
        try log.flush()
        try received.read(reader)
        #expect(received.offsets == Array(0..<60))
        #expect(received.gaps.isEmpty && received.rewinds.isEmpty)
    }

    @Test func `another disk in the place of ours is not written into`() throws {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(0, number)])
        try log.flush()
        world.disk.detach()
        // A log of another gateway, in the very same place.
        var other = LogWorld()
        other.options.gateway = GatewayID(high: 5, low: 6)
        let strange = try other.open()
        try strange.append([other.record(0, try strange.number(for: LogWorld.key(0)))])
        try strange.flush()
        let file = try #require(other.disk.contents(other.segment(1)))
        world.disk.put(file, at: world.segment(1))
        let before = world.disk.bytesWritten
        for i in 1..<5 {
            try log.append([world.record(i, number)])
            #expect(throws: LogError.self) { try log.flush() }
        }
        #expect(world.disk.bytesWritten == before)
        world.disk.attach()
        try log.flush()
        #expect(try Received(try world.open()).offsets == Array(0..<5))
    }

    @Test func `damaged files that were set aside do not fill the disk`() throws {
        var world = LogWorld()
        for round in 0..<8 {
            let log = try world.open()
            let number = try log.number(for: LogWorld.key(0))
            try log.append([world.record(round, number)])
            try log.flush()
            let last = try #require(try world.disk.list(world.directoryPath).last { $0.hasSuffix(".log") })
            world.disk.flipBit(world.path(last), at: 20, bit: 3)
        }
        let log = try world.open()
        #expect(log.report.setAside.count == 1)
        let kept = try world.disk.list(world.directoryPath).filter { $0.hasSuffix(".damaged") }
        #expect(kept.count == 4)
        #expect(kept.last == log.report.setAside[0])
    }

    @Test func `opening a gigabyte of log reads its headers and the last segment`() throws {
        var world = LogWorld()
        world.options.budget = 256 * 64 << 10
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        for i in 0..<256 * 15 {
            try log.append([world.record(i, number)])
            try log.flush()
        }
        let before = world.disk.bytesRead
        let again = try world.open()
        #expect(again.report.segments == 256)
        // In segments of 4 MiB the same is 256 pages and 12 MiB.
        #expect(world.disk.bytesRead - before <= 256 * 4096 + 3 * 64 << 10)
    }
}
