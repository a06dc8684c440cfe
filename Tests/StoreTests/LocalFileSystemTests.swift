import Disk
import Foundation
import Glibc
import ReadingLog
import Records
import Simulation
import Testing

/// The real file system, in a directory that goes away.
@Suite struct LocalFileSystemTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "energyd-store-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try LocalFileSystem().createDirectory(path + "/a/b")
        try body(path + "/a/b")
    }

    @Test func `files are made, written in one step, listed and removed`() throws {
        try withDirectory { directory in
            let disk = LocalFileSystem()
            try AtomicFile.write([1, 2, 3], to: directory + "/x", in: disk)
            #expect(try disk.list(directory) == ["x"])
            #expect(try AtomicFile.read(directory + "/x", limit: 3, in: disk) == [1, 2, 3])
            #expect(throws: DiskError(path: directory + "/x", operation: .read, errno: EFBIG)) {
                try AtomicFile.read(directory + "/x", limit: 2, in: disk)
            }
            #expect(try AtomicFile.read(directory + "/none", limit: 2, in: disk) == nil)
            let file = try disk.open(directory + "/x", .update)
            try file.preallocate(8192)
            #expect(try file.size() == 8192)
            try file.write([9], at: 5000)
            #expect(try file.read(at: 4999, count: 100_000).prefix(2) == [0, 9])
            file.close()
            try disk.createDirectory(directory)
            #expect(throws: DiskError.self) { try disk.createDirectory(directory + "/x") }
            try disk.remove(directory + "/x")
            #expect(try disk.list(directory).isEmpty)
            #expect(try disk.space(directory).total > 0)
        }
    }

    @Test func `a second owner of a directory is refused and told who has it`() throws {
        try withDirectory { directory in
            let lock = try DirectoryLock(directory: directory)
            let expected = DirectoryLockError.held(directory: directory, owner: getpid())
            #expect(throws: expected) { try DirectoryLock(directory: directory) }
            lock.release()
            try DirectoryLock(directory: directory).release()
        }
    }

    @Test func `a log on the real file system is there after opening again`() throws {
        try withDirectory { directory in
            let world = LogWorld()
            var random = SplitMix64(seed: 1)
            let disk = LocalFileSystem()
            for round in 0..<2 {
                let log = try ReadingLog(
                    directory: directory, fileSystem: disk, clock: world.clock, options: world.options, using: &random)
                #expect(log.report.diskErrors.isEmpty)
                let number = try log.number(for: LogWorld.key(0))
                #expect(try log.append([world.record(round, number)]).offset == UInt64(round))
                try log.flush()
                #expect(try Received(log).offsets == Array(0...UInt64(round)))
            }
        }
    }
}
