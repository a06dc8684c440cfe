import ReadingLog
import Records
import Simulation
import Testing

@Suite struct SnapshotTests {
    private let disk = SimulatedDisk()

    @Test func `a damaged snapshot falls back to the one before, then to none`() throws {
        let store = try SnapshotStore(directory: "/data/snapshots", fileSystem: disk)
        #expect(store.read("usage") == SnapshotReading())
        let first = Snapshot(version: 3, cursor: Cursor(epoch: 1, offset: 10), payload: [1, 2, 3])
        let second = Snapshot(version: 3, cursor: Cursor(epoch: 1, offset: 20), payload: [])
        try store.write(first, as: "usage")
        try store.write(second, as: "usage")
        #expect(store.read("usage").snapshot == second)
        disk.flipBit("/data/snapshots/usage.snapshot", at: 30, bit: 0)
        let fallback = store.read("usage")
        #expect(fallback.snapshot == first)
        #expect(fallback.isFallback)
        #expect(fallback.problems.count == 1)
        disk.flipBit("/data/snapshots/usage.snapshot.previous", at: 50, bit: 0)
        #expect(store.read("usage").snapshot == nil)
        #expect(store.read("usage").problems.count == 2)
    }

    @Test func `a crash at any call leaves the old or the new snapshot`() throws {
        for seed in 0..<200 as Range<UInt64> {
            let disk = SimulatedDisk()
            let store = try SnapshotStore(directory: "/data/snapshots", fileSystem: disk)
            for offset in 1...2 as ClosedRange<UInt64> {
                try store.write(snapshot(offset), as: "usage")
            }
            var random = SplitMix64(seed: seed)
            let die = disk.calls + Int(random.between(0, 12))
            disk.fail { _, _, call in call >= die ? 5 : nil }
            let isWritten = (try? store.write(snapshot(3), as: "usage")) != nil
            disk.crash(using: &random)
            disk.fail(nil)
            let found = try #require(store.read("usage").snapshot, "seed \(seed)")
            #expect(found == snapshot(3) || (!isWritten && found == snapshot(2)), "seed \(seed)")
        }
    }

    private func snapshot(_ offset: UInt64) -> Snapshot {
        let payload = [UInt8](repeating: UInt8(offset), count: 3000)
        return Snapshot(version: 1, cursor: Cursor(epoch: 1, offset: offset), payload: payload)
    }
}
