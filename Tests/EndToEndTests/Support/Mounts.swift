import Foundation

/// What is mounted at one directory; all of it goes with the test.
struct Mounts {
    let directory: String

    static func at(_ directory: String, _ body: (Mounts) async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let mounts = Mounts(directory: directory)
        do {
            try await body(mounts)
        } catch {
            while (try? await mounts.pull()) != nil {}
            throw error
        }
        while (try? await mounts.pull()) != nil {}
    }

    static func arePossible() async -> Bool {
        let directory = "/tmp/energyd-mount-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let mounts = Mounts(directory: directory)
            try await mounts.mount("-t", "tmpfs", "-o", "size=1m", "tmpfs")
            try await mounts.pull()
            return true
        } catch {
            return false
        }
    }

    /// ext4 in a file can be mounted, and told that it has met an error.
    static var canMakeErrors: Bool {
        ["/dev/loop-control", "/sys/fs/ext4", "/usr/sbin/mkfs.ext4"].allSatisfy(FileManager.default.fileExists(atPath:))
    }

    func mount(_ arguments: String...) async throws { try await Mounts.run("mount", arguments + [directory]) }

    /// Makes a file system of `size` in the file `image` and mounts it; returns its block device's name.
    func mountNew(_ image: String, size: UInt64, _ options: String) async throws -> String {
        guard FileManager.default.createFile(atPath: image, contents: nil) else { throw NeverHappened("no \(image)") }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: image))
        try file.truncate(atOffset: size)
        try file.close()
        try await Mounts.run("mkfs.ext4", ["-q", image])
        try await mount("-o", "loop,\(options)", image)
        let mounts = text(of: "/proc/mounts").split(separator: "\n").map { $0.split(separator: " ") }
        guard let device = mounts.last(where: { $0.count > 1 && $0[1] == directory })?.first else {
            throw NeverHappened("nothing is mounted at \(directory)")
        }
        return String(device.split(separator: "/").last ?? "")
    }

    /// Takes away what is mounted there, open files or not.
    func pull() async throws { try await Mounts.run("umount", ["-l", directory]) }

    static func run(_ program: String, _ arguments: [String], allowing code: Int32 = 0) async throws {
        let path = ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"].map { $0 + program }.first(
            where: FileManager.default.isExecutableFile(atPath:))
        guard let path else { throw NeverHappened("there is no \(program)") }
        let outcome = try await Programs.run(path, arguments, in: "/tmp")
        guard outcome.code == 0 || outcome.code == code else {
            throw NeverHappened("\(program) \(arguments): \(outcome.errors)")
        }
    }
}
