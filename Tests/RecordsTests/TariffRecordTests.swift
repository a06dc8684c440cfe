import Foundation
import Metering
import Records
import Simulation
import Testing
import Timekeeping

struct TariffRecordTests {
    private func golden(_ name: String, _ record: Record) throws -> [UInt8] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/record-\(name).bin")
        let bytes = encoded(record)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil { try Data(bytes).write(to: file) }
        let kept = try [UInt8](Data(contentsOf: file))
        #expect(bytes == kept, "\(name) is written in other bytes than before")
        return kept
    }

    @Test func `settings with all that a tariff can say, and prices, have their bytes`() throws {
        #expect(try decoded(golden("settings-tariffs", TariffSamples.settings)) == TariffSamples.settings)
        #expect(try decoded(golden("prices", TariffSamples.prices)) == TariffSamples.prices)
    }

    @Test func `a tariff of the first version has no more bytes than it had`() throws {
        // The golden file of the first settings holds tariffs without any of the later tags.
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/record-settings.bin")
        let bytes = try [UInt8](Data(contentsOf: file))
        guard case .settings(let settings) = try decoded(bytes) else { return }
        #expect(settings.billingDay == .first)
        #expect(settings.tariffs.allSatisfy { $0.model == "flat" && $0.levies.isEmpty && $0.rounding == .halfEven })
        #expect(encoded(.settings(settings)) == bytes)
    }

    @Test func `codes of charges, roundings and rules are permanent`() {
        #expect(ChargePeriod.allCases.map { "\($0.rawValue) \($0.name)" } == ["1 day", "2 month", "3 year"])
        #expect(Rounding.allCases.map(\.rawValue) == [1, 2] && FeedIn.Negative.allCases.map(\.rawValue) == [1, 2])
        #expect(Levy.Base.usual.rawValue == 15 && TariffSamples.prices.kind == 8)
    }

    @Test func `a tariff with a code of a later version is kept whole and not half understood`() throws {
        var writer = ByteWriter()
        writer.field(3) {
            $0.field(2, text: "UTC", limit: 64)
            $0.field(3) {
                $0.field(2, "EUR".utf8)
                $0.field(3, "0.3".utf8)
                $0.field(5, signed: 0)
                $0.field(10) {
                    $0.field(2, "1".utf8)
                    $0.field(3, unsigned: 4)
                }
            }
            $0.field(4, signed: 0)
        }
        guard case .unknown(3, _) = try decoded(writer.bytes) else {
            Issue.record("a charge per something unknown was taken for another")
            return
        }
    }

    @Test func `no broken bytes of a tariff or a run of prices do more than fail`() throws {
        var random = SplitMix64(seed: 0x7461_7269)
        for record in [TariffSamples.settings, TariffSamples.prices] {
            let bytes = encoded(record)
            for length in 2..<bytes.count {
                // The length in front says more than there is.
                #expect(throws: RecordError.self) { try decoded(Array(bytes[..<length])) }
            }
            for _ in 0..<20_000 {
                var broken = bytes
                for _ in 0...Int.random(in: 0..<3, using: &random) {
                    broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if let read = try? decoded(broken), case .prices(let run) = read {
                    #expect(run.prices.count <= PriceRun.maximumCount && (1...96).contains(run.slotsPerPrice))
                }
            }
        }
    }
}
