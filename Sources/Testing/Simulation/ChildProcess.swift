import Glibc
import Synchronization
import Threads

/// A program started by a test, the simulator or the demo, and killed with the value that stands for it.
///
/// `deinit` kills and reaps the child. Where this process is killed without a chance to do so, the child lives on:
/// the kernel's "die with the parent" can be asked for between fork and exec only, which `posix_spawn` does not offer.
public final class ChildProcess: Sendable {
    /// How a child ended.
    public enum ExitStatus: Equatable, Sendable {
        case exited(code: Int32)
        case killed(signal: Int32)
    }

    /// Where the child's standard output or error goes.
    public enum Output: Sendable {
        case inherit
        case discard
        /// A file that is made or emptied.
        case file(String)
        /// Read with `readToEnd`; the child waits when nobody reads 64 KiB.
        case pipe
    }

    public let pid: pid_t
    private let outputEnd: Int32?
    private let errorEnd: Int32?
    /// Nil while the child has not been reaped: until then its pid cannot be another process's.
    private let status = Mutex<ExitStatus?>(nil)

    /// Starts `program` (a path, or a name to be found along PATH).
    ///
    /// - Parameter environment: instead of this process's own, when given.
    public init(
        _ program: String, _ arguments: [String] = [], environment: [String: String]? = nil,
        output: Output = .inherit, error: Output = .inherit
    ) throws(SystemError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let outputPipe = try Self.redirect(1, to: output, &actions)
        let errorPipe: (read: Int32, write: Int32)?
        do throws(SystemError) {
            errorPipe = try Self.redirect(2, to: error, &actions)
        } catch {
            for end in [outputPipe?.read, outputPipe?.write] { if let end { close(end) } }
            throw error
        }
        defer { for end in [outputPipe?.write, errorPipe?.write] { if let end { close(end) } } }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks is not the child's business.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var variables: [UnsafeMutablePointer<CChar>?] =
            (environment ?? [:]).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { variables.forEach { free($0) } }
        var child: pid_t = 0
        let code =
            environment == nil
            ? posix_spawnp(&child, program, &actions, &attributes, &argv, Glibc.environ)
            : posix_spawnp(&child, program, &actions, &attributes, &argv, &variables)
        guard code == 0 else {
            for end in [outputPipe?.read, errorPipe?.read] { if let end { close(end) } }
            throw SystemError("cannot start \(program)", code)
        }
        (pid, outputEnd, errorEnd) = (child, outputPipe?.read, errorPipe?.read)
    }

    deinit {
        if reap(options: WNOHANG) == nil {
            kill(SIGKILL)
            _ = reap(options: 0)
        }
        for end in [outputEnd, errorEnd] { if let end { close(end) } }
    }

    /// Sends a signal; does nothing when the child has ended.
    public func kill(_ signal: Int32) {
        status.withLock { status in
            if status == nil { _ = Glibc.kill(pid, signal) }
        }
    }

    /// How the child ended, or nil while it runs.
    public var exitStatus: ExitStatus? { reap(options: WNOHANG) }

    /// How the child ended, or nil when it still runs after `limit`.
    public func wait(within limit: Duration) async -> ExitStatus? {
        let end = ContinuousClock.now.advanced(by: limit)
        while true {
            if let status = exitStatus { return status }
            if ContinuousClock.now >= end || Task.isCancelled { return nil }
            // The kernel tells of a child's end by a signal to the whole process only: asking is simpler.
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Asks the child to end (SIGTERM), and kills it after `limit`.
    @discardableResult
    public func terminate(within limit: Duration = .seconds(5)) async -> ExitStatus? {
        kill(SIGTERM)
        if let status = await wait(within: limit) { return status }
        kill(SIGKILL)
        return await wait(within: .seconds(5))
    }

    /// All that the child writes to a standard output that is a `.pipe`, up to `limit` bytes. Blocks until the
    /// child closes it.
    public func readToEnd(limit: Int = 16 << 20) -> [UInt8] {
        guard let outputEnd else { return [] }
        return Self.readToEnd(outputEnd, limit: limit)
    }

    /// The same for standard error.
    public func readErrorToEnd(limit: Int = 16 << 20) -> [UInt8] {
        guard let errorEnd else { return [] }
        return Self.readToEnd(errorEnd, limit: limit)
    }

    private static func readToEnd(_ descriptor: Int32, limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < limit {
            let count = read(descriptor, &buffer, min(buffer.count, limit - bytes.count))
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private func reap(options: Int32) -> ExitStatus? {
        status.withLock { status in
            if status != nil { return status }
            var raw: Int32 = 0
            var answer: pid_t
            repeat { answer = waitpid(pid, &raw, options) } while answer < 0 && errno == EINTR
            if answer == pid {
                let signal = raw & 0x7F
                status = signal == 0 ? .exited(code: (raw >> 8) & 0xFF) : .killed(signal: signal)
            }
            return status
        }
    }

    /// The ends of a pipe, both closed in the child but for its copy as `descriptor`.
    private static func redirect(
        _ descriptor: Int32, to output: Output, _ actions: inout posix_spawn_file_actions_t
    ) throws(SystemError) -> (read: Int32, write: Int32)? {
        switch output {
        case .inherit: return nil
        case .discard:
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
            return nil
        case .file(let path):
            posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            return nil
        case .pipe:
            var ends: [Int32] = [-1, -1]
            guard Glibc.pipe(&ends) == 0 else { throw SystemError("no pipe", errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            posix_spawn_file_actions_adddup2(&actions, ends[1], descriptor)
            return (ends[0], ends[1])
        }
    }
}
