/// Why a request brought no words: where it went, and what happened.
public struct ModbusError: Error, Equatable, CustomStringConvertible {
    public let bus: BusAddress
    public let request: ModbusRequest
    public let cause: Cause

    public init(bus: BusAddress, request: ModbusRequest, cause: Cause) {
        self.bus = bus
        self.request = request
        self.cause = cause
    }

    public enum Cause: Error, Equatable, Sendable {
        /// The device answered that it cannot.
        case exception(ModbusException)
        /// No complete answer in this many milliseconds.
        case timeout(milliseconds: Int)
        /// An answer that does not fit the request: wrong unit, transaction, length or checksum.
        case badAnswer(String)
        /// The bus could not be opened: refused, unknown host, no such device …
        case cannotConnect(String)
        /// The connection broke while the request was under way.
        case connectionLost(String)
        /// A request that Modbus cannot carry; nothing was sent.
        case badRequest(String)
        /// `close()` was called.
        case closed

        /// One word for programs: `exception`, `timeout`, `damaged` or `unreachable`.
        public var kind: String {
            switch self {
            case .exception: "exception"
            case .timeout: "timeout"
            case .badAnswer: "damaged"
            case .cannotConnect, .connectionLost, .closed, .badRequest: "unreachable"
            }
        }
    }

    public var description: String {
        let what = "\(request.count) \(request.function) registers from \(request.address)"
        let why =
            switch cause {
            case .exception(let exception): "the device answers “\(exception)”"
            case .timeout(let milliseconds): "no answer within \(milliseconds) ms"
            case .badAnswer(let text): "an answer that does not fit: \(text)"
            case .cannotConnect(let text): "cannot connect: \(text)"
            case .connectionLost(let text): "connection lost: \(text)"
            case .badRequest(let text): text
            case .closed: "the bus is closed"
            }
        return "\(bus) unit \(request.unit), \(what): \(why)"
    }
}

/// What a device answers when it does not answer with words; raw values are the protocol's codes.
public enum ModbusException: UInt8, Sendable, CustomStringConvertible {
    case illegalFunction = 1
    case illegalDataAddress = 2
    case illegalDataValue = 3
    case deviceFailure = 4
    case acknowledge = 5
    case deviceBusy = 6
    case negativeAcknowledge = 7
    case memoryParityError = 8
    case gatewayPathUnavailable = 10
    case gatewayTargetSilent = 11

    public var description: String {
        switch self {
        case .illegalFunction: "illegal function"
        case .illegalDataAddress: "illegal data address"
        case .illegalDataValue: "illegal data value"
        case .deviceFailure: "device failure"
        case .acknowledge: "acknowledge, not done yet"
        case .deviceBusy: "device busy"
        case .negativeAcknowledge: "negative acknowledge"
        case .memoryParityError: "memory parity error"
        case .gatewayPathUnavailable: "gateway path unavailable"
        case .gatewayTargetSilent: "gateway target silent"
        }
    }
}
