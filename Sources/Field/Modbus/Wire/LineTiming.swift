/// How long bytes take on a bus. On TCP they take no time that would be worth waiting for.
public struct LineTiming: Hashable, Sendable {
    /// Nanoseconds of one character with its start, parity and stop bits; 0 on TCP.
    public let character: Int64
    /// Silence between two frames, in µs: 3.5 characters of 11 bits, above 19,200 baud 1,750 µs as the standard has it.
    public let gap: Int64

    public init(_ address: BusAddress) {
        switch address {
        case .tcp: (character, gap) = (0, 0)
        case .rtu(_, let baud, let parity, let stopBits):
            let bits = 1 + 8 + (parity == .none ? 0 : 1) + stopBits
            character = Int64(bits) * 1_000_000_000 / Int64(baud)
            gap = baud <= 19_200 ? (38_500_000 + Int64(baud) - 1) / Int64(baud) : 1_750
        }
    }

    /// µs that so many bytes take.
    public func duration(bytes: Int) -> Int64 { Int64(bytes) * character / 1_000 }

    /// µs of a request and its answer on the wire, without the device's own time.
    public func duration(of request: ModbusRequest) -> Int64 {
        duration(bytes: RequestFrame.serialLength + RequestFrame.serialLength(ofAnswerTo: request))
    }
}
