import Foundation
import Testing

/// Tests that pace a wire in real time and say exactly what survives. Beside the hundreds of other tests a machine of
/// two cores is late by more than a frame's silence, which is a fault that nobody scripted; so `make test` runs them
/// when the others are through, one at a time.
enum RealTime {
    static let isTheirTurn = ProcessInfo.processInfo.environment["ENERGYD_REAL_TIME_TESTS"] != nil
}

extension Trait where Self == ConditionTrait {
    static var inRealTime: ConditionTrait {
        .enabled(if: RealTime.isTheirTurn, "runs alone, with ENERGYD_REAL_TIME_TESTS=1, as `make test` does at its end")
    }
}
