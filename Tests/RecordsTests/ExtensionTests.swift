import Metering
import Records
import Testing
import Timekeeping

/// What a later version may add, seen from this one.
@Suite struct ExtensionTests {
    private func record(_ kind: UInt64, _ build: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        writer.field(kind, nested: build)
        return writer.bytes
    }

    @Test func `an unknown kind is kept and written again in the same bytes`() throws {
        for (kind, body) in [(UInt64(9), [UInt8]()), (300, [1, 2, 3]), (.max, [UInt8](repeating: 7, count: 5000))] {
            let bytes = record(kind) { $0.bytes += body }
            let read = try decoded(bytes)
            #expect(read == .unknown(kind: kind, body: body))
            #expect(encoded(read) == bytes)
        }
    }

    @Test func `unknown tags are skipped in every tagged kind`() throws {
        for sample in Samples.all.dropFirst().dropLast() {
            var reader = ByteWriter()
            let bytes = encoded(sample.record)
            let content = bytes.dropFirst(bytes[1] < 0x80 ? 2 : 3)
            reader.field(sample.record.kind) {
                $0.field(60, [1, 2, 3])
                $0.bytes += content
                $0.field(9_999, text: "new", limit: 9)
            }
            #expect(try decoded(reader.bytes) == sample.record, "\(sample.name)")
        }
    }

    @Test func `a code of a later version makes the record one of unknown kind, a role a load`() throws {
        func command(_ verb: UInt64) -> [UInt8] {
            record(4) {
                $0.field(1) { $0.identifier(CommandID(high: 0, low: 1)) }
                $0.field(2, text: "anna", limit: 256)
                $0.field(3, unsigned: verb)
            }
        }
        for verb in [UInt64(7), 256, 257, .max] {
            let bytes = command(verb)
            #expect(try decoded(bytes).kind == 4)
            #expect(encoded(try decoded(bytes)) == bytes)
            guard case .unknown = try decoded(bytes) else {
                Issue.record("verb \(verb) was taken for another")
                continue
            }
        }
        func device(role: UInt64, counterClass: UInt64) -> [UInt8] {
            record(2) {
                $0.field(1) { $0.identifier(Samples.plug) }
                $0.field(2, text: "x", limit: 64)
                $0.field(3, unsigned: role)
                $0.field(10) {
                    $0.field(1, unsigned: 8)
                    $0.field(2, unsigned: counterClass)
                }
                $0.field(12, signed: 0)
            }
        }
        // 258 is 2 in its low byte, which is a grid meter, and a volatile counter.
        guard case .device(let known) = try decoded(device(role: 258, counterClass: 2)) else {
            Issue.record("a device with an unknown role is a device")
            return
        }
        #expect(known.role == .load)
        guard case .unknown(2, _) = try decoded(device(role: 1, counterClass: 258)) else {
            Issue.record("a counter of an unknown class is never booked by another's rules")
            return
        }
    }

    @Test func `unknown reading flags and quantities are kept`() throws {
        let flags = ReadingFlags(rawValue: 0xFFFF)
        let reading = Reading(
            series: SeriesNumber(5), time: Samples.wall, received: Samples.wall, value: 1, flags: flags)
        #expect(try decoded(encoded(.readings([reading]))) == .readings([reading]))
        #expect(Quantity(code: 40_000).name == "quantity_40000")
    }

    @Test func `what does not fit a reader is cut by the writer, at a character`() throws {
        let device = Device(
            id: Samples.plug, name: String(repeating: "ä", count: 31) + "x" + "ä", family: "f",
            counters: (0..<70).map { Counter(quantity: Quantity(code: $0), counterClass: .net, step: 1) },
            bindings: (0..<20).map { Binding(address: String(repeating: "\($0)", count: 300)) },
            validFrom: Timestamp(milliseconds: .max))
        guard case .device(let read) = try decoded(encoded(.device(device))) else { return }
        #expect(read.name == String(repeating: "ä", count: 31) + "x")
        #expect(read.counters == Array(device.counters.prefix(64)))
        #expect(read.bindings.count == 16 && read.bindings.allSatisfy { $0.address.utf8.count == 256 })
        #expect(read.validFrom == Timestamp.validRange.upperBound)
        let odd = Reading(
            series: SeriesNumber(0), time: Timestamp(milliseconds: .min), received: Timestamp(milliseconds: .max),
            value: 0)
        guard case .readings(let readings) = try decoded(encoded(.readings([odd]))) else { return }
        #expect(readings[0].time == Timestamp.validRange.lowerBound)
        #expect(readings[0].received == Timestamp.validRange.upperBound)
    }
}
