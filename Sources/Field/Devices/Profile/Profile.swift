import Metering

/// A file that tells how one family's payloads, or one meter's registers, become readings.
public struct Profile: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case mqtt(MessageProfile)
        case modbus(RegisterMap)
    }

    /// `tasmota`, `eastron_sdm630`: what a configuration and a device's descriptor say.
    public let name: String
    /// Other names that a configuration may use: models that are read in the same way.
    public let aliases: [String]
    /// Raised when the same bytes are read differently; part of a device's descriptor.
    public let version: UInt32
    /// For people: `Tasmota`, `Eastron SDM630`.
    public let title: String
    /// Empty where one profile covers a maker's whole range.
    public let maker: String
    public let model: String
    /// What a device of this profile usually is.
    public let role: DeviceRole
    /// The most a device of this profile can carry, in W.
    public let ratingWatts: Int64?
    /// Class, step and modulus of every counter that the profile reads.
    public let counters: [Counter]
    public let kind: Kind
    /// Cases that the profile brings along; `ProfileCheck` runs them. A catalog in use has none: they take 0.4 MB.
    public internal(set) var tests: [ProfileTest]
    /// The file that it came from; nil: built into the program.
    public internal(set) var file: String?

    public var messages: MessageProfile? {
        if case .mqtt(let messages) = kind { return messages }
        return nil
    }

    public var registers: RegisterMap? {
        if case .modbus(let registers) = kind { return registers }
        return nil
    }

    static let maximumNameLength = 48
}

/// A recorded input and what it must become.
public struct ProfileTest: Hashable, Sendable {
    public enum Input: Hashable, Sendable {
        /// One after another, with what the decoder keeps between them; `expected` is what all of them gave.
        case messages([Message])
        case words(function: UInt8, address: UInt16, words: [UInt16], context: RegisterContext)
    }

    public struct Message: Hashable, Sendable {
        public let topic: String
        public let payload: String
        public let retained: Bool
    }

    public let name: String
    public let input: Input
    /// Only for messages; empty: not checked.
    public let device: String
    /// Every sample, in any order: `l1 voltage 230.2`.
    public let expected: [String]
    /// The line of the test in its file.
    public let line: Int
}
