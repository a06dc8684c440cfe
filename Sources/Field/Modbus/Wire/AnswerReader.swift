/// Finds the answer to one request in what a bus says. Pure: bytes in, verdict out.
///
/// A late answer must never be taken for the next one's. On TCP the transaction number tells; on a serial line unit,
/// function and length do, and frames that are whole but not the wanted one are skipped, as is the echo that some
/// adapters make of the request. What the rest cannot rule out, a late answer of the same shape from the same unit,
/// `BusEngine` does: after a time-out it reads something of another shape first.
struct AnswerReader {
    enum Verdict: Equatable {
        /// Not yet; at least so many bytes more.
        case missing(Int)
        case words([UInt16])
        /// The device's own code.
        case exception(UInt8)
        /// Bytes that are no answer and cannot become one. `isBroken`: nor can what follows them; open afresh.
        case bad(String, isBroken: Bool)
    }

    /// More unread bytes than this are a device that babbles.
    static let maximumBytes = 1_024

    private let request: ModbusRequest
    /// Nil on a serial line.
    private let transaction: UInt16?
    private var bytes: [UInt8]
    /// Whole frames that answer something else.
    private(set) var strangers = 0

    /// `buffer`: the last one's, for its memory; on TCP also for what came behind the last answer, maybe half a frame.
    init(_ request: ModbusRequest, transaction: UInt16? = nil, buffer: consuming [UInt8] = []) {
        self.request = request
        self.transaction = transaction
        bytes = buffer
        if transaction == nil { bytes.removeAll(keepingCapacity: true) }
    }

    /// Gives the memory back, and what is in it.
    consuming func buffer() -> [UInt8] { bytes }

    /// Whether anything has come that is not yet part of a whole frame.
    var hasFragment: Bool { !bytes.isEmpty }

    /// The first verdict that is not `missing` is the last one.
    mutating func take(_ new: some Collection<UInt8>) -> Verdict {
        guard bytes.count + new.count <= Self.maximumBytes else {
            return .bad("more than \(Self.maximumBytes) bytes that are no answer", isBroken: true)
        }
        bytes.append(contentsOf: new)
        return transaction.map { readTCP($0) } ?? readSerial()
    }

    /// For the error when nothing more comes: the first bytes in hexadecimal.
    var fragment: String {
        let shown = bytes.prefix(16).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "0" + digits : digits
        }
        let more = bytes.count > 16 ? " …" : ""
        return "\(bytes.count) bytes that are no whole answer: \(shown.joined(separator: " "))\(more)"
    }

    // MARK: TCP

    private mutating func readTCP(_ transaction: UInt16) -> Verdict {
        while true {
            guard bytes.count >= 9 else { return .missing(9 - bytes.count) }
            let length = Int(word(4))
            guard word(2) == 0, (3...254).contains(length) else {
                return .bad("not Modbus: \(fragment)", isBroken: true)
            }
            guard bytes.count >= 6 + length else { return .missing(6 + length - bytes.count) }
            let verdict = word(0) == transaction ? readTCPAnswer(length) : nil
            bytes.removeFirst(6 + length)
            if let verdict { return verdict }
            strangers += 1
        }
    }

    private func readTCPAnswer(_ length: Int) -> Verdict {
        guard bytes[6] == request.unit else { return .bad("unit \(bytes[6]) answers", isBroken: false) }
        if bytes[7] == request.function.rawValue | 0x80 { return .exception(bytes[8]) }
        guard bytes[7] == request.function.rawValue else { return .bad("function \(bytes[7])", isBroken: false) }
        guard length == 3 + 2 * request.count, Int(bytes[8]) == 2 * request.count else {
            return .bad("\(bytes[8]) bytes in place of \(2 * request.count)", isBroken: false)
        }
        return .words(words(at: 9))
    }

    // MARK: Serial

    private enum Candidate {
        case none
        /// The frame that begins here wants so many bytes more.
        case partial(Int)
        /// A whole frame that is not the wanted one.
        case stranger(length: Int)
        case echo
        case verdict(Verdict)
    }

    /// The wanted frame may begin anywhere: noise comes before frames as readily as within them.
    private mutating func readSerial() -> Verdict {
        var missing = Int.max
        var kept = 0
        var start = 0
        while start < bytes.count {
            switch candidate(at: start) {
            case .verdict(let verdict): return verdict
            case .stranger(let length):
                strangers += 1
                start += length
                // What came before a whole frame is no part of one.
                kept = start
                missing = .max
            case .echo:
                start += RequestFrame.serialLength
                kept = start
                missing = .max
            case .partial(let count):
                missing = min(missing, count)
                start += 1
            case .none: start += 1
            }
        }
        bytes.removeFirst(kept)
        return .missing(missing == .max ? 5 : missing)
    }

    private func candidate(at start: Int) -> Candidate {
        let left = bytes.count - start
        guard left >= 2 else { return bytes[start] == request.unit ? .partial(5 - left) : .none }
        let function = bytes[start + 1]
        if function & 0x80 != 0 {
            guard bytes[start] <= 247, (0x81...0x84).contains(function) else { return .none }
            guard left >= 5 else { return .partial(5 - left) }
            guard isWhole(start, 5) else { return .none }
            let isWanted = bytes[start] == request.unit && function == request.function.rawValue | 0x80
            return isWanted ? .verdict(.exception(bytes[start + 2])) : .stranger(length: 5)
        }
        guard bytes[start] <= 247, (1...4).contains(function) else { return .none }
        guard left >= 3 else { return .partial(5 - left) }
        if let echo = echo(at: start) { return echo }
        let length = 5 + Int(bytes[start + 2])
        guard length <= 255 else { return .none }
        let isWanted =
            bytes[start] == request.unit && function == request.function.rawValue && length == 5 + 2 * request.count
        guard left >= length else { return .partial(length - left) }
        guard isWhole(start, length) else { return .none }
        return isWanted ? .verdict(.words(words(at: start + 3))) : .stranger(length: length)
    }

    /// The request itself, come back. Told from an answer by the high byte of its address, where an answer has its
    /// length; where the two agree the checksum decides.
    private func echo(at start: Int) -> Candidate? {
        var sent: [UInt8] = []
        sent.reserveCapacity(RequestFrame.serialLength)
        guard bytes[start] == request.unit, bytes[start + 1] == request.function.rawValue,
            bytes[start + 2] == UInt8(request.address >> 8), Int(request.address >> 8) != 2 * request.count
        else { return nil }
        RequestFrame.serial(request, into: &sent)
        let there = bytes[start...].prefix(RequestFrame.serialLength)
        guard there.elementsEqual(sent.prefix(there.count)) else { return nil }
        return there.count == sent.count ? .echo : .partial(sent.count - there.count)
    }

    private func isWhole(_ start: Int, _ length: Int) -> Bool {
        let end = start + length
        let checksum = UInt16(bytes[end - 2]) | UInt16(bytes[end - 1]) << 8
        return CRC16.checksum(of: bytes[start..<end - 2]) == checksum
    }

    private func word(_ index: Int) -> UInt16 { UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]) }

    private func words(at start: Int) -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: request.count) { buffer, filled in
            for i in 0..<request.count { buffer.initializeElement(at: i, to: word(start + 2 * i)) }
            filled = request.count
        }
    }
}
