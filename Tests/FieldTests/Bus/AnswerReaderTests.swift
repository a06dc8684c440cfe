import Simulation
import Testing

@testable import Modbus

@Suite struct AnswerReaderTests {
    private let request = ModbusRequest(unit: 1, function: .input, address: 0x0034, count: 2)

    /// A frame as the standard's appendix builds it, checksum by bits: not the table of the code under test.
    private func frame(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
        }
        return bytes + [UInt8(crc & 0xFF), UInt8(crc >> 8)]
    }

    private func answer(unit: UInt8 = 1, function: UInt8 = 4, _ words: [UInt16] = [0x4366, 0x8000]) -> [UInt8] {
        frame([unit, function, UInt8(2 * words.count)] + words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
    }

    @Test func `a request is the bytes of the standard's example`() {
        // Read 3 holding registers from 0x006B of unit 0x11: checksum 0x8776, low byte first.
        var bytes: [UInt8] = []
        RequestFrame.serial(ModbusRequest(unit: 0x11, function: .holding, address: 0x6B, count: 3), into: &bytes)
        #expect(bytes == [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87])
        RequestFrame.tcp(request, transaction: 0x1234, into: &bytes)
        #expect(bytes == [0x12, 0x34, 0, 0, 0, 6, 1, 4, 0, 0x34, 0, 2])
    }

    @Test func `an answer in one piece, in two, and byte by byte is the same answer`() {
        let bytes = answer()
        for size in 1...bytes.count {
            var reader = AnswerReader(request)
            var verdict = AnswerReader.Verdict.missing(0)
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = bytes[start..<min(start + size, bytes.count)]
                verdict = reader.take(piece)
                if case .missing(let count) = verdict { #expect(count <= bytes.count - piece.endIndex && count > 0) }
            }
            #expect(verdict == .words([0x4366, 0x8000]))
        }
    }

    @Test func `exceptions, noise before a frame, the echo of the request`() {
        var echo: [UInt8] = []
        RequestFrame.serial(request, into: &echo)
        for (name, bytes, expected) in [
            ("exception", frame([1, 0x84, 2]), AnswerReader.Verdict.exception(2)),
            ("noise", [0x00, 0xFF, 0x01] + answer(), .words([0x4366, 0x8000])),
            ("echo", echo + answer(), .words([0x4366, 0x8000])),
            ("echo and exception", echo + frame([1, 0x84, 6]), .exception(6)),
        ] {
            var reader = AnswerReader(request)
            let verdict = reader.take(bytes)
            #expect(verdict == expected, "\(name)")
        }
    }

    @Test func `frames that answer something else are skipped and counted`() {
        for stranger in [
            answer(unit: 2), answer(function: 3), answer([1, 2, 3]), frame([2, 0x84, 2]), frame([1, 0x83, 2]),
        ] {
            var reader = AnswerReader(request)
            var verdict = reader.take(stranger)
            #expect(verdict == .missing(5))
            #expect(reader.strangers == 1)
            verdict = reader.take(answer())
            #expect(verdict == .words([0x4366, 0x8000]))
        }
    }

    @Test func `no damaged answer passes`() {
        let bytes = answer()
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            var reader = AnswerReader(request)
            if case .words = reader.take(damaged) { Issue.record("bit \(bit) is not noticed") }
        }
        for length in 0..<bytes.count {
            var reader = AnswerReader(request)
            if case .words = reader.take(bytes.prefix(length)) { Issue.record("\(length) bytes pass") }
        }
    }

    @Test func `a late answer on TCP is skipped by its number`() {
        func tcp(_ transaction: UInt8, _ words: [UInt8]) -> [UInt8] {
            [0, transaction, 0, 0, 0, UInt8(3 + words.count), 1, 4, UInt8(words.count)] + words
        }
        var reader = AnswerReader(request, transaction: 9)
        var verdict = reader.take(tcp(8, [1, 1, 1, 1]))
        #expect(verdict == .missing(9))
        verdict = reader.take(tcp(7, [1, 2]) + tcp(9, [0, 5, 0, 6]).prefix(10))
        #expect(verdict == .missing(3))
        verdict = reader.take(tcp(9, [0, 5, 0, 6]).dropFirst(10))
        #expect(verdict == .words([5, 6]))
        #expect(reader.strangers == 2)
        // What comes behind the answer is not lost: the next reader begins with it.
        reader = AnswerReader(request, transaction: 9)
        verdict = reader.take(tcp(9, [0, 5, 0, 6]) + tcp(8, [1, 1]).prefix(5))
        #expect(verdict == .words([5, 6]))
        reader = AnswerReader(request, transaction: 10, buffer: reader.buffer())
        verdict = reader.take(tcp(8, [1, 1]).dropFirst(5) + tcp(10, [0, 7, 0, 8]))
        #expect(verdict == .words([7, 8]))
        #expect(reader.strangers == 1)
        reader = AnswerReader(request, transaction: 9)
        verdict = reader.take([0, 9, 0, 0, 0, 3, 1, 0x84, 11])
        #expect(verdict == .exception(11))
        for (bytes, isBroken) in [
            ([UInt8]("HTTP/1.1 400 Bad Request".utf8), true), ([0, 9, 0, 0, 0, 3, 2, 0x84, 11], false),
            (tcp(9, [1, 2]), false), ([0, 9, 0, 0, 0, 1, 1, 4, 0], true),
        ] {
            var reader = AnswerReader(request, transaction: 9)
            guard case .bad(_, isBroken) = reader.take(bytes) else {
                Issue.record("\(bytes) passes")
                continue
            }
        }
    }

    @Test func `whatever comes, it ends and never answers by chance`() {
        var random = SplitMix64(seed: 11)
        for round in 0..<150 {
            var reader = AnswerReader(request, transaction: round % 2 == 0 ? nil : 3)
            var total = 0
            reading: while total < 2_000 {
                let piece = (0..<Int(random.next() % 100) + 1).map { _ in
                    // Bytes that look like beginnings more often than chance has it.
                    random.next() % 3 == 0 ? [1, 4, 2, 0x84, 0, 3][Int(random.next() % 6)] : UInt8(random.next() & 255)
                }
                total += piece.count
                switch reader.take(piece) {
                case .missing(let count): #expect(count > 0)
                case .bad: break reading
                case .exception: break reading
                case .words:
                    // On TCP nothing protects the bytes but the protocol below.
                    if round % 2 == 0 { Issue.record("round \(round): words out of nothing") }
                    break reading
                }
            }
        }
    }
}
