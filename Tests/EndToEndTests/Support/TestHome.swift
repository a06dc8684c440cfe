import Foundation
import Simulation
import Synchronization

/// A home of its own for one test: a temporary directory, a real broker, a daemon that can be started, killed and
/// started again, and `energyctl` to ask it. Everything that was started ends with `withHome`, also when a test fails.
final class TestHome: Sendable {
    let directory: String
    let brokerPort: UInt16
    private let children = Mutex<[ChildProcess]>([])
    private let broker = Mutex<Broker?>(nil)
    private let starts = Atomic<Int>(0)

    var socket: String { directory + "/s" }
    var data: String { directory + "/data" }
    var configuration: String { directory + "/energyd.toml" }

    /// Without a broker its port is chosen all the same: it may come later.
    init(directory: String, broker started: Broker?) throws {
        self.directory = directory
        if let started { brokerPort = started.port } else { brokerPort = try FreePort.find() }
        broker.withLock { $0 = started }
    }

    /// Writes the configuration: a zone with two clock changes a year, our broker, a tariff, short intervals.
    func configure(_ more: String = "") throws {
        let text = """
            [home]
            zone = "Europe/Berlin"

            [mqtt]
            port = \(brokerPort)

            [[tariff]]
            name = "basic"
            import = "0.3215"
            export = "0.0811"

            [store]
            flush_interval = "200ms"
            # The readings of these tests are as old as their fixtures.
            history_days = 36500

            """
        try (text + more).write(toFile: configuration, atomically: false, encoding: .utf8)
    }

    func startBroker() async throws {
        let started = try await Broker.start(in: directory, port: brokerPort)
        broker.withLock { $0 = started }
    }

    func stopBroker() async {
        let running = broker.withLock { broker in
            defer { broker = nil }
            return broker
        }
        await running?.stop()
    }

    /// Starts the daemon and returns when it answers.
    func startDaemon() async throws -> Daemon {
        let daemon = try launchDaemon()
        try await eventually("energyd answers on its socket; it said: \(daemon.log)") {
            if daemon.process.exitStatus != nil { throw NeverHappened("energyd ended: \(daemon.log)") }
            return try await energyctl("status").code == 0
        }
        return daemon
    }

    func launchDaemon(socket: String? = nil) throws -> Daemon {
        let number = starts.add(1, ordering: .relaxed).newValue
        let log = "\(directory)/energyd-\(number).log"
        let process = try ChildProcess(
            Programs.energyd,
            ["--config", configuration, "--data-dir", data, "--socket", socket ?? self.socket],
            environment: Programs.basicEnvironment, output: .discard, error: .file(log))
        children.withLock { $0.append(process) }
        return Daemon(process: process, logPath: log)
    }

    /// Runs `energyctl` against this home's daemon.
    func energyctl(_ arguments: String...) async throws -> Outcome {
        try await Programs.run(
            Programs.energyctl, arguments, in: directory, environment: ["ENERGYD_SOCKET": socket])
    }

    /// Starts `energyctl` without waiting for its end; its output goes to the file that is returned.
    func launchEnergyctl(_ arguments: String...) throws -> (process: ChildProcess, output: String) {
        let output = "\(directory)/energyctl-\(UUID().uuidString).out"
        let process = try ChildProcess(
            Programs.energyctl, arguments,
            environment: Programs.basicEnvironment.merging(["ENERGYD_SOCKET": socket]) { $1 },
            output: .file(output), error: .discard)
        children.withLock { $0.append(process) }
        return (process, output)
    }

    /// Rows of a command that answers with a JSON array; throws what it complained about when it failed.
    func rows(_ arguments: String...) async throws -> [Row] {
        let outcome = try await Programs.run(
            Programs.energyctl, arguments + ["-o", "json"], in: directory, environment: ["ENERGYD_SOCKET": socket])
        guard outcome.code == 0 else { throw NeverHappened("energyctl \(arguments): \(outcome.errors)") }
        return try Row.list(outcome.output)
    }

    func status() async throws -> Row {
        try Row.one(try await energyctl("status", "-o", "json").output)
    }

    /// The state and the sentence of a stage whose name begins so; nil when there is none.
    func stage(_ name: String) async throws -> (state: String, detail: String)? {
        let stages = try Row.list(try await energyctl("status", "-o", "json").output, "stages")
        return stages.first { $0["name"].hasPrefix(name) }.map { ($0["state"], $0["detail"]) }
    }

    func awaitStage(_ name: String, _ state: String) async throws {
        try await eventually("stage \(name) is \(state)") { try await stage(name)?.state == state }
    }

    /// Waits until the usage of `device` since the day of `since` sums to `milliwattHours`; says what it was otherwise.
    func awaitImport(_ device: String, since: String, milliwattHours: Int64) async throws {
        var last = ""
        do {
            try await eventually("usage") {
                let rows = try await rows("usage", "--by", "day", "--since", since)
                last = wattHours(TestHome.sum(rows, device))
                return last == wattHours(milliwattHours)
            }
        } catch let error as NeverHappened {
            throw NeverHappened("\(error): \(device) has \(last) Wh, not \(wattHours(milliwattHours)) Wh")
        }
    }

    /// mWh imported by a device in these rows.
    static func sum(_ rows: [Row], _ device: String) -> Int64 {
        rows.filter { $0["device"] == device }.compactMap { thousandths($0["import_wh"]) }.reduce(0, +)
    }

    private static func thousandths(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = Int64(parts[0]) else { return nil }
        let digits = parts.count > 1 ? String((parts[1] + "000").prefix(3)) : "000"
        return whole * 1000 + (Int64(digits) ?? 0) * (text.hasPrefix("-") ? -1 : 1)
    }

    func end() async {
        for child in children.withLock({ $0 }) where child.exitStatus == nil { await child.terminate() }
        await stopBroker()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// A started `energyd`.
struct Daemon {
    let process: ChildProcess
    let logPath: String

    /// What it has written to stderr.
    var log: String { text(of: logPath) }

    func kill() async throws {
        process.kill(SIGKILL)
        guard await process.wait(within: .seconds(30)) != nil else { throw NeverHappened("SIGKILL had no effect") }
    }

    /// Asks it to stop; nil when it does not within 30 s.
    func stop() async -> ChildProcess.ExitStatus? {
        process.kill(SIGTERM)
        return await process.wait(within: .seconds(30))
    }
}

/// Runs `body` with a home that is configured, and with a broker unless the test starts it later.
func withHome(
    broker: Bool = true, configuration: String = "", _ body: (TestHome) async throws -> Void
) async throws {
    var template = Array("/tmp/energyd-e2e.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw NeverHappened("no temporary directory") }
    let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let home = try TestHome(directory: directory, broker: broker ? await Broker.start(in: directory) : nil)
    do {
        try home.configure(configuration)
        try await body(home)
    } catch {
        await home.end()
        throw error
    }
    await home.end()
}
