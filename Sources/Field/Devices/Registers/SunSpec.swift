/// One model of a SunSpec device.
public struct SunSpecModel: Hashable, Sendable, CustomStringConvertible {
    /// 1: common; 101–113: inverters; 201–214: meters.
    public let id: UInt16
    /// Where its id stands; the length and then `length` registers follow.
    public let address: UInt16
    public let length: Int

    public init(id: UInt16, address: UInt16, length: Int) {
        self.id = id
        self.address = address
        self.length = length
    }

    public var description: String { "model \(id) at \(address), \(length) registers" }
}

/// Finds the models of a SunSpec device: the marker, then a chain of id and length. Pure: it says what to read next and
/// is told what came.
public struct SunSpecWalk: Hashable, Sendable {
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// No marker at any of its places.
        case noMarker
        /// A model of no length before the end of the chain.
        case emptyModel(id: UInt16, address: UInt16)
        /// The chain leaves the addresses that there are.
        case beyondTheEnd(id: UInt16, address: UInt16)
        case tooManyModels(maximum: Int)
        /// The device did not answer where the chain goes on.
        case unanswered(address: UInt16)

        public var description: String {
            switch self {
            case .noMarker: "no `SunS` at 40000, 50000 or 0: this is no SunSpec device, or not its unit"
            case .emptyModel(let id, let address): "model \(id) at \(address) has no registers"
            case .beyondTheEnd(let id, let address): "model \(id) at \(address) ends behind register 65535"
            case .tooManyModels(let maximum): "more than \(maximum) models"
            case .unanswered(let address): "no answer at \(address), where the next model should stand"
            }
        }
    }

    /// In the order in which they are tried.
    public static let markerAddresses: [UInt16] = [40000, 50000, 0]
    public static let maximumModels = 60
    /// `SunS`
    static let marker: [UInt16] = [0x5375, 0x6E53]

    /// In the order of the chain, the common model first.
    public private(set) var models: [SunSpecModel] = []
    public private(set) var failure: Failure?
    private var markersTried = 0
    private var next: Int?
    private var isDone = false

    public init() {}

    /// The two registers to read next; nil: the walk is over, with `models` or a `failure`.
    public var request: RegisterBlock? {
        guard !isDone else { return nil }
        if let next { return RegisterBlock(function: 3, address: UInt16(next), count: 2) }
        return RegisterBlock(function: 3, address: SunSpecWalk.markerAddresses[markersTried], count: 2)
    }

    /// What came for `request`; nil: no answer, or an exception.
    public mutating func take(_ words: [UInt16]?) {
        guard let request else { return }
        guard let next else {
            if let words, Array(words.prefix(2)) == SunSpecWalk.marker { return goOn(at: Int(request.address) + 2, 0) }
            markersTried += 1
            if markersTried == SunSpecWalk.markerAddresses.count { fail(.noMarker) }
            return
        }
        guard let words, words.count >= 2 else { return fail(.unanswered(address: request.address)) }
        guard words[0] != 0xFFFF else {
            isDone = true
            return
        }
        guard words[1] > 0 else { return fail(.emptyModel(id: words[0], address: request.address)) }
        guard models.count < SunSpecWalk.maximumModels else {
            return fail(.tooManyModels(maximum: SunSpecWalk.maximumModels))
        }
        let end = next + 2 + Int(words[1])
        guard end <= 0x10000 else { return fail(.beyondTheEnd(id: words[0], address: request.address)) }
        models.append(SunSpecModel(id: words[0], address: request.address, length: Int(words[1])))
        goOn(at: end, words[0])
    }

    private mutating func goOn(at address: Int, _ id: UInt16) {
        guard address + 2 <= 0x10000 else {
            return fail(.beyondTheEnd(id: id, address: UInt16(clamping: address)))
        }
        next = address
    }

    private mutating func fail(_ reason: Failure) {
        failure = reason
        isDone = true
    }
}

/// What a SunSpec device says of itself: model 1.
public struct SunSpecCommon: Hashable, Sendable {
    public let manufacturer: String
    public let model: String
    public let version: String
    public let serialNumber: String

    /// Registers of the model, its id and length left out, that this reads.
    public static let length = 64

    /// `words` from behind the model's length on; nil when there are too few.
    public init?(_ words: [UInt16]) {
        guard words.count >= SunSpecCommon.length else { return nil }
        manufacturer = SunSpecCommon.text(words[0..<16])
        model = SunSpecCommon.text(words[16..<32])
        version = SunSpecCommon.text(words[40..<48])
        serialNumber = SunSpecCommon.text(words[48..<64])
    }

    /// Two characters to a word, up to the first NUL; what is not printable is left out.
    private static func text(_ words: ArraySlice<UInt16>) -> String {
        let bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }.prefix { $0 != 0 }
        let text = String(decoding: bytes.filter { (0x20...0x7E).contains($0) }, as: UTF8.self)
        return String(text.reversed().drop { $0 == " " }.reversed())
    }
}
