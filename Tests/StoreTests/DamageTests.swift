import Disk
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// One kind of damage to a log of five flushes with two records each, and exactly what survives it.
struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let survivors: [UInt64]
    let gaps: [Range<UInt64>]
    let startsEpoch: Bool
    let harm: @Sendable (LogWorld, [Int]) -> Void

    init(
        _ name: String, survivors: [UInt64], gaps: [Range<UInt64>] = [], startsEpoch: Bool,
        _ harm: @escaping @Sendable (LogWorld, [Int]) -> Void
    ) {
        testDescription = name
        self.survivors = survivors
        self.gaps = gaps
        self.startsEpoch = startsEpoch
        self.harm = harm
    }

    static let all: [UInt64] = Array(0..<10)

    static let table: [Damage] = [
        Damage("nothing", survivors: all, startsEpoch: false) { _, _ in },
        Damage("a bit in the last frame's records", survivors: Array(0..<8), startsEpoch: true) { world, at in
            world.disk.flipBit(world.segment(1), at: at[4] + 120, bit: 3)
        },
        Damage("a bit in the last frame's checksum", survivors: Array(0..<8), startsEpoch: true) { world, at in
            world.disk.flipBit(world.segment(1), at: at[4] + 12, bit: 0)
        },
        Damage("the last frame's magic", survivors: Array(0..<8), startsEpoch: true) { world, at in
            world.disk.flipBit(world.segment(1), at: at[4], bit: 1)
        },
        Damage("the last frame's length, far too long", survivors: Array(0..<8), startsEpoch: true) { world, at in
            world.disk.flipBit(world.segment(1), at: at[4] + 11, bit: 7)
        },
        Damage(
            "a bit in a frame in the middle", survivors: [0, 1, 2, 3, 6, 7, 8, 9], gaps: [4..<6], startsEpoch: true
        ) { world, at in world.disk.flipBit(world.segment(1), at: at[2] + 110, bit: 5) },
        Damage("the declarations at the segment's start", survivors: all, startsEpoch: false) { world, at in
            world.disk.flipBit(world.segment(1), at: at[0] - 4096 + 106, bit: 5)
        },
        Damage("the first frame with records", survivors: Array(2..<10), gaps: [0..<2], startsEpoch: true) {
            world, at in world.disk.flipBit(world.segment(1), at: at[0] + 106, bit: 5)
        },
        Damage("a frame copied to another place", survivors: all, startsEpoch: false) { world, at in
            guard var bytes = world.disk.contents(world.segment(1)) else { return }
            bytes.replaceSubrange(40960..<45056, with: bytes[at[1]..<at[1] + 4096])
            // What lies there is no zero, but the file says that it was recycled, so it may be anything old.
            world.disk.put(recycled(bytes), at: world.segment(1))
        },
        Damage("garbage after the end of a new file", survivors: all, startsEpoch: true) { world, _ in
            world.disk.flipBit(world.segment(1), at: 50_000, bit: 2)
        },
        Damage("the file cut in the last frame", survivors: Array(0..<8), startsEpoch: true) { world, at in
            guard let bytes = world.disk.contents(world.segment(1)) else { return }
            world.disk.put(Array(bytes[..<(at[4] + 110)]), at: world.segment(1))
        },
        Damage("an empty file", survivors: [], gaps: [], startsEpoch: true) { world, _ in
            world.disk.put([], at: world.segment(1))
        },
        Damage("a bit in the segment's header", survivors: [], startsEpoch: true) { world, _ in
            world.disk.flipBit(world.segment(1), at: 30, bit: 2)
        },
    ]

    /// The same segment as if its file had been another's before: byte 19 is 0, and the checksum fits.
    private static func recycled(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes[19] = 0
        let crc = bytes.withUnsafeBytes { CRC32C.update(0, UnsafeRawBufferPointer(rebasing: $0[..<84])) }
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: crc.littleEndian, toByteOffset: 84, as: UInt32.self) }
        return bytes
    }
}

@Suite struct DamageTests {
    @Test(arguments: Damage.table) func `each damage leaves exactly what it did not touch`(_ damage: Damage) throws {
        var world = LogWorld()
        var starts: [Int] = []
        var expected: [Record] = []
        do {
            let log = try world.open()
            let number = try log.number(for: LogWorld.key(0))
            for i in 0..<5 {
                let records = [world.record(2 * i, number), world.record(2 * i + 1, number)]
                expected += records
                try log.append(records)
                starts.append(4096 * (i + 2))  // behind the header and the declarations
                try log.flush()
            }
        }
        damage.harm(world, starts)
        let log = try world.open()
        let received = try Received(log)
        #expect(received.offsets == damage.survivors)
        for (offset, record) in received.records { #expect(record == expected[Int(offset)]) }
        #expect(received.gaps.map { $0.first..<$0.end } == damage.gaps)
        #expect(log.report.startedEpoch == damage.startsEpoch)
        #expect(log.report.isEventful == (damage.startsEpoch || log.report.damagedFrames > 0))
        // It goes on, above all offsets that were used, and is whole at the next opening.
        let number = try log.number(for: LogWorld.key(7))
        let more = world.record(100, number)
        let at = try log.append([more])
        #expect(at.offset >= damage.survivors.last.map { $0 + 1 } ?? 10)
        try log.flush()
        let again = try world.open()
        #expect(!again.report.startedEpoch)
        #expect(try Received(again).records.last?.record == more)
        #expect(again.key(for: number) == LogWorld.key(7))
    }

    @Test func `a torn tail is copied aside before it is cut`() throws {
        var world = LogWorld()
        do {
            let log = try world.open()
            let number = try log.number(for: LogWorld.key(0))
            try log.append([world.record(0, number)])
            try log.flush()
            try log.append([world.record(1, number)])
            try log.flush()
        }
        world.disk.flipBit(world.segment(1), at: 12_288 + 108, bit: 0)
        let log = try world.open()
        let name = try #require(log.report.tornCopy)
        #expect(name == "torn-0000000000000001-12288.bin")
        let copy = try #require(world.disk.contents(world.path(name)))
        let segment = try #require(world.disk.contents(world.segment(1)))
        #expect(copy.count == log.report.tornBytes)
        #expect(copy == Array(segment[12_288..<12_288 + copy.count]))
    }

    @Test func `a newer segment opens the log for reading only`() throws {
        var world = LogWorld()
        do {
            let log = try world.open()
            let number = try log.number(for: LogWorld.key(0))
            try log.append([world.record(0, number)])
            try log.flush()
        }
        var page = try #require(world.disk.contents(world.segment(1)))
        page[16] = 2
        let crc = page.withUnsafeBytes { CRC32C.update(0, UnsafeRawBufferPointer(rebasing: $0[..<84])) }
        page.withUnsafeMutableBytes { $0.storeBytes(of: crc.littleEndian, toByteOffset: 84, as: UInt32.self) }
        world.disk.put(page, at: world.segment(2))
        let log = try world.open()
        #expect(log.report.newerFormat == 2)
        #expect(try Received(log).offsets == [0])
        #expect(throws: LogError(.facts, .newerFormat(version: 2))) { try log.append([]) }
        #expect(world.disk.contents(world.segment(2)) == page)
    }
}
