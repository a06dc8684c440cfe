import CAllocator
import Disk
import Glibc

/// What single stages of the gateway cost on this machine, in process: one line `name value unit` per result.
///
/// `scripts/bench` runs it several times, takes medians and adds what needs whole programs.
@main
struct EnergyBench {
    static func main() async {
        // As the daemon: its memory is measured here.
        allocator_keep_little()
        let arguments = CommandLine.arguments
        if arguments.count == 4, arguments[1] == "bus", let seconds = Double(arguments[3]) {
            do {
                try await BusBench.run(bus: arguments[2], seconds: seconds)
            } catch {
                complain("energybench: \(error)")
                exit(1)
            }
            return
        }
        if arguments.count == 5, arguments[1] == "query" {
            do {
                try QueryBench.run(socket: arguments[2], device: arguments[3], since: arguments[4])
            } catch {
                complain("energybench: \(error)")
                exit(1)
            }
            return
        }
        let parts = ["log", "store", "bulk", "usage", "decode", "memory", "days", "week"]
        let chosen = Array(arguments.dropFirst(2))
        guard arguments.count >= 2, chosen.allSatisfy(parts.contains) else {
            complain(
                "usage: energybench DIRECTORY [\(parts.joined(separator: "|"))]…; the directory is for files and "
                    + "must be on the disk to be measured")
            exit(2)
        }
        do {
            // Weeks take minutes, and memory wants a process of its own.
            try run(chosen.isEmpty ? ["log", "store", "usage", "decode"] : chosen, in: arguments[1])
        } catch {
            complain("energybench: \(error)")
            exit(1)
        }
    }

    private static func run(_ parts: [String], in directory: String) throws {
        try LocalFileSystem().createDirectory(directory)
        // Memory is measured before anything else has used any.
        if parts.contains("store") { try StoreBench.run(in: directory + "/store") }
        if parts.contains("bulk") { try StoreBench.runBulk(in: directory + "/bulk") }
        if parts.contains("log") { try LogBench.run(in: directory + "/log") }
        if parts.contains("usage") { UsageBench.run() }
        if parts.contains("decode") { DecodeBench.run() }
        if parts.contains("memory") { try WeekBench.memory(hours: 6, in: directory + "/memory") }
        // The same week of a smaller house in a minute or two, or of the full one.
        if parts.contains("days") { try WeekBench.week(plugs: 20, flush: 60, in: directory + "/days") }
        if parts.contains("week") { try WeekBench.week(plugs: 200, flush: 10, in: directory + "/week") }
    }

    private static func complain(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// CPU-seconds of this process and seconds on the wall since it was made.
struct Stopwatch {
    private let cpuStart = Stopwatch.seconds(CLOCK_PROCESS_CPUTIME_ID)
    private let systemStart = Stopwatch.systemSeconds
    private let wallStart = Stopwatch.seconds(CLOCK_MONOTONIC)

    var cpu: Double { Stopwatch.seconds(CLOCK_PROCESS_CPUTIME_ID) - cpuStart }
    var wall: Double { Stopwatch.seconds(CLOCK_MONOTONIC) - wallStart }

    /// Of `cpu`: what the kernel took, as finely as it tells.
    var system: Double { Stopwatch.systemSeconds - systemStart }

    private static var systemSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var now = timespec()
        clock_gettime(clock, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}

/// Prints one result. The value keeps six digits; how many of them hold is seen from its spread over the runs.
func report(_ name: String, _ value: Double, _ unit: String) {
    let line = Array("\(name) \(value) \(unit)\n".utf8)
    _ = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}
