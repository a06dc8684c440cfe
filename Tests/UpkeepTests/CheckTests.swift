import Disk
import Foundation
import History
import Metering
import ReadingLog
import Records
import Testing
import Timekeeping
import Upkeep

/// The check names the file and the place of each damage, and no whole store is called damaged.
@Suite struct CheckTests {
    @Test func `a home that is whole has nothing to be told`() throws {
        let world = try StoredWorld()
        try world.settle()
        #expect(try world.findings(world.directory) == [])
        var check = StoreCheck(world.directory, fileSystem: world.disk, isLive: false)
        try check.run { _ in }
        #expect(check.totals.readings == StoredWorld.minutes * 6 * StoredWorld.keys.count)
        #expect(check.totals.snapshots == 1)
        #expect(check.totals.values >= StoredWorld.minutes * 6 * StoredWorld.keys.count)
    }

    @Test func `a flipped bit in a frame is found where it lies, with what is missing`() throws {
        let world = try StoredWorld()
        try world.settle()
        let segments = try world.files(world.directory.log).filter { $0.hasSuffix(".log") }
        try #require(segments.count > 1)
        try world.flip(segments[0], at: 20_530)
        let found = try world.findings(world.directory).filter { $0.severity == .damage }
        #expect(found.count == 1)
        let first = try #require(found.first)
        #expect(first.path == segments[0])
        #expect((20_480...20_480 + 8_192).contains(Int(first.position ?? 0)), "\(first)")
        #expect(first.reason.contains("records are missing"))
    }

    @Test func `a flipped bit in a block, an index and a snapshot is found`() throws {
        let world = try StoredWorld()
        try world.settle()
        let blocks = try world.files(world.directory.history).filter { $0.contains("/raw/") && $0.hasSuffix(".blk") }
        try #require(blocks.count == 2)
        try world.flip(blocks[0], at: 60)
        let size = try Data(contentsOf: URL(fileURLWithPath: blocks[1])).count
        try world.flip(blocks[1], at: size - 100)
        let snapshot = world.directory.snapshots + "/test.snapshot"
        try world.flip(snapshot, at: 50)
        let found = try world.findings(world.directory).filter { $0.severity == .damage }
        #expect(Set(found.map(\.path)) == [blocks[0], blocks[1], snapshot], "\(found)")
        #expect(found.first { $0.path == blocks[0] }?.position != nil)
    }

    @Test func `garbage in the gateway's identity is found, and a repair writes what the log knows`() throws {
        let world = try StoredWorld()
        try world.settle()
        let path = world.directory.identity
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let boot = BootID(bytes: [UInt8](repeating: 3, count: 16))
        func repaired(_ fileSystem: any FileSystem) throws -> [String] {
            try Repair(world.directory, fileSystem: fileSystem, clock: world.clock, boot: boot)
                .run(opensLedger: false, using: &world.generator).filter { $0.contains(path) }
        }
        for garbage in [Data("garbage\n".utf8), Data(), Data(repeating: 7, count: 1000)] {
            try garbage.write(to: URL(fileURLWithPath: path))
            let found = try world.findings(world.directory)
            #expect(found.map(\.path) == [path] && found.first?.severity == .damage, "\(found)")
            let told = try repaired(OverlayFileSystem(over: world.disk))
            #expect(told.count == 1 && told.first?.contains("set aside") == true, "\(told)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == garbage)
            #expect(try repaired(world.disk) == told)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".damaged")) == garbage)
        }
        #expect(try repaired(world.disk) == [])
        #expect(try world.findings(world.directory).filter { $0.path == path } == [])
        try Data("\(GatewayID(high: 1, low: 1))\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try world.findings(world.directory).first { $0.path == path }?.severity == .damage)
    }

    @Test func `a damaged snapshot before the newest is found by its own name`() throws {
        let world = try StoredWorld()
        try world.settle()
        let snapshots = try SnapshotStore(directory: world.directory.snapshots, fileSystem: world.disk)
        try snapshots.write(Snapshot(version: 1, cursor: .oldest, payload: [4, 5]), as: "test")
        #expect(try world.findings(world.directory) == [])
        let (newest, previous) = (
            world.directory.snapshots + "/test.snapshot", world.directory.snapshots + "/test.snapshot.previous"
        )
        try world.flip(previous, at: 50)
        #expect(try world.findings(world.directory).map(\.path) == [previous])
        let told = try Repair(
            world.directory, fileSystem: OverlayFileSystem(over: world.disk), clock: world.clock,
            boot: BootID(bytes: [UInt8](repeating: 3, count: 16))
        ).run(opensLedger: false, using: &world.generator)
        #expect(told.contains { $0.hasPrefix(previous + ": ") }, "\(told)")
        try world.flip(newest, at: 50)
        #expect(Set(try world.findings(world.directory).map(\.path)) == [newest, previous])
    }

    @Test func `a torn end is damage in a home at rest and none in one that is running`() throws {
        let world = try StoredWorld()
        let log = try world.openLog()
        try world.fill(log, minutes: 2)
        let active = try #require(log.activeFile)
        let path = "\(world.directory.log)/facts/0/\(active.name)"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        // The last flush of the segment, cut in its middle.
        let end = try #require(bytes.lastIndex { $0 != 0 })
        let file = try world.disk.open(path, .update)
        try file.write([UInt8](repeating: 0, count: 60), at: Int64(end - 60))
        #expect(try world.findings(world.directory).contains { $0.severity == .damage && $0.path == path })
        #expect(try world.findings(world.directory, isLive: true) == [])
    }

    @Test func `a rehearsal tells what a repair does and changes nothing; after the repair there is nothing to do`()
        throws
    {
        let world = try StoredWorld()
        try world.settle()
        let segment = try #require(try world.files(world.directory.log).last { $0.hasSuffix(".log") })
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: segment)))
        let end = try #require(bytes.lastIndex { $0 != 0 })
        let file = try world.disk.open(segment, .update)
        try file.write([UInt8](repeating: 0, count: 60), at: Int64(end - 60))
        let block = try #require(try world.files(world.directory.history).first { $0.hasSuffix(".blk") })
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: block))
        func state() throws -> [String: Data] {
            var found: [String: Data] = [:]
            for path in try world.files(world.directory.path) {
                found[path] = try Data(contentsOf: URL(fileURLWithPath: path))
            }
            return found
        }
        let before = try state()
        let boot = BootID(bytes: [UInt8](repeating: 3, count: 16))
        let overlay = OverlayFileSystem(over: world.disk)
        let rehearsed = try Repair(world.directory, fileSystem: overlay, clock: world.clock, boot: boot)
            .run(opensLedger: false, using: &world.generator)
        #expect(try state() == before)
        #expect(rehearsed.contains { $0.hasPrefix("log facts:") && $0.contains("are cut") }, "\(rehearsed)")
        #expect(rehearsed.contains { $0.hasPrefix("history: a file that cannot be read is set aside") }, "\(rehearsed)")
        #expect(overlay.changes.contains { if case .rename(block, _) = $0 { true } else { false } })

        let repaired = try Repair(world.directory, fileSystem: world.disk, clock: world.clock, boot: boot)
            .run(opensLedger: false, using: &world.generator)
        #expect(repaired.count == rehearsed.count)
        #expect(try state() != before)
        let again = try Repair(world.directory, fileSystem: world.disk, clock: world.clock, boot: boot)
            .run(opensLedger: false, using: &world.generator)
        #expect(again.filter { !$0.hasPrefix("ledger") } == [])
        #expect(try world.findings(world.directory).filter { $0.severity == .damage && $0.path == segment } == [])
    }
}
