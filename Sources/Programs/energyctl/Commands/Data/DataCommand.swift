import ArgumentParser

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Finds, explains and corrects what counters said wrong.",
        discussion: """
            Readings are never edited. A correction stands beside them, can be undone, and changes what was booked \
            everywhere: usage, cost and bills.

              energyctl data anomalies --since -7d
              energyctl data explain washer 2026-03-01T10:25:00Z
              energyctl data correct washer --from 2026-03-01T10:25:00Z --to 2026-03-01T10:26:00Z --drop --preview
            """,
        subcommands: [
            DataAnomaliesCommand.self, DataExplainCommand.self, DataCorrectCommand.self, DataUndoCommand.self,
            DataAuditCommand.self,
        ])
}
