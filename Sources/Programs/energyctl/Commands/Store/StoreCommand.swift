import ArgumentParser

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Looks after what is stored: size and wear, checks, export and import, backup and restore.",
        discussion: """
              energyctl store stats                        what it takes, and what that does to a card
              energyctl store export house.csv --since -7d
              energyctl store backup /mnt/usb/home.tar     while energyd runs
            """,
        subcommands: [
            StoreStatsCommand.self, StoreVerifyCommand.self, StoreRepairCommand.self, StoreExportCommand.self,
            StoreImportCommand.self, StoreBackupCommand.self, StoreRestoreCommand.self,
        ])
}
