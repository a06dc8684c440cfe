import Metering

/// A file that tells how one family's payloads, or one meter's registers, become readings.
package struct Profile: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case mqtt(MessageProfile)
        case modbus(RegisterMap)
    }

    /// `tasmota`, `eastron_sdm630`: what a configuration and a device's descriptor say.
    package let name: String
    /// Other names that a configuration may use: models that are read in the same way.
    package let aliases: [String]
    /// Raised when the same bytes are read differently; part of a device's descriptor.
    package let version: UInt32
    /// For people: `Tasmota`, `Eastron SDM630`.
    package let title: String
    /// Empty where one profile covers a maker's whole range.
    package let maker: String
    package let model: String
    /// What a device of this profile usually is.
    package let role: DeviceRole
    /// The most a device of this profile can carry, in W.
    package let ratingWatts: Int64?
    /// Class, step and modulus of every counter that the profile reads.
    package let counters: [Counter]
    package let kind: Kind
    /// Cases that the profile brings along; `ProfileCheck` runs them. A catalog in use has none: they take 0.4 MB.
    package internal(set) var tests: [ProfileTest]
    /// The file that it came from; nil: built into the program.
    package internal(set) var file: String?

    package var messages: MessageProfile? {
        if case .mqtt(let messages) = kind { return messages }
        return nil
    }

    package var registers: RegisterMap? {
        if case .modbus(let registers) = kind { return registers }
        return nil
    }

    static let maximumNameLength = 48
}

/// A recorded input and what it must become.
package struct ProfileTest: Hashable, Sendable {
    package enum Input: Hashable, Sendable {
        /// One after another, with what the decoder keeps between them; `expected` is what all of them gave.
        case messages([Message])
        case words(function: UInt8, address: UInt16, words: [UInt16], context: RegisterContext)
    }

    package struct Message: Hashable, Sendable {
        package let topic: String
        package let payload: String
        package let retained: Bool
    }

    package let name: String
    package let input: Input
    /// Only for messages; empty: not checked.
    package let device: String
    /// Every sample, in any order: `l1 voltage 230.2`.
    package let expected: [String]
    /// The line of the test in its file.
    package let line: Int
}
