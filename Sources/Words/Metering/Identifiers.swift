/// A permanent random identity of 128 bits; `Kind` keeps a device's from being taken for a gateway's.
///
/// Stored keys hold this and nothing else: names, topics and bus addresses are bindings that may change.
public struct PermanentID<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first 16 hexadecimal digits.
    public let high: UInt64
    /// The last 16.
    public let low: UInt64

    /// From its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Draws from `generator`: the system's in a program, a seeded one in a test.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// Reads 32 hexadecimal digits, as `description` writes them; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32 else { return nil }
        let digits = text.utf8
        var halves: [UInt64] = [0, 0]
        for (i, byte) in digits.enumerated() {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            halves[i / 16] = halves[i / 16] << 4 | UInt64(digit)
        }
        self.init(high: halves[0], low: halves[1])
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 32) { out in
            for i in 0..<16 {
                let shift = UInt64(60 - 4 * i)
                out[i] = digits[Int(high >> shift & 15)]
                out[16 + i] = digits[Int(low >> shift & 15)]
            }
            return 32
        }
    }

    public static func < (a: Self, b: Self) -> Bool {
        (a.high, a.low) < (b.high, b.low)
    }
}

/// Marks the identity of a plug, meter or inverter.
public enum DeviceKind {}
/// Marks the identity of one `energyd` installation.
public enum GatewayKind {}
/// Marks the identity of a recorded human or remote decision.
public enum CommandKind {}

/// A plug, meter or inverter.
public typealias DeviceID = PermanentID<DeviceKind>
/// One `energyd` installation.
public typealias GatewayID = PermanentID<GatewayKind>
/// One recorded decision.
public typealias CommandID = PermanentID<CommandKind>
