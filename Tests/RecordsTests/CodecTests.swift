import Metering
import Records
import Simulation
import Testing
import Timekeeping

@Suite struct CodecTests {
    @Test func `CRC-32C gives the values of RFC 3720, in one piece and in two`() {
        let command: [UInt8] = [
            0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0,
            0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
        ]
        let cases: [([UInt8], UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E), ((0..<32).reversed(), 0x113F_DB5C), (command, 0xD996_3A56),
            (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ]
        for (bytes, expected) in cases {
            bytes.withUnsafeBytes { all in
                #expect(CRC32C.update(0, all) == expected)
                for cut in 0...all.count {
                    let head = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: all[..<cut]))
                    #expect(CRC32C.update(head, UnsafeRawBufferPointer(rebasing: all[cut...])) == expected)
                }
            }
        }
    }

    private func varint(_ bytes: [UInt8]) throws(RecordError) -> UInt64 {
        let result = bytes.withUnsafeBytes { (buffer) -> Result<UInt64, RecordError> in
            var reader = ByteReader(buffer)
            do throws(RecordError) { return .success(try reader.varint()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    @Test func `varints at the borders of their lengths`() throws {
        for shift in 0..<64 {
            for value in [UInt64(1) << UInt64(shift), (UInt64(1) << UInt64(shift)) &- 1, ~0 >> UInt64(shift)] {
                var writer = ByteWriter()
                writer.varint(value)
                #expect(writer.bytes.count == max(1, (64 - value.leadingZeroBitCount + 6) / 7))
                #expect(try varint(writer.bytes) == value)
                // Whatever follows is another integer's.
                #expect(try varint(writer.bytes + [UInt8](repeating: 0xFF, count: 9)) == value)
                #expect(try varint(writer.bytes + [UInt8](repeating: 0, count: 9)) == value)
                for length in 0..<writer.bytes.count {
                    #expect(throws: RecordError(.truncated, at: 0)) { try varint(Array(writer.bytes[..<length])) }
                }
            }
        }
        #expect(try varint([0x80, 0x00]) == 0)
        let nine = [UInt8](repeating: 0xFF, count: 9)
        #expect(try varint(nine + [1]) == .max)
        #expect(throws: RecordError(.badVarint, at: 0)) { try varint(nine + [2]) }
        #expect(throws: RecordError(.badVarint, at: 0)) { try varint(nine + [0x81, 0]) }
    }

    @Test func `signed integers keep small magnitudes short`() throws {
        let cases: [(Int64, [UInt8])] = [(0, [0]), (-1, [1]), (1, [2]), (-64, [127]), (64, [128, 1])]
        for (value, bytes) in cases {
            var writer = ByteWriter()
            writer.signed(value)
            #expect(writer.bytes == bytes)
        }
        for value in [Int64.min, .min + 1, .max, .max - 1] {
            var writer = ByteWriter()
            writer.signed(value)
            writer.bytes.withUnsafeBytes {
                var reader = ByteReader($0)
                #expect((try? reader.signed()) == value)
            }
        }
    }

    @Test func `nested content of every length has the prefix that a plain one has`() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 16_385, 300_000] {
            let content = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
            var nested = ByteWriter()
            nested.bytes = [9, 9]
            nested.prefixed(nested: { $0.bytes += content })
            var plain = ByteWriter()
            plain.bytes = [9, 9]
            plain.prefixed(content)
            #expect(nested.bytes == plain.bytes, "length \(length)")
        }
    }

    @Test func `a dictionary gives dense numbers and stays within its bound`() {
        var dictionary = SeriesDictionary()
        func key(_ n: Int) -> SeriesKey {
            SeriesKey(device: DeviceID(high: 0, low: UInt64(n)), channel: .total, quantity: .power)
        }
        for n in 0..<SeriesDictionary.maximumCount {
            guard dictionary.number(for: key(n)) == SeriesNumber(UInt32(n)) else {
                Issue.record("number \(n)")
                return
            }
        }
        #expect(dictionary.number(for: key(-1 & 0xFFFFFF)) == nil)
        #expect(dictionary.number(for: key(5)) == SeriesNumber(5))
        dictionary.insert(SeriesNumber(.max), key(70_000))
        #expect(dictionary.count == SeriesDictionary.maximumCount)
        var twice = SeriesDictionary()
        twice.insert(SeriesNumber(3), key(1))
        twice.insert(SeriesNumber(4), key(1))
        twice.insert(SeriesNumber(3), key(2))
        #expect(twice[key(1)] == SeriesNumber(4))
        #expect(twice[key(2)] == SeriesNumber(3))
        #expect(twice.number(for: key(9)) == SeriesNumber(5))
    }

    @Test func `readings of every length have the bytes that one integer after the other has`() throws {
        var generator = SplitMix64(seed: 21)
        for count in [1, 63, 64, 65, 127, 128, 129, 1000] {
            let readings = (0..<count).map { _ in
                let shift = Int64.random(in: 0...63, using: &generator)
                return Reading(
                    series: SeriesNumber(UInt32.random(in: 0..<65_536, using: &generator)), time: Samples.wall,
                    received: Samples.wall, value: Int64(bitPattern: generator.next()) >> shift)
            }
            var plain = ByteWriter()
            plain.signed(0)
            plain.varint(UInt64(count))
            for reading in readings {
                plain.varint(UInt64(reading.series.value) << 2)
                plain.signed(reading.value)
            }
            var whole = ByteWriter()
            whole.varint(1)
            whole.prefixed(plain.bytes)
            #expect(encoded(.readings(readings)) == whole.bytes, "\(count) readings")
            #expect(try decoded(whole.bytes) == .readings(readings), "\(count) readings")
        }
    }

    @Test(arguments: [UInt64(11), 12, 13]) func `any valid record comes back as it was`(seed: UInt64) throws {
        print("seed \(seed)")
        var random = RandomRecords(generator: SplitMix64(seed: seed))
        for _ in 0..<3000 {
            let record = random.record()
            let bytes = encoded(record)
            let again = try decoded(bytes)
            #expect(again == record, "seed \(seed)")
            #expect(encoded(again) == bytes, "seed \(seed)")
        }
    }
}
