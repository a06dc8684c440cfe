import Exchange
import Foundation
import Metering
import Simulation
import Testing
import Timekeeping

/// What the formats look like, typed from `Formats.md`; a file that a user exported must stay readable.
@Suite struct GoldenTests {
    /// Names that need every kind of quoting, and values at the edges.
    static let sample: [NamedReading] = [
        reading("washer", .power, 231_500, at: 1_763_629_200_000),
        reading("a, \"b\" = c\\d", .power, -7, at: 1_763_629_200_250, channel: Channel("l1") ?? .total),
        reading("Küche ☕", .energyImport, 1_234_567, at: 1_763_629_210_000),
        reading("washer", .energyImport, .max, at: 0),
        reading("washer", .energyImport, .min, at: 253_402_300_799_999),
        reading("washer", .powerFactor, 980, at: 1_763_629_220_000),
    ]

    @Test(arguments: ExchangeFormat.allCases)
    func `each format is written as its golden file`(_ format: ExchangeFormat) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        let file = folder.appendingPathComponent("sample-v1.\(format.rawValue)")
        let sample = Self.sample.sorted { format.isBySeries ? $0.quantity < $1.quantity : false }
        let bytes = written(sample, as: format)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil { try Data(bytes).write(to: file) }
        #expect(String(decoding: bytes, as: UTF8.self) == String(decoding: try Data(contentsOf: file), as: UTF8.self))
    }

    @Test(arguments: [ExchangeFormat.csv, .jsonl, .influx])
    func `what a format writes it reads again, and writes the same bytes`(_ format: ExchangeFormat) {
        let first = written(Self.sample, as: format)
        let parsed = Parsed(first, as: format)
        #expect(parsed.faults == [:])
        #expect(parsed.readings == Self.sample)
        #expect(written(parsed.readings, as: format) == first)
    }

    @Test(arguments: [ExchangeFormat.csv, .jsonl, .influx])
    func `random readings survive export, import and export`(_ format: ExchangeFormat) {
        let seed: UInt64 = .random(in: 0 ... .max)
        var dice = SplitMix64(seed: seed)
        let names = ["washer", "plug, 2", "a=b c", "\\", "\"", "ü\\,x", "k", String(repeating: "n", count: 64)]
        let channels = ["total", "l1", "0", "abcdefghijklmno"].compactMap { Channel($0) }
        let readings = (0..<2_000).map { _ in
            NamedReading(
                device: names.randomElement(using: &dice) ?? "",
                channel: channels.randomElement(using: &dice) ?? .total,
                quantity: Quantity.all.randomElement(using: &dice) ?? .power,
                time: .init(milliseconds: Int64.random(in: 0...4_102_444_800_000, using: &dice)),
                value: Int64.random(in: .min ... .max, using: &dice) >> Int64.random(in: 0...63, using: &dice))
        }
        let bytes = written(readings, as: format)
        let parsed = Parsed(bytes, as: format)
        #expect(parsed.faults == [:], "seed \(seed)")
        #expect(parsed.readings == readings, "seed \(seed)")
        #expect(written(parsed.readings, as: format) == bytes, "seed \(seed)")
    }
}
