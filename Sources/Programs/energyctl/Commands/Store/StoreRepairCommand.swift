import ArgumentParser
import Disk
import Timekeeping
import Upkeep

struct StoreRepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Says, or does, what energyd does with a damaged store when it starts.",
        discussion: """
            energyd repairs by itself at each start, so this is for looking first (--dry-run), or for doing it by \
            hand (--yes). What is cut is copied aside, what cannot be read is set aside, nothing is deleted. energyd \
            must not run.

              sudo systemctl stop energyd
              sudo energyctl store repair --dry-run
            """)

    @OptionGroup var directory: DataDirectoryOptions
    @Flag(help: "Only say what would be done; nothing is changed.") var dryRun = false
    @Flag(help: "Do it.") var yes = false

    func validate() throws {
        if dryRun == yes {
            throw ValidationError("Say either --dry-run, to see what would be done, or --yes, to do it.")
        }
    }

    func run() throws {
        let place = try directory.open()
        guard let boot = BootID.current() ?? BootID(text: String(repeating: "0", count: 32)) else {
            throw Failure(.failed, "the kernel does not tell its boot id")
        }
        try withStore {
            let lock = try DirectoryLock(directory: place.path)
            defer { lock.release() }
            let disk = LocalFileSystem()
            let overlay = dryRun ? OverlayFileSystem(over: disk) : nil
            let repair = Repair(place, fileSystem: overlay ?? disk, clock: SystemClock(), boot: boot)
            var generator = SystemRandomNumberGenerator()
            let told: [String]
            do {
                told = try repair.run(opensLedger: !dryRun, using: &generator)
            } catch {
                throw Failure(.failed, "\(place.path) cannot be opened: \(error)")
            }
            for sentence in told { Terminal.write(Terminal.visible(sentence) + "\n") }
            if told.isEmpty { Terminal.write("\(place.path) needs no repair\n") }
            guard let overlay, !overlay.changes.isEmpty else { return }
            Terminal.write("\nOn the disk this would\n")
            for change in overlay.changes { Terminal.write("  " + Terminal.visible("\(change)") + "\n") }
        }
    }
}
