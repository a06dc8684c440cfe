import Disk
import Glibc
import ReadingLog
import Records
import Simulation
import Synchronization
import Testing

@Suite struct LongFlushTests {
    /// What went to the disk, in order.
    private final class Journal: Sendable {
        private let events = Mutex<[SimulatedDisk.Event]>([])

        func note(_ event: SimulatedDisk.Event) { events.withLock { $0.append(event) } }
        func clear() { events.withLock { $0 = [] } }

        /// Where each write into a segment began and ended, up to the first sync of one.
        var writes: [Range<Int>] {
            var writes: [Range<Int>] = []
            for event in events.withLock({ $0 }) {
                switch event {
                case .write(let path, let position, let count) where path.contains("/segment-0"):
                    writes.append(position..<position + count)
                case .synced(let path) where path.contains("/segment-0"): return writes
                default: break
                }
            }
            return writes
        }
    }

    @Test func `a long flush goes out in pieces of whole pages, one behind the other, and then one sync`() throws {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(0, number)])
        try log.flush()
        let journal = Journal()
        world.disk.observe(journal.note)
        for i in 1...60 { try log.append([world.record(i, number, count: 100)]) }
        try log.flush()
        let writes = journal.writes
        #expect(writes.count > 2)
        #expect(writes.allSatisfy { $0.lowerBound % 4096 == 0 && $0.upperBound % 4096 == 0 && $0.count <= 24 << 10 })
        #expect(zip(writes, writes.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(try Received(log).offsets == Array(0..<61))
        #expect(try Received(world.open()).offsets == Array(0..<61))
    }

    @Test func `a long flush whose second piece fails is no flush, and comes again whole`() throws {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(0, number)])
        try log.flush()
        for i in 1...60 { try log.append([world.record(i, number, count: 100)]) }
        let count = Mutex(0)
        world.disk.fail { operation, _, _ in
            guard operation == .write else { return nil }
            return count.withLock {
                $0 += 1; return $0 > 1
            } ? EIO : nil
        }
        #expect(throws: LogError.self) { try log.flush() }
        #expect(log.durable.offset == 1)
        world.disk.fail(nil)
        try log.flush()
        #expect(log.durable.offset == 61)
        let received = try Received(log)
        #expect(received.offsets == Array(0..<61) && received.gaps.isEmpty)
        let again = try Received(world.open())
        #expect(again.offsets == Array(0..<61) && again.gaps.isEmpty)
    }
}
