import Metering
import Timekeeping

/// A reading as files have it: names instead of identities, in the quantity's canonical unit.
public struct NamedReading: Hashable, Sendable {
    /// What people call the device; 1 to `Device.maximumNameLength` bytes.
    public var device: String
    public var channel: Channel
    public var quantity: Quantity
    public var time: Timestamp
    /// Thousandths of the quantity's unit.
    public var value: Int64

    public init(device: String, channel: Channel, quantity: Quantity, time: Timestamp, value: Int64) {
        self.device = device
        self.channel = channel
        self.quantity = quantity
        self.time = time
        self.value = value
    }
}

/// How readings stand in a file. Formats: `Formats.md`.
public enum ExchangeFormat: String, CaseIterable, Sendable {
    case csv, jsonl, influx, prometheus

    /// The format that a file's name speaks of, such as `house.csv` or `old.lp`; nil where it speaks of none.
    public init?(fileName name: String) {
        switch ExchangeFormat.ending(of: name)?.lowercased() {
        case "csv": self = .csv
        case "jsonl", "ndjson": self = .jsonl
        case "lp", "influx", "line": self = .influx
        case "prom", "om", "openmetrics": self = .prometheus
        default: return nil
        }
    }

    /// What stands behind the last dot of a file's name; nil without one.
    public static func ending(of path: String) -> String? {
        guard let name = path.split(separator: "/").last, let dot = name.lastIndex(of: "."), dot != name.startIndex
        else { return nil }
        return String(name[name.index(after: dot)...])
    }

    /// Whether its readings come a series after the other, not in the order of time.
    public var isBySeries: Bool { self == .prometheus }
}

/// What a line of line protocol counts its time in.
public enum TimePrecision: String, CaseIterable, Sendable {
    case ns, us, ms, s

    /// Of one unit, in milliseconds: a numerator and a denominator.
    var milliseconds: (multiplier: Int64, divisor: Int64) {
        switch self {
        case .ns: (1, 1_000_000)
        case .us: (1, 1_000)
        case .ms: (1, 1)
        case .s: (1_000, 1)
        }
    }
}

/// Why a line is no reading: the end of a sentence that begins with its place, such as `house.csv:12: the line …`.
public struct LineFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
