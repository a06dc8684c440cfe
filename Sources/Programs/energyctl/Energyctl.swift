import APITypes
import ArgumentParser
import Glibc

/// The command line of the gateway.
@main
struct Energyctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "energyctl",
        abstract: "Shows what a home's energy gateway measures, uses and costs.",
        discussion: """
            Talks to energyd over its socket (--socket, else $ENERGYD_SOCKET, else /run/energyd/energyd.sock). Answers \
            go to stdout, messages to stderr. NO_COLOR and pipes switch colours off.

            Exit status: 0 ok, 1 failed, 2 usage, 3 energyd not reachable, 4 not found, 5 bad configuration, \
            6 permission denied, 7 timed out, 8 done in part.
            """,
        version: energydVersion,
        subcommands: [
            StatusCommand.self,
            DevicesCommand.self,
            ReadingsCommand.self,
            UsageCommand.self,
            BillCommand.self,
            TariffCommand.self,
            ReplayCommand.self,
            DataCommand.self,
            DeviceCommand.self,
            DecodeCommand.self,
            MQTTCommand.self,
            ProfileCommand.self,
            ModbusCommand.self,
            BusCommand.self,
            SerialCommand.self,
            ConfigCommand.self,
            StoreCommand.self,
        ])

    static func main() {
        // A closed pipe (`| head`) ends the program by a failed write, quietly, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            let arguments = Array(Swift.CommandLine.arguments.dropFirst())
            var command = try parseAsRoot(helpRequest(arguments) ?? TimeArgument.marked(arguments))
            try command.run()
        } catch let failure as Failure {
            Terminal.complain(failure.message)
            Glibc.exit(failure.status.rawValue)
        } catch {
            let status = exitCode(for: error)
            let text = fullMessage(for: error)
            if status == .success {
                Terminal.write(text.isEmpty ? "" : text + "\n")
                Glibc.exit(0)
            }
            if !text.isEmpty { Terminal.complain(raw: text) }
            Glibc.exit(status == .validationFailure ? ExitStatus.usage.rawValue : ExitStatus.failed.rawValue)
        }
    }
}

/// What the shell is told.
enum ExitStatus: Int32 {
    case failed = 1
    case usage = 2
    case unreachable = 3
    case notFound = 4
    case badConfiguration = 5
    case permission = 6
    case timeout = 7
    case partial = 8
}

/// Ends the program with a sentence and a status.
struct Failure: Error {
    var status: ExitStatus
    var message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}

extension Energyctl {
    /// `bill --help` as `help bill`: else it would be about what `bill` does by itself, and name no other command.
    fileprivate static func helpRequest(_ arguments: [String]) -> [String]? {
        guard arguments.count > 1, let last = arguments.last, last == "--help" || last == "-h" else { return nil }
        var commands = configuration.subcommands
        for name in arguments.dropLast() {
            guard let found = commands.first(where: { $0._commandName == name }) else { return nil }
            commands = found.configuration.subcommands
        }
        return commands.isEmpty ? nil : ["help"] + arguments.dropLast()
    }
}
