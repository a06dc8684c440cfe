import APITypes
import Timekeeping

/// What the API can do about counters that went wrong. Methods throw a `Problem` for what cannot be meant so.
public protocol DataView: Sendable {
    /// Decisions about counters, newest first.
    func anomalies(since: Timestamp, until: Timestamp, device: String?, limit: Int) async throws -> [DecisionAnswer]
    /// What is known about `device/channel/quantity` around an instant.
    func explain(_ series: String, at time: Timestamp) async throws -> ExplanationAnswer
    /// Gives a command, or tells what it would change. What it changed is in all answers when this returns.
    func correct(_ request: CorrectionRequest, preview: Bool) async throws -> EffectAnswer
    /// The commands that were given, newest first.
    func audit(limit: Int) async throws -> [CommandAnswer]
}

extension HomeView {
    /// Nil for a home whose data cannot be corrected.
    public var data: (any DataView)? { nil }
}
