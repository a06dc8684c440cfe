import Disk
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// Segments and cursors with right checksums and numbers that no log gives.
@Suite struct HostileSegmentTests {
    /// A log of one reading whose segment header has other bytes at `position`, under a checksum that fits.
    private func world(_ bytes: [UInt8], at position: Int) throws -> LogWorld {
        var world = LogWorld()
        let log = try world.open()
        try log.append([world.record(0, try log.number(for: LogWorld.key(0)))])
        try log.flush()
        var file = try #require(world.disk.contents(world.segment(1)))
        file.replaceSubrange(position..<position + bytes.count, with: bytes)
        let crc = file.withUnsafeBytes { CRC32C.update(0, UnsafeRawBufferPointer(rebasing: $0[..<84])) }
        file.withUnsafeMutableBytes { $0.storeBytes(of: crc.littleEndian, toByteOffset: 84, as: UInt32.self) }
        world.disk.put(file, at: world.segment(1))
        return world
    }

    /// The log opens, takes readings and gives them back after another start.
    private func goesOn(_ world: inout LogWorld) throws {
        let log = try world.open()
        let more = world.record(1, try log.number(for: LogWorld.key(0)))
        try log.append([more])
        try log.flush()
        #expect(try Received(world.open()).records.last?.record == more)
        var check = LogCheck(directory: LogWorld.directory, topic: .facts, fileSystem: world.disk)
        try check.run { _ in }
    }

    @Test func `a segment of the last epoch there is does not end the opening of the log`() throws {
        var world = try world([UInt8](repeating: 0xFF, count: 8), at: 48)
        #expect(try world.open().report.setAside.count == 1)
        try goesOn(&world)
    }

    @Test(arguments: [[0, 0, 0, 0, 0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]] as [[UInt8]])
    func `a segment that was made at no time does not spoil the times of what follows`(_ created: [UInt8]) throws {
        var world = try world(created, at: 64)
        #expect(try world.open().report.setAside.count == 1)
        try goesOn(&world)
        #expect(try Received(world.open()).walls.max() == LogWorld.start)
    }

    @Test func `a new epoch after a segment of an odd size begins in one of the usual size`() throws {
        // 4,100 bytes.
        let world = try world([0x04, 0x10, 0, 0, 0, 0, 0, 0], at: 72)
        var generator = SplitMix64(seed: 1)
        world.clock.advance(by: 1000)
        let cursor = try EpochStart.begin(
            directory: LogWorld.directory, fileSystem: world.disk, options: world.options, clock: world.clock,
            using: &generator)
        #expect(cursor.epoch > 0)
        let size = ReadingLog.segmentSize(in: LogWorld.directory, topic: .facts, fileSystem: world.disk)
        #expect(size == world.options.segmentSize)
    }

    @Test func `a consumer that comes with the last epoch there is does not end the log`() throws {
        var world = LogWorld()
        let log = try world.open()
        log.hold("somebody", at: Cursor(epoch: .max, offset: 1 << 40))
        let record = world.record(0, try log.number(for: LogWorld.key(0)))
        try log.append([record])
        try log.flush()
        let received = try Received(log, from: Cursor(epoch: .max, offset: 1 << 40))
        #expect(received.rewinds.count == 1 && log.end.epoch < .max)
    }
}
