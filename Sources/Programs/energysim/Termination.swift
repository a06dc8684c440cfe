import Dispatch
import Glibc

/// Runs `body` until it ends or SIGINT or SIGTERM asks for the end, which cancels it; a second signal ends at once.
func untilTerminated(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await body() }
    let signals = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { @Sendable in
            if task.isCancelled { _exit(128 + number) }
            task.cancel()
        }
        source.resume()
        return source
    }
    defer { for source in signals { source.cancel() } }
    do {
        try await task.value
    } catch {
        // Asked to end: whatever the end looked like from inside, it is a clean one.
        if !task.isCancelled { throw error }
    }
}
