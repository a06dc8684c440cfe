import APITypes
import ArgumentParser
import Disk
import Timekeeping
import Upkeep

struct StoreBackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Writes all of a home's state into one file, while energyd goes on.",
        discussion: """
            The file is a tar archive with checksums: log, history, usage and cost, devices, the gateway's identity. \
            Settings are not in it: they are in /etc/energyd. It is checked as it is written; `energyctl store verify \
            --backup FILE` does so later. Where energyd does not run, or with --data-dir, the state directory is read.

              energyctl store backup /mnt/usb/home.tar
              energyctl store backup - | ssh nas 'cat > home.tar'
            """)

    @Argument(help: "The file; - is stdout.") var file: String
    @Flag(help: "Replace the file if it is there.") var force = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var directory: DataDirectoryOptions

    func run() throws {
        if directory.dataDir == nil {
            do {
                return try download()
            } catch let failure as Failure {
                guard failure.status == .unreachable, directory.isThere else { throw failure }
                Terminal.complain("energyd does not run; reading \(directory.place().path)")
            }
        }
        try read()
    }

    private func download() throws {
        let client = try DaemonClient(connection)
        _ = try client.get("/healthz")
        let result = try ResultFile(file, isReplacing: force)
        var progress = Progress("copying", total: nil)
        var bytes: Int64 = 0
        try client.download("/v1/store/backup", []) { piece in
            try result.write(piece)
            bytes += Int64(piece.count)
            progress.add(Int64(piece.count))
        }
        progress.end()
        try result.finish()
        tell(bytes)
    }

    private func read() throws {
        // Made before root becomes the directory's owner, who may not write there.
        let result = try ResultFile(file, isReplacing: force)
        let place = try directory.open()
        try withStore {
            let lock = try DirectoryLock(directory: place.path)
            defer { lock.release() }
            let disk = LocalFileSystem()
            var progress = Progress("copying", total: try StateDirectory.measure(place.path, disk).bytes)
            let stream = BackupStream(
                place, fileSystem: disk, gateway: place.gateway(disk), created: SystemClock().now().wall,
                version: energydVersion)
            var bytes: Int64 = 0
            while let piece = try stream.next() {
                try result.write(piece)
                bytes += Int64(piece.count)
                progress.add(Int64(piece.count))
            }
            progress.end()
            try result.finish()
            tell(bytes)
        }
    }

    private func tell(_ bytes: Int64) {
        guard file != "-" else { return }
        Terminal.write("\(file): \(Size.text(bytes))\n")
    }
}
