import ArgumentParser
import Glibc
import Simulation
import Threads

/// `energysim`: a simulated house for demos, tests and load.
@main
struct EnergySim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "energysim",
        abstract: "A simulated house: smart plugs, photovoltaics and a grid meter, over MQTT and Modbus TCP.",
        discussion: """
            The same seed and start always give the same house. Energy is conserved in it to the milliwatt-hour; \
            --truth writes down what really flowed.

            Exit codes: 0 ok, 1 failed, 2 usage, 3 the broker cannot be reached. \
            Ctrl-C and SIGTERM end cleanly with 0.
            """,
        subcommands: [
            RunCommand.self, HistoryCommand.self, DemoHouseCommand.self, AcceleratedCommand.self, LoadCommand.self,
            ModbusCommand.self,
        ])

    static func main() async {
        // A reader that goes away is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Prints `error` where it belongs and returns the exit code.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case is CancellationError: return 0
        case let error as HousePublisherError:
            complain(error.description)
            if case .unreachable = error { return 3 }
            return 1
        case let error as Failure:
            complain(error.description)
            return 1
        case let error as SystemError:
            complain(error.description)
            return 1
        default: break
        }
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        if code.isSuccess {
            print(message)
            return 0
        }
        complain(message, prefixed: false)
        return code == .validationFailure ? 2 : 1
    }
}

/// What stopped the program, in a sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One line to stderr.
func complain(_ text: String, prefixed: Bool = true) {
    var line = (prefixed ? "energysim: " : "") + text + "\n"
    line.withUTF8 { bytes in
        // Nothing can be done about a stderr that is closed.
        _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}

/// Puts what was printed on its way, however stdout is buffered.
func flushOutput() {
    fflush(nil)
}
