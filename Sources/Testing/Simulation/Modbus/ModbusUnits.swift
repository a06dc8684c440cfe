import CModbus
import Glibc
import Modbus
import Synchronization
import Threads

/// The registers of one unit; read and written with the lock of its `ModbusUnits` held only.
final class RegisterImage: @unchecked Sendable {
    // Unchecked: see above.
    let mapping: UnsafeMutablePointer<modbus_mapping_t>

    init(holding: Range<Int>, input: Range<Int>) {
        guard
            let mapping = modbus_mapping_new_start_address(
                0, 0, 0, 0, UInt32(holding.lowerBound), UInt32(holding.count), UInt32(input.lowerBound),
                UInt32(input.count))
        else { preconditionFailure("no memory for registers") }
        self.mapping = mapping
    }

    deinit {
        modbus_mapping_free(mapping)
    }

    func set(_ function: ModbusFunction, _ address: Int, _ words: [UInt16]) {
        let map = mapping.pointee
        let (base, start, count) =
            function == .holding
            ? (map.tab_registers, map.start_registers, map.nb_registers)
            : (map.tab_input_registers, map.start_input_registers, map.nb_input_registers)
        let offset = address - Int(start)
        precondition(offset >= 0 && offset + words.count <= Int(count), "the unit has no such registers")
        for (index, word) in words.enumerated() { base?[offset + index] = word }
    }
}

/// All units behind one server, and what they answer.
final class ModbusUnits: Sendable {
    struct Unit: Sendable {
        let image: RegisterImage
        var rules: ModbusRules
        /// µs.
        var latency: Int64 = 0
        var requests = 0
    }

    struct Script: Sendable {
        var steps: ArraySlice<ModbusFault?>
        var rest: ModbusFault?
        var permille = 1_000
        var random = SplitMix64(seed: 1)

        mutating func next() -> ModbusFault? {
            if let step = steps.popFirst() { return step }
            if permille < 1_000, random.next() % 1_000 >= UInt64(permille) { return nil }
            return rest
        }
    }

    struct Shared: Sendable {
        var units: [UInt8: Unit] = [:]
        var script: [UInt8: Script] = [:]
        var requests = 0
        var random = SplitMix64(seed: 5)
        let answerers: [AnswerMaker.Wire: AnswerMaker]
    }

    /// What goes back over the wire.
    struct Reply: Sendable {
        var bytes: [UInt8] = []
        /// µs from the request's end.
        var delay: Int64 = 0
        var hangsUp = false
    }

    let shared: Mutex<Shared>

    init() throws(SystemError) {
        let makers: [AnswerMaker.Wire: AnswerMaker] = [.tcp: try AnswerMaker(.tcp), .serial: try AnswerMaker(.serial)]
        shared = Mutex(Shared(answerers: makers))
    }

    /// Takes one whole request; empty where nobody answers.
    func reply(to request: [UInt8], _ wire: AnswerMaker.Wire) -> Reply {
        // The lock is held while the answer is put together, so that no block is torn.
        shared.withLock { shared in
            guard let maker = shared.answerers[wire], request.count >= wire.header + 6 else { return Reply() }
            let unit = request[wire.header]
            shared.requests += 1
            shared.units[unit]?.requests += 1
            var reply = Reply(delay: shared.units[unit]?.latency ?? 0)
            let fault = shared.script[unit]?.next()
            switch fault {
            case .silent: return Reply()
            case .hangUp: return Reply(hangsUp: true)
            case .late(let milliseconds): reply.delay += Int64(milliseconds) * 1_000
            default: break
            }
            guard let state = shared.units[unit] else {
                // A line is silent where nobody is; a gateway says so.
                if wire == .serial { return Reply() }
                reply.bytes = maker.exception(request, .gatewayTargetSilent)
                return reply
            }
            if case .exception(let exception) = fault {
                reply.bytes = maker.exception(request, exception)
            } else if let broken = state.rules.broken(by: request, at: wire.header) {
                reply.bytes = maker.exception(request, broken)
            } else {
                reply.bytes = maker.answer(request, state.image.mapping)
            }
            if let fault { wire.damage(&reply.bytes, fault, &shared.random) }
            return reply
        }
    }
}

extension ModbusRules {
    /// The exception that a request earns by itself.
    fileprivate func broken(by request: [UInt8], at unit: Int) -> ModbusException? {
        guard functions.contains(request[unit + 1]) else { return .illegalFunction }
        let address = Int(request[unit + 2]) << 8 | Int(request[unit + 3])
        let count = Int(request[unit + 4]) << 8 | Int(request[unit + 5])
        guard (1...125).contains(count) else { return .illegalDataValue }
        let isAligned = address % alignment == 0 && count % alignment == 0
        return isAligned && count <= most ? nil : .illegalDataAddress
    }
}

extension AnswerMaker.Wire {
    /// Does to a finished answer what a bad line or a bad device does.
    fileprivate func damage(_ bytes: inout [UInt8], _ fault: ModbusFault, _ random: inout SplitMix64) {
        guard bytes.count > header + 3 else { return }
        switch fault {
        case .damaged:
            if self == .serial {
                bytes[bytes.count - 1] ^= 0x55
            } else {
                // Fewer words than were asked for, and a header that agrees with it.
                bytes.removeLast(min(2, bytes.count - header - 3))
                let length = bytes.count - 6
                (bytes[4], bytes[5]) = (UInt8(length >> 8), UInt8(length & 255))
            }
        case .wrongUnit:
            bytes[header] = bytes[header] % 247 + 1
            sign(&bytes)
        case .torn: bytes.removeLast(bytes.count - bytes.count / 2)
        case .zeros:
            guard bytes[header + 1] & 0x80 == 0 else { return }
            for index in header + 3..<bytes.count - (self == .serial ? 2 : 0) { bytes[index] = 0 }
            sign(&bytes)
        case .soup: for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next() >> 32) }
        case .exception, .silent, .hangUp, .late: break
        }
    }

    /// Makes the checksum right again, bit by bit as the standard describes it.
    private func sign(_ bytes: inout [UInt8]) {
        guard self == .serial else { return }
        var checksum: UInt16 = 0xFFFF
        for byte in bytes.dropLast(2) {
            checksum ^= UInt16(byte)
            for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xA001 : checksum >> 1 }
        }
        bytes[bytes.count - 2] = UInt8(checksum & 255)
        bytes[bytes.count - 1] = UInt8(checksum >> 8)
    }
}
