import CModbus
import Glibc
import Threads

extension BusConnection {
    /// Silence within a frame after which the rest will not come, in µs: adapters hand bytes on in lumps of up to 16
    /// ms.
    private static let lumpTimeout: Int64 = 50_000

    /// Opens the bus where needed, asks, and waits up to `timeout` µs for the whole answer.
    ///
    /// `interrupt` is polled too; when it can be read, `isStopping` decides whether to give up.
    mutating func exchange(
        _ request: ModbusRequest, timeout: Int64, interrupt: Int32, isStopping: () -> Bool
    ) -> Result<[UInt16], ModbusError.Cause> {
        if let problem = request.problem(on: address) { return .failure(.badRequest(problem)) }
        if let failure = open() { return .failure(.cannotConnect(failure)) }
        let deadline = monotonicMicroseconds() + timeout
        var reader: AnswerReader
        if case .tcp = address {
            transaction &+= 1
            RequestFrame.tcp(request, transaction: transaction, into: &outgoing)
            reader = AnswerReader(request, transaction: transaction, buffer: incoming)
        } else {
            if let failure = discard() { return lose(failure) }
            RequestFrame.serial(request, into: &outgoing)
            reader = AnswerReader(request, buffer: incoming)
        }
        incoming = []
        if let failure = send() { return lose(failure) }
        let outcome = receive(&reader, deadline, timeout, interrupt, isStopping)
        strangers += reader.strangers
        if descriptor >= 0 { incoming = reader.buffer() }
        return outcome
    }

    private mutating func lose(_ why: String) -> Result<[UInt16], ModbusError.Cause> {
        close()
        return .failure(.connectionLost(why))
    }

    /// Throws away what came since the last answer. Nil, or why the line is gone.
    private mutating func discard() -> String? {
        while true {
            let count = readSome()
            // Of a terminal that is set not to wait: nothing there. One that is gone is noticed when it is written to.
            if count == 0 { return nil }
            if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : Self.text(errno) }
            if count < scratch.count { return nil }
        }
    }

    private mutating func readSome() -> Int {
        let descriptor = descriptor
        return scratch.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    }

    private func send() -> String? {
        var done = 0
        while done < outgoing.count {
            let count = outgoing.withUnsafeBytes { bytes -> Int in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                if case .tcp = address {
                    return Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                }
                return write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                // A dozen bytes that do not fit: the other end has taken nothing for very long.
                return errno == EAGAIN ? "the line takes no more bytes" : Self.text(errno)
            }
            done += count
        }
        return nil
    }

    private mutating func receive(
        _ reader: inout AnswerReader, _ deadline: Int64, _ timeout: Int64, _ interrupt: Int32, _ isStopping: () -> Bool
    ) -> Result<[UInt16], ModbusError.Cause> {
        var now = deadline - timeout
        var isGone = false
        while true {
            let until = reader.hasFragment && timing.character > 0 ? min(deadline, now + Self.lumpTimeout) : deadline
            switch wait(until: until, interrupt, isStopping) {
            case .stopping: return .failure(.closed)
            case .readable: break
            case .hungUp: isGone = true
            case .over:
                if !reader.hasFragment { return .failure(.timeout(milliseconds: Int(timeout / 1_000))) }
                // Half a frame on TCP: where the next one begins is not known any more.
                if case .tcp = address { close() }
                return .failure(.badAnswer(reader.fragment))
            }
            let count = readSome()
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            if count == 0, !isGone, timing.character > 0 { continue }
            guard count > 0 else {
                let why = count == 0 ? "closed by the other end" : Self.text(errno)
                return lose(why)
            }
            switch reader.take(scratch[..<count]) {
            case .words(let words): return .success(words)
            case .exception(let code):
                guard let exception = ModbusException(rawValue: code) else {
                    return .failure(.badAnswer("exception \(code), which Modbus does not have"))
                }
                return .failure(.exception(exception))
            case .bad(let why, let isBroken):
                if isBroken { close() }
                return .failure(.badAnswer(why))
            case .missing(let bytes):
                now = monotonicMicroseconds()
                // The rest takes its time on the line: one long sleep in place of a waking for each byte.
                let rest = timing.duration(bytes: bytes)
                if rest > 500, wait(until: min(deadline, now + rest), -1, interrupt, isStopping) == .stopping {
                    return .failure(.closed)
                }
            }
        }
    }

    private enum Waited {
        case readable, hungUp, over, stopping
    }

    private func wait(until: Int64, _ interrupt: Int32, _ isStopping: () -> Bool) -> Waited {
        wait(until: until, descriptor, interrupt, isStopping)
    }

    /// `descriptor` negative: for the time only.
    private func wait(until: Int64, _ descriptor: Int32, _ interrupt: Int32, _ isStopping: () -> Bool) -> Waited {
        while true {
            if isStopping() { return .stopping }
            let left = max(0, until - monotonicMicroseconds())
            var polled = (
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: interrupt, events: Int16(POLLIN), revents: 0)
            )
            var time = timespec(tv_sec: Int(left / 1_000_000), tv_nsec: Int(left % 1_000_000) * 1_000)
            let ready = withUnsafeMutableBytes(of: &polled) { bytes in
                modbus_ppoll(bytes.baseAddress, 2, &time, nil)
            }
            if ready < 0, errno != EINTR { return .over }
            if polled.1.revents != 0 { WakePipe.clear(interrupt) }
            if polled.0.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { return .hungUp }
            if polled.0.revents != 0 { return .readable }
            if ready == 0 { return .over }
        }
    }
}

extension ModbusRequest {
    /// Why Modbus cannot carry it on that bus; nil when it can.
    public func problem(on bus: BusAddress) -> String? {
        guard (1...125).contains(count) else { return "a read takes 1 to 125 registers" }
        guard Int(address) + count <= 65_536 else { return "the block ends beyond register 65535" }
        let highest: UInt8 = if case .rtu = bus { 247 } else { 255 }
        guard unit <= 247 || unit == highest, !(unit == 0 && highest == 247) else {
            return "unit \(unit) is not one that this bus can address"
        }
        return nil
    }
}
