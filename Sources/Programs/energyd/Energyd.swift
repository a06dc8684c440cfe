import APITypes
import ArgumentParser
import CAllocator
import Gateway
import Glibc
import Logging

/// The gateway's daemon.
@main
struct Energyd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "energyd",
        abstract: "Reads a home's plugs, meters and inverters, keeps what they say, and works out use and cost.",
        discussion: """
            Runs in the foreground, logs to stderr, and stops on SIGTERM and Ctrl-C. Without a configuration
            file it runs on its defaults: MQTT at 127.0.0.1:1883, no Modbus, no tariff.

            Exit status: 0 stopped, 2 usage, 78 bad configuration, 73 the state directory or the socket
            cannot be used, 1 any other failure.
            """,
        version: energydVersion)

    @Option(help: "Configuration file (default: $ENERGYD_CONFIG, else /etc/energyd/energyd.toml if it exists).")
    var config: String?

    @Option(help: "State directory (default: $ENERGYD_DATA_DIR, else $STATE_DIRECTORY, else /var/lib/energyd).")
    var dataDir: String?

    @Option(help: "Path of the socket (default: $ENERGYD_SOCKET, else /run/energyd/energyd.sock).")
    var socket: String?

    @Flag(help: "Check the configuration and end.")
    var check = false

    func run() async throws {
        let environment = GatewayOptions.processEnvironment()
        let options = GatewayOptions(
            configurationPath: config, dataDirectory: dataDir, socketPath: socket, version: energydVersion,
            environment: environment)
        let gateway = try Gateway(options, environment: environment)
        if check { return }
        try await gateway.run()
    }

    static func main() async {
        allocator_keep_little()
        let limiter = LineLimiter()
        LoggingSystem.bootstrap { JournalLogHandler(label: $0, level: .info, limiter: limiter) }
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var running = command as? any AsyncParsableCommand { try await running.run() } else { try command.run() }
        } catch let failure as GatewayFailure {
            end(failure.status, "energyd: \(failure)")
        } catch {
            let status = exitCode(for: error)
            if status == .success {
                print(fullMessage(for: error))
                Glibc.exit(0)
            }
            end(status == .validationFailure ? 2 : 1, fullMessage(for: error))
        }
    }

    private static func end(_ status: Int32, _ message: String) -> Never {
        let line = Array((message + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        Glibc.exit(status)
    }
}
