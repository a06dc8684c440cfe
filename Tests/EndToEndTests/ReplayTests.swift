import Foundation
import Simulation
import Testing

/// `energyctl replay`: recorded cases, and that the daemon says the same of the same facts.
@Suite(.timeLimit(.minutes(3)))
struct ReplayTests {
    /// Each answer among the fixtures: the case and the period.
    static let answers: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: Programs.fixtures)) ?? [])
        .filter { $0.hasSuffix(".json") }.sorted()

    @Test func `every recorded case is answered as worked out by hand`() async throws {
        #expect(Self.answers.count >= 20)
        for answer in Self.answers {
            let parts = answer.split(separator: ".").map(String.init)
            let (name, period) = (Programs.fixtures + "/" + parts[0], parts[1])
            let own = FileManager.default.fileExists(atPath: name + ".toml")
            let outcome = try await replay(
                name + ".jsonl", by: period, configuration: own ? name + ".toml" : Programs.fixtures + "/default.toml")
            #expect(outcome.code == 0, "\(answer): \(outcome.errors)")
            let expected = text(of: "\(Programs.fixtures)/\(answer)")
            for list in ["usage", "cost", "alerts"] {
                let (rows, wanted) = (try Row.list(outcome.output, list), try Row.list(expected, list))
                #expect(rows.count == wanted.count, "\(answer), \(list)")
                for (row, wanted) in zip(rows, wanted) { #expect(row == wanted, "\(answer), \(list)") }
            }
            // The answers leave out the rule, which is a sentence for people.
            let decisions = try Row.list(outcome.output, "quality").map { row in
                Row(row.members.filter { $0.key != "rule" })
            }
            #expect(try decisions == Row.list(expected, "quality"), "\(answer)")
        }
    }

    @Test func `lines that cannot be read are told by number, left out, and end with status 8`() async throws {
        let good = text(of: Programs.fixtures + "/counter.jsonl").split(separator: "\n").map(String.init)
        let bad = [
            "nonsense", "{\"time\":\"2026-02-03T11:00:00Z\"}", "[1,2]",
            good[0].replacingOccurrences(of: "energy_import", with: "blorb"),
            good[0].replacingOccurrences(of: "2026-02-03T", with: "2026-02-30T"),
            good[0].replacingOccurrences(of: "1234.567", with: "\"many\""),
            good[0].replacingOccurrences(of: "1234.567", with: "1e300"),
        ]
        try await withDirectory { directory in
            let file = directory + "/spoilt.jsonl"
            let lines = [bad[0], good[0]] + bad.dropFirst() + ["", "   "] + good.dropFirst()
            try lines.joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try await replay(file, by: "slot", configuration: Programs.fixtures + "/default.toml")
            #expect(outcome.code == 8)
            for number in [1] + Array(3..<(2 + bad.count)) {
                #expect(outcome.errors.contains("\(file):\(number): "), "line \(number): \(outcome.errors)")
            }
            #expect(!outcome.errors.contains("\(file):2: "))
            #expect(outcome.errors.contains("\(bad.count) lines"))
            let expected = try Row.list(text(of: Programs.fixtures + "/counter.slot.json"), "usage")
            #expect(try Row.list(outcome.output, "usage") == expected)
        }
    }

    @Test func `a replay is printed as tables and as CSV too`() async throws {
        let file = Programs.fixtures + "/tariff.jsonl"
        let arguments = ["replay", "--config", Programs.fixtures + "/tariff.toml", "--by", "month", file]
        try await withDirectory { directory in
            let csv = try await Programs.run(Programs.energyctl, arguments + ["-o", "csv"], in: directory)
            #expect(csv.code == 0)
            let expected = try Row.list(text(of: Programs.fixtures + "/tariff.month.json"), "usage")
            #expect(csv.output.split(separator: "\n").count == expected.count + 1)
            for row in expected { #expect(csv.output.contains(",\(row["import_wh"]),"), "\(row)") }
            let table = try await Programs.run(Programs.energyctl, arguments, in: directory)
            #expect(table.code == 0)
            #expect(table.output.hasPrefix("MONTH"))
            #expect(table.output.contains("BILL FROM"))
        }
    }

    @Test func `the daemon and a replay say the same of the same facts`() async throws {
        try await withHome { home in
            _ = try await home.startDaemon()
            let publisher = try await Publisher(home)
            let meters = Self.troubledMeters
            for meter in meters { try await publisher.publish(meter) }
            let file = home.directory + "/facts.jsonl"
            try (meters.flatMap(\.lines).joined(separator: "\n") + "\n")
                .write(toFile: file, atomically: false, encoding: .utf8)
            for period in ["slot", "hour", "day", "month"] {
                let replayed = try await replay(file, by: period, configuration: home.configuration)
                #expect(replayed.code == 0, "\(replayed.errors)")
                let expected = try Row.list(replayed.output, "usage")
                #expect(expected.contains { $0["device"] == "unmetered" })
                #expect(expected.contains { $0["device"] == "oven" && $0["power_max_w"] != "" })
                var rows: [Row] = []
                do {
                    try await eventually("the daemon has taken in all") {
                        rows = try await home.rows("usage", "--by", period, "--since", utc(AutumnHouse.start - 86_400))
                        return rows == expected
                    }
                } catch is NeverHappened {
                    #expect(rows.count == expected.count, "by \(period)")
                    for (row, wanted) in zip(rows, expected) where row != wanted {
                        Issue.record("by \(period): daemon \(row); replay \(wanted)")
                        break
                    }
                }
            }
        }
    }

    /// The autumn house, and behind it a meter that restarts, glitches, spikes and falls silent, one that only knows
    /// its power, and an inverter.
    private static var troubledMeters: [Meter] {
        let start = AutumnHouse.start
        var odd: [(time: Int64, value: Int64)] = []
        for i in 0..<200 {
            let time = start + Int64(i) * 300 + (i % 7 == 0 ? 41 : 0)
            switch i {
            case 20, 21: odd.append((time, 0))
            case 45: odd.append((time, 800_000_000_000))
            case 60..<75: continue
            case 110...: odd.append((time, 4_321 + 12_345 * Int64(i - 110)))
            default: odd.append((time, 9_000_000 + 17_011 * Int64(i)))
            }
        }
        let power = (0..<150).map { (time: start + Int64($0) * 290, value: Int64(300_000 + $0 * 1_003)) }
        let produced = (0..<120).map { (time: start + 36_000 + Int64($0) * 240, value: Int64(1_000 + $0 * 31_007)) }
        return AutumnHouse().meters + [
            Meter(device: "odd", counters: ["energy_import": odd]), Meter(device: "oven", counters: ["power": power]),
            Meter(device: "roof", counters: ["production_energy": produced]),
        ]
    }

    private func replay(_ file: String, by period: String, configuration: String) async throws -> Outcome {
        var result: Outcome?
        try await withDirectory { directory in
            result = try await Programs.run(
                Programs.energyctl, ["replay", "--config", configuration, "--by", period, "-o", "json", file],
                in: directory)
        }
        return try #require(result)
    }
}

/// A temporary directory for the time of `body`.
func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = "/tmp/energyd-e2e-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await body(directory)
}
