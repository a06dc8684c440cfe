import Metering

/// Limits that no home's value exceeds: a sample outside them is a fault of the source, not a measurement.
public enum Plausibility {
    public enum Verdict: Hashable, Sendable {
        case ok
        /// Take this value instead: a power factor a hair above 1 is 1.
        case clamped(Int64)
        /// Drop the sample and count it; the device stays up.
        case reject(Reason)
    }

    public struct Reason: Error, Hashable, Sendable, CustomStringConvertible {
        public let quantity: Quantity
        /// Thousandths of the canonical unit.
        public let value: Int64
        public let limits: ClosedRange<Int64>

        public var description: String {
            "\(quantity) of \(Thousandths.text(value)) \(quantity.unit) is outside "
                + "\(Thousandths.text(limits.lowerBound)) … \(Thousandths.text(limits.upperBound))"
        }
    }

    /// `value` in thousandths of the quantity's canonical unit.
    public static func check(_ quantity: Quantity, _ value: Int64) -> Verdict {
        guard let limits = limits(of: quantity) else { return .ok }
        guard limits.contains(value) else {
            if quantity == .frequency, value == 0 { return .ok }  // 0: the meter sees no mains
            return .reject(Reason(quantity: quantity, value: value, limits: limits))
        }
        if quantity == .powerFactor, value.magnitude > 1000 { return .clamped(value < 0 ? -1000 : 1000) }
        return .ok
    }

    /// Nil for a quantity that has none.
    public static func limits(of quantity: Quantity) -> ClosedRange<Int64>? {
        switch quantity {
        case .power, .apparentPower, .reactivePower, .productionPower, .batteryPower: symmetric(1_000_000)
        case .voltage: symmetric(1_000)
        case .current: symmetric(10_000)
        case .frequency: 40_000...70_000
        case .powerFactor: -1_010...1_010
        case .temperature: -50_000...150_000
        default: energyLimits(of: quantity)
        }
    }

    private static func energyLimits(of quantity: Quantity) -> ClosedRange<Int64>? {
        guard quantity.unit == "Wh" || quantity.unit == "varh" else {
            return quantity.behaviour == .counter ? 0...Int64.max : nil
        }
        // A counter below 0 is no counter; Usage must never see one. Net energy may be negative.
        return quantity == .energyNet ? symmetric(1_000_000_000_000) : 0...1_000_000_000_000_000
    }

    private static func symmetric(_ units: Int64) -> ClosedRange<Int64> {
        -units * 1000...units * 1000
    }
}
