import Metering

/// What one message meant. Reused from message to message, so that its arrays keep their memory.
public struct DecodedMessage {
    public enum Outcome: Hashable, Sendable {
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

    /// Where a sample of a JSON payload comes from.
    struct Origin {
        /// Of the tree; -1 when the sample is to be dropped.
        var node: Int32
        /// Index of the tree's field; -1 of a sum.
        var field: Int32
        /// Where its value begins in the text; of a sum: how many samples before it were added.
        var place: UInt32
        /// Where what `key` was made of begins in the text, of an amount that a sibling tells apart.
        var keyPlace = Origin.nowhere
        /// What tells one amount from its repetition; 0: nothing does.
        var key: UInt64 = 0

        static let nowhere = UInt32.max
    }

    public internal(set) var outcome: Outcome = .notMine
    /// Index into the decoder's `profiles`; -1 when the message is not ours.
    public internal(set) var profile = -1
    /// Stands for profile and device address: dense from 0, the same for the life of the decoder. -1 unless the
    /// message gave readings or availability. `MessageDecoder.address(of:)` spells it out.
    public internal(set) var device = -1
    public internal(set) var samples: [Sample] = []
    /// For each sample.
    var origins: [Origin] = []
    /// Places of values that were read to understand others: a unit, a sign.
    var consulted: [UInt32] = []
    /// Of the payload's time: where its value begins, and what it says, as a hash.
    var timePlace: UInt32?
    var timeKey: UInt64 = 0
    /// A member came twice, or a text meant "no value": the next message of this shape may mean something else.
    var isIrregular = false
    /// The topic's entry in the decoder's cache.
    var entry = -1
    /// Whether it was read as a plain text where its topic may also bring JSON.
    var isPlain = false
    /// Fields that could not be read while the others count; at most `maximumErrors`.
    public internal(set) var errors: [FieldError] = []
    /// All fields that could not be read, also those that `errors` has no room for.
    public internal(set) var errorCount = 0
    /// Members of the payload that the profile does not name; dropped.
    public internal(set) var unknownCount = 0
    /// Fields that stand for "no value": null, `nan`, a code of the device.
    public internal(set) var noValueCount = 0

    public static let maximumErrors = 8

    public init() {}

    /// Forgets the last message and keeps the memory.
    @inline(__always)
    mutating func reset() {
        outcome = .notMine
        profile = -1
        device = -1
        entry = -1
        isPlain = false
        clear()
    }

    /// Forgets what the payload said, but not whose it is.
    @inline(__always)
    mutating func clear() {
        if !samples.isEmpty { samples.removeAll(keepingCapacity: true) }
        if !origins.isEmpty { origins.removeAll(keepingCapacity: true) }
        if !consulted.isEmpty { consulted.removeAll(keepingCapacity: true) }
        if !errors.isEmpty { errors.removeAll(keepingCapacity: true) }
        timePlace = nil
        timeKey = 0
        isIrregular = false
        errorCount = 0
        unknownCount = 0
        noValueCount = 0
    }

    /// Why nothing could be taken from it, with the fields where these are to blame; nil where something could.
    public var complaint: String? {
        guard case .malformed(let error) = outcome else { return nil }
        guard errors.first?.error == error else { return "\(error)" }
        return errors.map(\.description).joined(separator: "; ")
    }

    mutating func report(_ error: @autoclosure () -> DecodeError, at field: @autoclosure () -> String) {
        errorCount += 1
        if errors.count < DecodedMessage.maximumErrors { errors.append(FieldError(field: field(), error: error())) }
    }

    @inline(__always)
    mutating func append(_ sample: Sample, _ origin: Origin) {
        samples.append(sample)
        origins.append(origin)
    }

    /// Keeps the samples from `first` on whose origin `isKept` holds for.
    mutating func keep(from first: Int, where isKept: (Origin) -> Bool) {
        var kept = first
        for i in first..<samples.count where isKept(origins[i]) {
            samples[kept] = samples[i]
            origins[kept] = origins[i]
            kept += 1
        }
        samples.removeSubrange(kept...)
        origins.removeSubrange(kept...)
    }
}

/// One field of a message, or one register, that could not be read.
public struct FieldError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path in the payload (`ENERGY.Power`), the topic part, or the register (`register 0x0034`).
    public let field: String
    public let error: DecodeError

    public init(field: String, error: DecodeError) {
        self.field = field
        self.error = error
    }

    public var description: String { "\(field): \(error)" }
}
