import Disk
import Glibc
import Metering
import ReadingLog
import Records
import Simulation
import Synchronization
import Testing
import Timekeeping

@Suite struct RingTests {
    /// Fills `flushes` pages.
    private func fill(_ log: ReadingLog, _ world: LogWorld, flushes: Range<Int>) throws {
        let number = try log.number(for: LogWorld.key(0))
        for i in flushes {
            try log.append([world.record(i, number)])
            try log.flush()
        }
    }

    @Test func `a cursor that the ring has overtaken gets a gap and then the oldest record`() throws {
        var world = LogWorld()
        world.options.budget = 3 * 64 << 10
        let log = try world.open()
        let start = log.end
        try fill(log, world, flushes: 0..<100)
        let received = try Received(log, from: start)
        #expect(log.statistics.recycledSegments > 0)
        let gap = Gap(epoch: start.epoch, first: 0, end: log.oldest.offset, reason: .overwritten)
        #expect(received.gaps == [gap])
        #expect(received.offsets == Array(log.oldest.offset..<100))
        #expect(world.disk.bytesUsed <= 3 * 64 << 10)
        let again = try world.open()
        #expect(try Received(again).offsets == received.offsets)
        #expect(again.key(for: SeriesNumber(0)) == LogWorld.key(0))
    }

    @Test func `a held segment is not overwritten, and the error names the consumer`() throws {
        var world = LogWorld()
        world.options.budget = 3 * 64 << 10
        let log = try world.open()
        log.hold("usage", at: log.end)
        #expect(throws: LogError(.facts, .ringHeld(consumer: "usage"))) {
            try fill(log, world, flushes: 0..<100)
        }
        let durable = log.durable
        #expect(try Received(log, from: .oldest).offsets == Array(0..<durable.offset))
        // The consumer goes on, and what waited is written.
        log.hold("usage", at: durable)
        try log.flush()
        #expect(log.durable == log.end)
        #expect(log.durable.offset == durable.offset + 1)
    }

    @Test func `a failing disk makes nothing durable, and all comes when it works again`() throws {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(0, number)])
        try log.flush()
        for errno in [EIO, ENOSPC] {
            let before = log.durable
            world.disk.fail { operation, _, _ in operation == .write ? errno : nil }
            try log.append([world.record(Int(before.offset), number)])
            #expect(throws: LogError.self) { try log.flush() }
            #expect(log.durable == before)
            world.disk.fail { operation, _, _ in operation == .sync ? errno : nil }
            #expect(throws: LogError.self) { try log.flush() }
            #expect(log.durable == before)
            world.disk.fail(nil)
            try log.flush()
            #expect(log.durable.offset == before.offset + 1)
        }
        #expect(log.statistics.failedFlushes == 4)
        let received = try Received(try world.open())
        #expect(received.offsets == [0, 1, 2])
        #expect(received.gaps.isEmpty)
    }

    @Test func `a full disk below the budget makes the ring smaller`() throws {
        var world = LogWorld()
        world.disk.setCapacity(3 * 64 << 10)
        let log = try world.open()
        try fill(log, world, flushes: 0..<100)
        #expect(log.durable.offset == 100)
        #expect(log.statistics.recycledSegments > 0)
    }

    @Test func `a disk that lied is noticed by its consumer, and offsets go on above`() throws {
        var losses = 0
        for seed in 0..<20 as Range<UInt64> {
            var world = LogWorld()
            var log = try world.open()
            try fill(log, world, flushes: 0..<3)
            world.disk.setLies(true)
            try fill(log, world, flushes: 3..<6)
            let seen = log.durable
            var random = SplitMix64(seed: seed)
            world.disk.crash(using: &random)
            world.disk.setLies(false)
            log = try world.open()
            if log.end.offset < seen.offset {
                losses += 1
                var received = try Received(log, from: seen)
                #expect(received.rewinds.count == 1, "seed \(seed)")
                log.hold("uplink", at: seen)
                #expect(log.end.offset == seen.offset, "seed \(seed)")
                #expect(log.end.epoch > seen.epoch, "seed \(seed)")
                let number = try log.number(for: LogWorld.key(0))
                let at = try log.append([world.record(50, number)])
                try log.flush()
                received = try Received(log, from: seen)
                #expect(received.offsets == [at.offset], "seed \(seed)")
                #expect(received.rewinds.isEmpty && received.gaps.isEmpty, "seed \(seed)")
            }
        }
        #expect(losses > 0)
    }

    @Test func `a heartbeat carries log time, and a listener hears of it`() throws {
        var world = LogWorld()
        let log = try world.open()
        let heard = Mutex(0)
        let id = log.notify { heard.withLock { $0 += 1 } }
        let reader = log.reader(from: .oldest)
        var received = try Received(log)
        try log.flush()
        #expect(heard.withLock { $0 } == 0)
        world.clock.advance(by: 10_000)
        try log.flush(heartbeat: true)
        world.clock.setWall(LogWorld.start)  // set back: log time stands, it does not fall
        try log.flush(heartbeat: true)
        #expect(heard.withLock { $0 } == 2)
        received.walls = []
        try received.read(reader)
        #expect(received.walls == [LogWorld.start + 10_000, LogWorld.start + 10_000])
        log.stopNotifying(id)
        try log.flush(heartbeat: true)
        #expect(heard.withLock { $0 } == 2)
        received.walls = []
        try received.read(reader)
        #expect(received.walls.count == 1)
    }
}
