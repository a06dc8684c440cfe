import Disk
import Foundation
import History
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

@testable import Upkeep

@Suite struct BackupTests {
    @Test func `a restored home answers as the one that was backed up, in a new epoch`() throws {
        let world = try StoredWorld()
        try world.settle()
        let before = try world.values(world.directory)
        let end = try world.openLog().end
        let bytes = try world.backup()
        let place = world.place("restored")
        let outcome = try world.restore(bytes, to: place)
        #expect(outcome.setAside == nil)
        #expect(outcome.manifest.gateway == StoredWorld.gateway)
        #expect(try world.values(place) == before)
        #expect(try world.findings(place).filter { $0.severity == .damage } == [])
        let log = try world.openLog(place)
        #expect(!log.report.isEventful && !log.report.startedEpoch, "\(log.report)")
        #expect(log.end.offset == end.offset)
        #expect(log.end.epoch > end.epoch)
        // It goes on from there.
        try world.fill(log, minutes: 1, from: StoredWorld.minutes)
        #expect(try world.values(place).count == before.count + 6 * StoredWorld.keys.count)
        #expect(try world.disk.list(place.path).contains(Restore.workName) == false)
    }

    @Test func `a backup is a tar archive that tar itself unpacks to the same files`() throws {
        let world = try StoredWorld()
        try world.settle()
        let bytes = try world.backup()
        let folder = world.place("unpacked").path
        try world.disk.createDirectory(folder)
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/b.tar"))
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/bin/tar")
        tar.arguments = ["-C", folder, "-xf", folder + "/b.tar"]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        for path in try world.files(world.directory.path) where !path.hasSuffix("/lock") {
            let relative = path.dropFirst(world.directory.path.count)
            #expect(FileManager.default.contentsEqual(atPath: path, andPath: folder + relative), "\(relative)")
        }
    }

    @Test func `of the file that is being written only what is durable is copied`() throws {
        let world = try StoredWorld()
        let log = try world.openLog()
        try world.fill(log, minutes: 3)
        let active = try #require(log.activeFile)
        let path = "log/facts/0/" + active.name
        // A write that is on its way: a whole page of something, not yet durable.
        let file = try world.disk.open("\(world.directory.path)/\(path)", .update)
        try file.write([UInt8](repeating: 0xEE, count: 4096), at: Int64(active.durableBytes))
        let bytes = try world.backup { $0 == path ? Int64(active.durableBytes) : nil }
        let place = world.place("restored")
        _ = try world.restore(bytes, to: place)
        #expect(try world.findings(place).filter { $0.severity == .damage } == [])
        #expect(try world.values(place).count == 18 * StoredWorld.keys.count)
    }

    @Test func `files that come and go while they are copied leave a whole backup`() throws {
        let world = try StoredWorld()
        try world.settle()
        let merged = world.directory.history + "/raw/1-2-99.blk"
        let old = try #require(try world.files(world.directory.history + "/raw").first)
        let stream = BackupStream(
            world.directory, fileSystem: world.disk, gateway: StoredWorld.gateway, created: StoredWorld.start,
            version: "test")
        var bytes: [UInt8] = []
        var isExchanged = false
        while let piece = try stream.next() {
            bytes += piece
            // As a merge does: the new file gets its name, then the old one goes.
            if !isExchanged,
                String(decoding: piece, as: UTF8.self).contains(String(old.split(separator: "/").last ?? ""))
            {
                isExchanged = true
                try world.disk.rename(old, to: merged)
            }
        }
        #expect(isExchanged)
        var reader = BackupReader(source(bytes))
        let manifest = try reader.run()
        let names = manifest.files.keys.filter { $0.hasPrefix("history/") }
        #expect(names.contains("history/raw/1-2-99.blk"))
        #expect(!names.contains(String(old.dropFirst(world.directory.path.count + 1))))
        let place = world.place("restored")
        _ = try world.restore(bytes, to: place)
        #expect(try world.files(place.history + "/raw").count == 2)
    }

    @Test func `a backup that is cut off or damaged anywhere is refused and leaves nothing`() throws {
        let world = try StoredWorld()
        let log = try world.openLog()
        try world.fill(log, minutes: 2)
        let bytes = try world.backup()
        let place = world.place("restored")
        for cut in [0, 100, 512, 700, bytes.count / 2, bytes.count - 1200, bytes.count - 1100] {
            #expect(throws: (any Error).self, "cut at \(cut)") {
                try world.restore(Array(bytes.prefix(cut)), to: place)
            }
        }
        let seed: UInt64 = .random(in: 0 ... .max)
        var dice = SplitMix64(seed: seed)
        for _ in 0..<60 {
            var damaged = bytes
            let at = Int(dice.next() % UInt64(bytes.count - 1024))
            damaged[at] ^= 1 << UInt8(dice.next() % 8)
            // A file's mode, owner and time, and what fills up its last 512 bytes, mean nothing here.
            var reader = BackupReader(source(damaged))
            guard (try? reader.run()) != nil else { continue }
            var clean = BackupReader(source(bytes))
            #expect(
                try clean.run().files
                    == {
                        var r = BackupReader(source(damaged)); return try r.run().files
                    }(),
                "seed \(seed), byte \(at)")
        }
        #expect(try world.disk.list(place.path) == [])
    }

    @Test func `a path that leads out of the directory is refused`() throws {
        for path in [
            "../x", "/etc/passwd", "a//b", "a/./b", "a/../../b", "", "a b", "a\u{0}b",
            String(repeating: "a", count: 300),
        ] {
            #expect(!BackupPath.isAllowed(path), "\(path)")
        }
        let head = TarHeader.encode(path: "../../etc/cron.d/x", bytes: 1, seconds: 0)
        var reader = BackupReader(source(head + [65] + [UInt8](repeating: 0, count: 511)))
        #expect(throws: BackupError.badEntry("an entry has a path that no backup has")) { try reader.run() }
    }

    @Test func `what was there before a restore is set aside whole`() throws {
        let world = try StoredWorld()
        try world.settle()
        let bytes = try world.backup()
        let log = try world.openLog()
        try world.fill(log, minutes: 5, from: StoredWorld.minutes)
        let newer = try world.values(world.directory)
        #expect(try !Restore(world.directory, fileSystem: world.disk).occupants().isEmpty)
        let outcome = try world.restore(bytes, to: world.directory)
        let aside = StateDirectory(try #require(outcome.setAside))
        #expect(try world.values(aside) == newer)
        #expect(try world.values(world.directory).count == newer.count - 30 * StoredWorld.keys.count)
        #expect(
            try Restore(world.directory, fileSystem: world.disk).occupants().contains(where: { $0.hasPrefix("before") })
                == false)
    }
}
