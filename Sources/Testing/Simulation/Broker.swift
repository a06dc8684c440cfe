import Glibc
import Threads

/// A real mosquitto broker of one's own, on a free loopback port, without persistence.
public final class Broker: Sendable {
    public let port: UInt16
    /// The broker's configuration and its log stand here.
    public let directory: String
    private let process: ChildProcess

    public var pid: pid_t { process.pid }

    /// Starts mosquitto and returns when it accepts connections.
    ///
    /// - Parameters:
    ///   - directory: must exist; gets `mosquitto.conf` and `mosquitto.log`.
    ///   - port: a broker that returns wants its old port; otherwise a free one is found.
    ///   - extraLines: more lines of mosquitto.conf.
    public static func start(
        in directory: String, port: UInt16? = nil, extraLines: [String] = []
    ) async throws(SystemError) -> Broker {
        let program = try find()
        var failure = SystemError("no attempt")
        // Somebody else may take a free port before mosquitto does.
        for _ in 0..<(port == nil ? 5 : 1) {
            let chosen: UInt16
            if let port { chosen = port } else { chosen = try FreePort.find() }
            try write(configuration(port: chosen) + extraLines, to: directory + "/mosquitto.conf")
            let process = try ChildProcess(
                program, ["-c", directory + "/mosquitto.conf"], output: .file(directory + "/mosquitto.log"),
                error: .file(directory + "/mosquitto.err"))
            if await accepts(chosen, process, within: .seconds(15)) {
                return Broker(port: chosen, directory: directory, process: process)
            }
            failure = SystemError("mosquitto does not accept connections; see \(directory)/mosquitto.log")
        }
        throw failure
    }

    private init(port: UInt16, directory: String, process: ChildProcess) {
        (self.port, self.directory, self.process) = (port, directory, process)
    }

    /// Ends the broker and waits for that; also done, less politely, when the value is released.
    public func stop() async {
        await process.terminate()
    }

    /// Stops it as a power cut would.
    public func kill() async {
        process.kill(SIGKILL)
        _ = await process.wait(within: .seconds(5))
    }

    private static func configuration(port: UInt16) -> [String] {
        var lines = [
            "listener \(port) 127.0.0.1", "allow_anonymous true", "persistence false", "set_tcp_nodelay true",
            // A test that floods a subscriber wants every message.
            "max_queued_messages 0", "max_inflight_messages 0", "log_dest stdout", "log_type error",
            "log_type warning", "log_type notice",
        ]
        // Started by root it would become another user, who cannot read a private directory.
        if geteuid() == 0 { lines.append("user root") }
        return lines
    }

    /// Debian keeps mosquitto in /usr/sbin, which is not on everybody's PATH.
    private static func find() throws(SystemError) -> String {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        for directory in path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"] {
            let candidate = directory + "/mosquitto"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw SystemError("mosquitto is not installed: neither on PATH nor in /usr/sbin")
    }

    private static func accepts(_ port: UInt16, _ process: ChildProcess, within limit: Duration) async -> Bool {
        let end = ContinuousClock.now.advanced(by: limit)
        while process.exitStatus == nil, ContinuousClock.now < end {
            if FreePort.accepts(port) { return process.exitStatus == nil }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }

    private static func write(_ lines: [String], to path: String) throws(SystemError) {
        guard let file = fopen(path, "we") else { throw SystemError("cannot write \(path)", errno) }
        let written = fputs(lines.joined(separator: "\n") + "\n", file)
        guard fclose(file) == 0, written >= 0 else { throw SystemError("cannot write \(path)", errno) }
    }
}
