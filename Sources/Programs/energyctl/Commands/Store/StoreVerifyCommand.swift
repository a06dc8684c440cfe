import ArgumentParser
import Disk
import Timekeeping
import Upkeep

struct StoreVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads everything that is stored and says what is wrong, with file and position.",
        discussion: """
            Every frame of the log, every block and index of history, every snapshot, the ledger and the gateway's \
            identity. Nothing is changed; energyd may run meanwhile. With --backup a backup file is read and \
            compared with its manifest.

            Exit status: 0 all is whole, 1 something is damaged (it is on stdout, a line each; notes too).

              energyctl store verify
              energyctl store verify --backup /mnt/usb/home.tar
            """)

    @OptionGroup var directory: DataDirectoryOptions
    @Option(help: ArgumentHelp("Check this backup instead.", valueName: "file")) var backup: String?

    func run() throws {
        if let backup { return try verify(backup: backup) }
        let place = try directory.open()
        var check = StoreCheck(
            place, fileSystem: LocalFileSystem(), isLive: DirectoryOwner.holder(of: place.path) != nil)
        var damaged = 0
        try withStore {
            var progress = Progress("reading", total: try check.size())
            var findings: [FileFinding] = []
            try check.run(progress: { progress.add($0) }) { finding in
                if finding.severity == .damage { damaged += 1 }
                // A card that is dying can have more of it than memory.
                if findings.count < 10_000 { findings.append(finding) }
            }
            progress.end()
            for finding in findings {
                let line = Terminal.visible("\(finding.severity.rawValue): \(finding)")
                Terminal.write((finding.severity == .damage ? Terminal.warning(line) : line) + "\n")
            }
        }
        let totals = check.totals
        let read =
            "\(totals.frames) frames with \(totals.readings) readings, \(totals.values) values in "
            + "\(totals.blocks) files of history, \(totals.snapshots) snapshots, \(totals.slots) slots"
        guard damaged == 0 else {
            let places = damaged == 1 ? "1 place is" : "\(damaged) places are"
            throw Failure(
                .failed,
                "\(places) damaged in \(place.path); the rest is whole: \(read). energyd works around them; "
                    + "`energyctl store repair --dry-run` says what it does at its next start")
        }
        Terminal.write("\(place.path) is whole: \(read)\n")
    }

    private func verify(backup: String) throws {
        let file = try InputFile(backup)
        var progress = Progress("reading", total: file.size)
        let manifest = try withStore {
            var reader = BackupReader { try file.read($0) }
            return try reader.run { progress.add($0) }
        }
        progress.end()
        Terminal.write(
            "\(backup) is whole: \(manifest.files.count) files, \(Size.text(manifest.bytes)), made "
                + "\(manifest.created.rfc3339()) by energyd \(manifest.version)\n")
    }
}
