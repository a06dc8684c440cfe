import ArgumentParser
import Glibc
import Synchronization

/// Crashes the store at random calls on a disk in memory, and checks what design promises of it.
@main
struct EnergyFuzz: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "energyfuzz",
        abstract: "Cuts the power of log, history and snapshots at random calls, and checks what must outlive it.",
        discussion: """
            Runs the real store on a simulated disk that tears, reorders and loses what was not synced, is full, \
            read-only or pulled, misdirects writes, turns bits, or lies about syncs. First come the canaries: \
            mistakes made on purpose, each of which must be found.

            Exit status: 0 all held, 1 something did not; the seed and what happened are printed.

              energyfuzz --points 100000
              energyfuzz --run 4242        one run again, with all that happens in it
            """)

    @Option(help: "Crash points in all.")
    var points = 100_000
    @Option(help: "Seed of the first run; the others follow it.")
    var seed: UInt64 = 1
    @Option(help: "Runs at once (default: one for each processor).")
    var jobs: Int?
    @Option(help: "Crash points of one run.")
    var pointsPerRun = 40
    @Option(help: "Run this seed alone and print what happens.")
    var run: UInt64?

    func run() async throws {
        guard points > 0, pointsPerRun > 0, jobs ?? 1 > 0 else {
            throw ValidationError("--points, --points-per-run and --jobs begin at 1")
        }
        if let run { return try replay(run) }
        for canary in Canary.allCases { try search(canary) }
        print("fuzz: \(Canary.allCases.count) canaries found")
        let jobs = jobs ?? max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        let start = ContinuousClock.now
        let work = Work(seed: seed, points: points, pointsPerRun: pointsPerRun)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<jobs { group.addTask { work.run() } }
        }
        let seconds = (ContinuousClock.now - start).components.seconds
        if let failed = work.failedSeed {
            print("")
            try replay(failed)
        }
        print("\rfuzz: \(work.done) crash points, seeds \(seed) to \(work.lastSeed), in \(seconds) s: all held")
    }

    /// A mistake made on purpose must be found within a few thousand crash points.
    private func search(_ canary: Canary) throws {
        for i in 0..<200 as Range<UInt64> {
            let run = FuzzRun(seed: seed &+ i, canary: canary)
            do {
                try run.run(pointsPerRun)
            } catch {
                return
            }
        }
        print("fuzz: \(canary.rawValue) was not found, so nothing else that this finds can be believed")
        throw ExitCode(1)
    }

    private func replay(_ seed: UInt64) throws {
        let run = FuzzRun(seed: seed, journals: true)
        do {
            try run.run(pointsPerRun)
            print("fuzz: seed \(seed): \(run.points) crash points, all held")
        } catch {
            for line in run.journal?.suffix(1000) ?? [] { print("  " + line) }
            print("fuzz: seed \(seed), \(run.mood.rawValue) disk, crash point \(run.points): \(error)")
            print("fuzz: energyfuzz --run \(seed) --points-per-run \(pointsPerRun) shows it again")
            throw ExitCode(1)
        }
    }
}

/// Seeds handed out to as many threads as there are.
private final class Work: Sendable {
    private struct State {
        var nextSeed: UInt64
        var done = 0
        var failedSeed: UInt64?
        var told = 0
    }

    private let state: Mutex<State>
    private let points: Int
    private let pointsPerRun: Int
    private let showsProgress = isatty(STDOUT_FILENO) == 1

    init(seed: UInt64, points: Int, pointsPerRun: Int) {
        state = Mutex(State(nextSeed: seed))
        self.points = points
        self.pointsPerRun = pointsPerRun
    }

    var done: Int { state.withLock { $0.done } }
    var failedSeed: UInt64? { state.withLock { $0.failedSeed } }
    var lastSeed: UInt64 { state.withLock { $0.nextSeed &- 1 } }

    func run() {
        while let seed = next() {
            let run = FuzzRun(seed: seed)
            do {
                try run.run(pointsPerRun)
            } catch {
                state.withLock { $0.failedSeed = min(seed, $0.failedSeed ?? seed) }
            }
            finish(run.points)
        }
    }

    private func next() -> UInt64? {
        state.withLock { state in
            guard state.done < points, state.failedSeed == nil else { return nil }
            defer { state.nextSeed &+= 1 }
            return state.nextSeed
        }
    }

    private func finish(_ count: Int) {
        state.withLock { state in
            state.done += count
            guard showsProgress, state.done - state.told >= 1000 else { return }
            state.told = state.done
            let line = Array("\rfuzz: \(state.done) of \(points) crash points".utf8)
            _ = write(STDOUT_FILENO, line, line.count)
        }
    }
}
