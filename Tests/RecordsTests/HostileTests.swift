import Metering
import Records
import Simulation
import Testing
import Timekeeping

@Suite struct HostileTests {
    /// A frame around any content, with a right checksum.
    private func sealed(_ records: [UInt8], count: UInt32 = 1, dictionary: [UInt8] = []) -> [UInt8] {
        Frame.encode(Samples.header(count: count), dictionary: dictionary, records: records)
    }

    private func body(_ kind: UInt64, _ build: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        writer.field(kind, nested: build)
        return writer.bytes
    }

    private func kind(_ bytes: [UInt8]) -> RecordError.Kind? {
        do throws(RecordError) { _ = try decoded(bytes) } catch { return error.kind }
        return nil
    }

    @Test func `every truncation of a frame is an error`() throws {
        let frame = Samples.frame()
        for length in 0..<frame.count {
            #expect(throws: RecordError.self, "length \(length)") { try FrameContent(Array(frame[..<length])) }
        }
        #expect(try FrameContent(frame + [1, 2, 3]) == FrameContent(frame))
    }

    @Test func `every flipped bit of a frame is an error`() throws {
        for frame in [Samples.frame(), Samples.heartbeat()] {
            for bit in 0..<frame.count * 8 {
                var flipped = frame
                flipped[bit / 8] ^= 1 << (bit % 8)
                #expect(throws: RecordError.self, "bit \(bit)") { try FrameContent(flipped) }
            }
        }
    }

    @Test func `the right error names what is wrong with a header`() throws {
        func error(_ offset: Int, _ value: UInt8, reseal: Bool = true) -> RecordError.Kind? {
            var frame = Samples.heartbeat()
            frame[offset] = value
            if reseal { HostileTests.seal(&frame) }
            do { _ = try FrameContent(frame) } catch { return (error as? RecordError)?.kind }
            return nil
        }
        #expect(error(0, 0) == .notAFrame)
        #expect(error(4, 2) == .newerFormat)
        #expect(error(4, 0) == .badValue)
        #expect(error(5, 9) == .newerFormat)
        #expect(error(6, 0xFF) == nil)  // a flag that may be ignored
        #expect(error(7, 1) == .newerFormat)  // one that must be known
        #expect(error(8, 103) == .badValue)
        #expect(error(8, 105) == .truncated)
        #expect(error(11, 0x7F) == .badValue)
        #expect(error(12, 0, reseal: false) == .badChecksum)
        #expect(error(28, 1) == .truncated)  // one record, but nothing follows
        #expect(error(87, 0x80) == .badValue)  // a wall time before 1970
        #expect(error(100, 1) == .badValue)
        var frame = Samples.header(count: 2)
        frame.firstOffset = .max - 1
        let bytes = Frame.encode(frame, dictionary: [], records: [99, 0, 99, 0])
        #expect(throws: RecordError(.badValue, at: 40)) { try FrameContent(bytes) }
    }

    /// Puts the right checksum into a changed frame.
    static func seal(_ frame: inout [UInt8]) {
        let crc = frame.withUnsafeBytes { all in
            let head = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: all[..<12]))
            return CRC32C.update(head, UnsafeRawBufferPointer(rebasing: all[16...]))
        }
        for i in 0..<4 { frame[12 + i] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(i))) }
    }

    @Test func `a flipped bit under a right checksum never traps`() throws {
        let frame = Samples.frame()
        var errors = 0
        for bit in 0..<frame.count * 8 where !(8..<16).contains(bit / 8) {
            var flipped = frame
            flipped[bit / 8] ^= 1 << (bit % 8)
            HostileTests.seal(&flipped)
            do { _ = try FrameContent(flipped) } catch is RecordError { errors += 1 }
        }
        #expect(errors > 1000)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `random bytes as records, dictionaries and frames never trap`(seed: UInt64) throws {
        print("seed \(seed)")
        var generator = SplitMix64(seed: seed)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                // Many small numbers, so that kinds, tags and lengths are often plausible.
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...15, using: &generator) : UInt8.random(in: 0...255, using: &generator)
            }
            if !bytes.isEmpty { bytes[0] = .random(in: 0...8, using: &generator) }
            _ = try? decoded(bytes)
            _ = try? decoded(body(.random(in: 1...7, using: &generator)) { $0.bytes += bytes })
            _ = try? FrameContent(bytes)
            _ = try? FrameContent(sealed(bytes, count: .random(in: 0 ... .max, using: &generator)))
            _ = try? FrameContent(sealed([], count: 0, dictionary: bytes))
        }
    }

    @Test func `counts that promise more than there is are refused before memory is taken`() {
        #expect(
            kind(
                body(1) {
                    $0.signed(0); $0.varint(.max)
                }) == .badValue)
        #expect(
            kind(
                body(1) {
                    $0.signed(0); $0.varint(1 << 40); $0.bytes += [0, 0, 0]
                }) == .badValue)
        #expect(throws: RecordError.self) { try FrameContent(sealed([99, 0], count: .max)) }
        #expect(throws: RecordError.self) { try FrameContent(sealed([99, 0, 99, 0], count: 1)) }
        #expect(kind([1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]) == .truncated)
    }

    @Test func `a record of many runs is read in time that grows with its length`() throws {
        let runs = 100_000
        let bytes = body(1) { for _ in 0..<runs { $0.bytes += [0, 1, 0, 0] } }
        guard case .readings(let readings) = try decoded(bytes) else { return }
        #expect(readings.count == runs)
    }

    @Test func `values out of range are refused`() {
        let late = Timestamp.validRange.upperBound.milliseconds + 1
        #expect(
            kind(
                body(1) {
                    $0.signed(.max); $0.bytes += [1, 0, 0]
                }) == .badValue)
        #expect(
            kind(
                body(1) {
                    $0.signed(0); $0.bytes += [1, 1]; $0.signed(.min); $0.bytes += [0]
                }) == .badValue)
        #expect(
            kind(
                body(1) {
                    $0.signed(0); $0.varint(1); $0.varint(.max); $0.bytes += [0]
                }) == .badValue)
        #expect(
            kind(
                body(1) {
                    $0.signed(0); $0.bytes += [1, 2, 0]; $0.varint(70_000)
                }) == .badValue)
        #expect(
            kind(
                body(5) {
                    $0.field(1, signed: 0); $0.field(2, unsigned: 1); $0.field(3, signed: late)
                }) == .badValue)
        #expect(kind(body(5) { $0.field(1, signed: 0) }) == .missingField)
        #expect(kind(body(2) { $0.field(2, text: "x", limit: 9) }) == .missingField)
        #expect(kind(body(2) { $0.field(2, [UInt8](repeating: 0x78, count: 65)) }) == .tooLong)
        #expect(kind(body(2) { $0.field(2, [0xFF]) }) == .notText)
        #expect(kind(body(3) { $0.field(3) { $0.field(2, "€".utf8) } }) == .badValue)
        for index in [Int64.min, -1, 1 << 40, .max] {
            let slot = body(7) {
                $0.field(1) { $0.identifier(Samples.plug) }
                $0.field(2, text: "total", limit: 15)
                $0.field(3, signed: index)
                $0.field(12, unsigned: 1)
            }
            #expect(kind(slot) == .badValue, "slot \(index)")
        }
        #expect(kind(body(7) { $0.field(10, signed: Slot.length + 1) }) == .badValue)
        #expect(kind(body(7) { $0.field(10, signed: -1) }) == .badValue)
    }

    @Test func `an error names the byte where the content of the wrong field begins`() {
        let bytes = body(2) {
            $0.field(2, text: "ok", limit: 64)
            $0.field(4, [0xFF])
        }
        // kind, length, then tag, length and two bytes of the name, then tag and length of the family.
        #expect(throws: RecordError(.notText, at: 8)) { try decoded(bytes) }
    }
}
