import Modbus
import Synchronization
import Threads

/// Modbus units that do not exist, on TCP at the loopback and on any number of serial lines (`SerialLine`).
///
/// What they answer is put together by libmodbus' own server side, so that a client is not tested with its own code;
/// what goes wrong on the way is done to the finished answer. Registers may be set from any thread at any time; an
/// answer is never made of words from before and after one `setWords`.
public final class ModbusServer: Sendable {
    public let port: UInt16
    let units: ModbusUnits
    private let face: ModbusTCPFace

    /// Listens and starts serving; without units every request gets “gateway target silent”.
    ///
    /// - Parameter port: a server that returns wants its old port; 0 takes a free one.
    public init(port: UInt16 = 0) throws(SystemError) {
        units = try ModbusUnits()
        face = try ModbusTCPFace(units, port: port)
        self.port = face.port
        try face.startThread()
    }

    deinit {
        face.requestStop()
    }

    public var address: BusAddress { .tcp(host: "127.0.0.1", port: port) }

    /// Requests taken from the wires so far.
    public var requests: Int { units.shared.withLock { $0.requests } }
    /// Those to one unit.
    public func requests(to unit: UInt8) -> Int { units.shared.withLock { $0.units[unit]?.requests ?? 0 } }
    /// Connections accepted so far.
    public var connections: Int { face.accepted }

    /// Adds a unit whose registers, all 0, have these addresses; all others are illegal. Replaces a unit of the
    /// same number.
    public func addUnit(
        _ unit: UInt8, holding: Range<Int> = 0..<1_024, input: Range<Int> = 0..<1_024, rules: ModbusRules = .init()
    ) {
        for range in [holding, input] { precondition(range.lowerBound >= 0 && range.upperBound <= 65_536) }
        let state = ModbusUnits.Unit(image: RegisterImage(holding: holding, input: input), rules: rules)
        units.shared.withLock { $0.units[unit] = state }
    }

    /// Takes a unit from the wires: nobody answers for it any more.
    public func removeUnit(_ unit: UInt8) {
        units.shared.withLock { $0.units[unit] = nil }
    }

    /// Sets registers of a unit that has them.
    public func setWords(unit: UInt8, function: ModbusFunction, address: Int, words: [UInt16]) {
        units.shared.withLock { shared in
            guard let state = shared.units[unit] else { preconditionFailure("there is no unit \(unit)") }
            state.image.set(function, address, words)
        }
    }

    /// Makes a unit misbehave from its next request on, or behave again with nil.
    public func setFault(_ fault: ModbusFault?, unit: UInt8) {
        units.shared.withLock { $0.script[unit] = .init(steps: [], rest: fault) }
    }

    /// What a unit does with its next requests, one after the other; then it behaves. Nil in it: behave this time.
    public func script(_ faults: [ModbusFault?], unit: UInt8) {
        units.shared.withLock { $0.script[unit] = .init(steps: faults[...], rest: nil) }
    }

    /// A share of a unit's answers, in permille, goes wrong in this way; seeded, so that it is the same each time.
    public func setFault(_ fault: ModbusFault, unit: UInt8, permille: Int, seed: UInt64 = 1) {
        units.shared.withLock {
            $0.script[unit] = .init(steps: [], rest: fault, permille: permille, random: SplitMix64(seed: seed))
        }
    }

    /// How long a unit takes before it answers, in ms.
    public func setLatency(_ milliseconds: Int, unit: UInt8) {
        units.shared.withLock { $0.units[unit]?.latency = Int64(milliseconds) * 1_000 }
    }

    /// Closes all connections; new ones are accepted.
    public func dropConnections() {
        face.drop()
    }

    /// Closes everything and returns when the port is free again. Lines are stopped on their own.
    public func stop() async {
        face.requestStop()
        await face.ended()
    }
}

/// What a unit does instead of answering as it should.
public enum ModbusFault: Sendable, Equatable {
    /// Answers every request with this exception.
    case exception(ModbusException)
    /// Swallows every request.
    case silent
    /// Closes the connection; on a serial line as `silent`.
    case hangUp
    /// Answers rightly, after so many ms.
    case late(milliseconds: Int)
    /// A wrong checksum; on TCP, which has none, a wrong length.
    case damaged
    /// Another unit's number in the answer.
    case wrongUnit
    /// The first half of the answer.
    case torn
    /// Zeros in place of the words, as a meter may do that is busy.
    case zeros
    /// As many bytes as the answer has, of chance.
    case soup

    /// The names that a command line has for them: `silent`, `late=400`, `exception=6`, …
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts[0], parts.count) {
        case ("silent", 1): self = .silent
        case ("hang-up", 1): self = .hangUp
        case ("damaged", 1): self = .damaged
        case ("wrong-unit", 1): self = .wrongUnit
        case ("torn", 1): self = .torn
        case ("zeros", 1): self = .zeros
        case ("soup", 1): self = .soup
        case ("late", 2):
            guard let number, (0...60_000).contains(number) else { return nil }
            self = .late(milliseconds: number)
        case ("exception", 2):
            guard let code = number.flatMap(UInt8.init(exactly:)), let exception = ModbusException(rawValue: code)
            else { return nil }
            self = .exception(exception)
        default: return nil
        }
    }

    public static let names = "silent, hang-up, damaged, wrong-unit, torn, zeros, soup, late=MS, exception=CODE"
}

/// What a meter is strict about; a request that breaks a rule is answered with an exception.
public struct ModbusRules: Sendable {
    /// Functions it knows; others are illegal.
    public var functions: Set<UInt8>
    /// Addresses and counts are multiples of this.
    public var alignment: Int
    /// Registers in one request.
    public var most: Int

    public init(functions: Set<UInt8> = [3, 4], alignment: Int = 1, most: Int = 125) {
        self.functions = functions
        self.alignment = alignment
        self.most = most
    }
}
