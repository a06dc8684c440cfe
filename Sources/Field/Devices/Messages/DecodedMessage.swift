import Metering

/// What one message meant. Reused from message to message, so that its arrays keep their memory.
package struct DecodedMessage {
    package enum Outcome: Hashable, Sendable {
        /// No profile knows the topic.
        case notMine
        /// Understood, and it says nothing that is measured: an empty payload, a null, a command's echo.
        case nothing
        /// At least one sample; single fields may still be wrong: see `errors`.
        case readings
        /// The device came or went, by its own word or its last will.
        case availability(Bool)
        /// Nothing could be taken from it.
        case malformed(DecodeError)
    }

    package internal(set) var outcome: Outcome = .notMine
    /// Index into the decoder's `profiles`; -1 when the message is not ours.
    package internal(set) var profile = -1
    /// Stands for profile and device address: dense from 0, the same for the life of the decoder. -1 unless the
    /// message gave readings or availability. `MessageDecoder.address(of:)` spells it out.
    package internal(set) var device = -1
    /// The part of the topic that tells the device from its siblings; it may hold `/`.
    package internal(set) var deviceRange = 0..<0
    package internal(set) var samples: [Sample] = []
    /// For each sample of a JSON payload the tree's node that it came from.
    var origins: [Int32] = []
    /// Fields that could not be read while the others count; at most `maximumErrors`.
    package internal(set) var errors: [FieldError] = []
    /// All fields that could not be read, also those that `errors` has no room for.
    package internal(set) var errorCount = 0
    /// Members of the payload that the profile does not name; dropped.
    package internal(set) var unknownCount = 0
    /// Fields that stand for "no value": null, `nan`, a code of the device.
    package internal(set) var noValueCount = 0

    package static let maximumErrors = 8

    package init() {}

    /// Forgets the last message and keeps the memory.
    mutating func reset() {
        outcome = .notMine
        profile = -1
        device = -1
        deviceRange = 0..<0
        samples.removeAll(keepingCapacity: true)
        errors.removeAll(keepingCapacity: true)
        errorCount = 0
        unknownCount = 0
        noValueCount = 0
    }

    mutating func report(_ error: @autoclosure () -> DecodeError, at field: @autoclosure () -> String) {
        errorCount += 1
        if errors.count < DecodedMessage.maximumErrors { errors.append(FieldError(field: field(), error: error())) }
    }
}

/// One field of a message, or one register, that could not be read.
package struct FieldError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path in the payload (`ENERGY.Power`), the topic part, or the register (`register 0x0034`).
    package let field: String
    package let error: DecodeError

    package init(field: String, error: DecodeError) {
        self.field = field
        self.error = error
    }

    package var description: String { "\(field): \(error)" }
}
