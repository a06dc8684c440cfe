import Foundation
import Simulation
import Testing

/// A counter that went wrong, and a person who corrects it: with the real daemon, over restarts.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct RepairTests {
    private static let start = AutumnHouse.start

    /// 100 Wh each five minutes from 1000 Wh; the seventh reading is 500 Wh too high, which looks like a rise and a
    /// reset.
    private static var spiked: Meter {
        let rises = [Int64](repeating: 100_000, count: 24)
        var points = Meter.points(from: start, every: 300, value: 1_000_000, rises: rises)
        points[6].value += 500_000
        return Meter(device: "boiler", counters: ["energy_import": points])
    }
    private static let truth: Int64 = 2_400_000
    /// 600 Wh up to the spike's reading, and the rises from the one after it.
    private static let booked: Int64 = 500_000 + 600_000 + 1_700_000

    @Test func `a spike that was booked is found, corrected, and back once that is undone`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            let publisher = try await Publisher(home)
            try await publisher.publish(Self.spiked)
            let since = utc(Self.start - 3600)
            try await home.awaitImport("boiler", since: since, milliwattHours: Self.booked)

            let anomalies = try await home.rows("data", "anomalies", "--since", since)
            #expect(anomalies.map { $0["decision"] } == ["reset", "suspect"])
            #expect(anomalies.allSatisfy { $0["series"] == "boiler/total/energy_import" })
            let spike = utc(Self.start + 1800)
            let answer = try await home.energyctl("data", "explain", "boiler", spike, "-o", "json")
            let explained = try Row.one(answer.output)
            #expect(explained["readings"].contains("\"value\":2100"))
            #expect(explained["decisions"].contains("\"decision\":\"suspect\""))

            // A span by itself looks like an option, and is none.
            let ago = try await home.energyctl("data", "explain", "boiler", "-2h", "-o", "json")
            #expect(try ago.code == 0 && Row.one(ago.output)["series"] == "boiler/total/energy_import")

            let correct = ["data", "correct", "boiler", "--from", spike, "--to", utc(Self.start + 1801), "--drop"]
            let preview = try await Self.effect(home, correct + ["--preview"])
            #expect(preview["id"] == "null")
            let unchanged = try await home.rows("usage", "--by", "day", "--since", since)
            #expect(TestHome.sum(unchanged, "boiler") == Self.booked)

            let effect = try await Self.effect(home, correct + ["--reason", "IR head slipped"])
            for name in ["before_wh", "after_wh", "cost_before", "cost_after", "slots", "bills"] {
                #expect(effect[name] == preview[name], "\(name)")
            }
            #expect(effect["cost_before"] != effect["cost_after"])
            #expect(effect["bills"].contains("\"difference\":\"-"))
            try await home.awaitImport("boiler", since: since, milliwattHours: Self.truth)
            let bill = try await home.rows("usage", "--by", "month", "--since", since)
            #expect(bill.first { $0["device"] == "boiler" }?["cost"] == "0.7716")

            // Killed and started again: the correction is in the log and in the ledger.
            try await daemon.kill()
            let again = try await home.startDaemon()
            try await home.awaitImport("boiler", since: since, milliwattHours: Self.truth)
            let audit = try await home.rows("data", "audit")
            #expect(audit.count == 1)
            #expect(audit.first?["reason"] == "IR head slipped")
            #expect(audit.first?["target"] == "boiler/total/energy_import")
            #expect(audit.first?["active"] == "true")

            // And what comes after goes on from there.
            let later = (time: Self.start + 300 * 25, value: Int64(3_500_000))
            try await publisher.publish(Meter(device: "boiler", counters: ["energy_import": [later]]))
            try await home.awaitImport("boiler", since: since, milliwattHours: Self.truth + 100_000)

            let undone = try await Self.effect(home, ["data", "undo", effect["id"]])
            #expect(undone["before_wh"] == effect["after_wh"])
            #expect(undone["after_wh"] == effect["before_wh"])
            try await home.awaitImport("boiler", since: since, milliwattHours: Self.booked + 100_000)
            #expect(try await home.rows("data", "audit").map { $0["active"] } == ["true", "false"])
            let twice = try await home.energyctl("data", "undo", effect["id"])
            #expect(twice.code == 4)
            #expect(await again.stop() == .exited(code: 0))
        }
    }

    @Test func `a replaced meter, an amount and a late afternoon all end where they belong`() async throws {
        try await withHome { home in
            _ = try await home.startDaemon()
            let publisher = try await Publisher(home)
            // The old register ends at 5100 Wh, the new one starts at 20 Wh between two readings.
            let rises = [Int64](repeating: 8_000, count: 12)
            let old = Meter.points(from: Self.start, every: 300, value: 5_000_000, rises: rises)
            let new = Meter.points(from: Self.start + 4200, every: 300, value: 24_000, rises: rises)
            try await publisher.publish(Meter(device: "meter", counters: ["energy_import": old + new]))
            let since = utc(Self.start - 3600)
            try await home.awaitImport("meter", since: since, milliwattHours: 192_000)
            _ = try await Self.effect(
                home,
                [
                    "device", "replace", "meter", "--at", utc(Self.start + 3900), "--last", "5100", "--first", "20",
                ])
            try await home.awaitImport("meter", since: since, milliwattHours: 200_000)

            let span = ["--from", utc(Self.start - 1800), "--to", utc(Self.start - 900)]
            _ = try await Self.effect(home, ["data", "correct", "meter"] + span + ["--wh", "7.5"])
            try await home.awaitImport("meter", since: since, milliwattHours: 207_500)

            // A second register of the same meter that was away all day, and comes in the evening of the next one.
            let later = Meter.points(
                from: Self.start, every: 3600, value: 0, rises: [Int64](repeating: 1_000, count: 30))
            try await publisher.publish(Meter(device: "plug", counters: ["energy_import": later]))
            try await publisher.publish(Meter(device: "plug", counters: ["energy_export": later]))
            try await home.awaitImport("plug", since: since, milliwattHours: 30_000)
            try await eventually("the export is there") {
                try await home.rows("usage", "--by", "day", "--since", since)
                    .filter { $0["device"] == "plug" }.map { $0["export_wh"] } == ["25", "5"]
            }
        }
    }

    @Test func `what cannot be meant so is said, and changes nothing`() async throws {
        try await withHome { home in
            _ = try await home.startDaemon()
            let publisher = try await Publisher(home)
            try await publisher.publish(Self.spiked)
            try await home.awaitImport("boiler", since: utc(Self.start - 3600), milliwattHours: Self.booked)
            let span = ["--from", utc(Self.start), "--to", utc(Self.start + 450)]
            let cases: [([String], Int32, String)] = [
                (["data", "correct", "boler"] + span + ["--drop"], 4, "no device is called boler"),
                (["data", "correct", "boiler/total/power"] + span + ["--drop"], 4, "no series"),
                (["data", "correct", "boiler"] + span, 2, "--drop"),
                (["data", "correct", "boiler"] + span + ["--wh", "5"], 2, "whole slots"),
                (["data", "correct", "boiler", "--from", utc(Self.start), "--drop"], 2, "--to"),
                (["data", "undo", "12"], 4, "no correction in force"),
                (["device", "replace", "boiler", "--last", "many"], 2, "not a number"),
                (["data", "explain", "boiler", "noon"], 2, "neither a time"),
            ]
            for (arguments, code, words) in cases {
                let outcome = try await Programs.run(
                    Programs.energyctl, arguments, in: home.directory, environment: ["ENERGYD_SOCKET": home.socket])
                #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
                #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
            }
            #expect(try await home.rows("data", "audit").isEmpty)
        }
    }

    private static func effect(_ home: TestHome, _ arguments: [String]) async throws -> Row {
        let outcome = try await Programs.run(
            Programs.energyctl, arguments + ["-o", "json"], in: home.directory,
            environment: ["ENERGYD_SOCKET": home.socket])
        guard outcome.code == 0 else { throw NeverHappened("energyctl \(arguments): \(outcome.errors)") }
        return try Row.one(outcome.output)
    }
}
