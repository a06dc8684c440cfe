import ArgumentParser

struct DataUndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Takes a correction or a replacement back.",
        discussion: """
            What it changed becomes as it was. The ids stand in energyctl data audit.

              energyctl data undo 7f3a09c2b1d84e5f90a1b2c3d4e5f607
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Id of the command, 32 hexadecimal digits.") var id: String
    @OptionGroup var decision: DecisionOptions

    func run() throws {
        let bytes = try DaemonClient(connection).post(
            "/v1/data/undo", [("preview", decision.preview ? "true" : nil)],
            body: [("id", id.lowercased()), ("reason", decision.reason), ("actor", DecisionOptions.actor)])
        try EffectListing.print(bytes, output)
    }
}
