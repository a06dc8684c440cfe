import Synchronization
import Timekeeping

/// At most one log line a minute for each cause, and no memory without bound for causes. Any thread.
public final class ComplaintLimiter: Sendable {
    private struct State {
        /// When each cause was admitted last.
        var last: [String: Int64] = [:]
        /// When causes were last thrown out for being old: looking through all of them for each one that a flood brings
        /// would be what the flood wants.
        var purged: Int64?
    }

    private let state = Mutex(State())
    private let interval: Int64
    private static let maximumCauses = 1024

    public init(interval: Int64 = Span.minute) {
        self.interval = interval
    }

    /// `monotonic` in ms, from one clock.
    public func admits(_ cause: String, at monotonic: Int64) -> Bool {
        state.withLock { state in
            if let before = state.last[cause], monotonic - before < interval { return false }
            if state.last.count >= ComplaintLimiter.maximumCauses {
                // That many different causes within one interval are one cause, a flood.
                if let purged = state.purged, monotonic - purged < interval { return false }
                state.purged = monotonic
                let interval = interval
                state.last = state.last.filter { monotonic - $0.value < interval }
                if state.last.count >= ComplaintLimiter.maximumCauses { return false }
            }
            state.last[cause] = monotonic
            return true
        }
    }
}
