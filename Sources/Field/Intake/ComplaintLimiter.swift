import Synchronization
import Timekeeping

/// At most one log line a minute for each cause, and no memory without bound for causes. Any thread.
package final class ComplaintLimiter: Sendable {
    private let last = Mutex<[String: Int64]>([:])
    private let interval: Int64
    private static let maximumCauses = 1024

    package init(interval: Int64 = Span.minute) {
        self.interval = interval
    }

    /// `monotonic` in ms, from one clock.
    package func admits(_ cause: String, at monotonic: Int64) -> Bool {
        last.withLock { last in
            if let before = last[cause], monotonic - before < interval { return false }
            if last.count >= ComplaintLimiter.maximumCauses {
                let interval = interval
                last = last.filter { monotonic - $0.value < interval }
                // Still full: that many different causes a minute are one cause, a flood.
                if last.count >= ComplaintLimiter.maximumCauses { return false }
            }
            last[cause] = monotonic
            return true
        }
    }
}
