import ArgumentParser
import Disk
import Glibc
import Timekeeping
import Upkeep

struct StoreRestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a backup in place as a home's state.",
        discussion: """
            The backup is unpacked beside what is there and checked whole before anything is exchanged. A directory \
            that is not empty is refused; with --force what is in it is set aside in before-restore-…, not deleted. \
            energyd must not run. The gateway is the same one afterwards, and its log begins a new epoch.

              sudo systemctl stop energyd
              sudo energyctl store restore /mnt/usb/home.tar --data-dir /var/lib/energyd
            """)

    @Argument(help: "The backup; - is stdin.") var file: String
    @OptionGroup var directory: DataDirectoryOptions
    @Flag(help: "Set aside what is in the directory.") var force = false

    func run() throws {
        let input = try InputFile(file)
        let place = directory.place()
        let disk = LocalFileSystem()
        guard let boot = BootID.current() ?? BootID(text: String(repeating: "0", count: 32)) else {
            throw Failure(.failed, "the kernel does not tell its boot id")
        }
        let outcome = try withStore { () throws -> Restore.Outcome in
            try disk.createDirectory(place.path)
            try DirectoryOwner.become(place.path)
            let lock = try DirectoryLock(directory: place.path)
            defer { lock.release() }
            let restore = Restore(place, fileSystem: disk)
            if !force, let occupant = try restore.occupants().first {
                throw Failure(
                    .failed,
                    "\(place.path) is not empty (\(occupant)); --force sets aside what is there, "
                        + "--data-dir names another place")
            }
            var progress = Progress("restoring", total: input.size)
            defer { progress.end() }
            var generator = SystemRandomNumberGenerator()
            return try restore.run(
                clock: SystemClock(), boot: boot, using: &generator, progress: { progress.add($0) },
                { try input.read($0) })
        }
        let manifest = outcome.manifest
        Terminal.write(
            "\(place.path): \(manifest.files.count) files, \(Size.text(manifest.bytes)), as of "
                + "\(manifest.created.rfc3339())\n")
        if let aside = outcome.setAside { Terminal.write("What was there is in \(aside)\n") }
    }
}
