import API
import APITypes
import Synchronization

/// Those who watch readings come in. Any thread; a watcher that is slow loses the oldest batches, nobody waits for it.
final class Followers: Sendable {
    private struct Follower {
        let filter: SeriesFilter
        let continuation: AsyncStream<[ReadingAnswer]>.Continuation
    }

    private struct State {
        var followers: [Int: Follower] = [:]
        var next = 0
        var lost: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Batches kept for one watcher.
    private static let depth = 64
    private static let maximum = 64

    /// True when a batch has to be made at all.
    var isWatched: Bool { state.withLock { !$0.followers.isEmpty } }
    /// Batches that slow watchers lost.
    var lost: UInt64 { state.withLock { $0.lost } }

    func follow(_ filter: SeriesFilter) -> AsyncStream<[ReadingAnswer]> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Followers.depth)) { continuation in
            let number: Int? = state.withLock { state in
                guard state.followers.count < Followers.maximum else { return nil }
                state.next += 1
                state.followers[state.next] = Follower(filter: filter, continuation: continuation)
                return state.next
            }
            guard let number else {
                continuation.finish()
                return
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.followers.removeValue(forKey: number) }
            }
        }
    }

    func publish(_ batch: [ReadingAnswer]) {
        let followers = state.withLock { Array($0.followers.values) }
        var lost: UInt64 = 0
        for follower in followers {
            let mine = batch.filter {
                follower.filter.matches(device: $0.device, channel: $0.channel, quantity: $0.quantity)
            }
            if mine.isEmpty { continue }
            if case .dropped = follower.continuation.yield(mine) { lost += 1 }
        }
        if lost > 0 { state.withLock { $0.lost += lost } }
    }

    /// Ends every stream, so that a stopping daemon does not wait for its watchers.
    func finish() {
        let followers = state.withLock { state in
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.continuation.finish() }
    }
}
