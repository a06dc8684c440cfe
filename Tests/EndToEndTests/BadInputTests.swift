import Foundation
import Simulation
import Testing

/// Payloads, configurations and command lines that are wrong.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct BadInputTests {
    @Test func `malformed payloads are counted, told once and hurt nobody else`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "ok")
            let publisher = try await Publisher(home)
            let bad = [
                "{", "", "[[[[", "{\"ENERGY\":{\"Total\":\"abc\"}}", "\u{0}\u{1}", String(repeating: "[", count: 3000),
            ]
            for i in 0..<30 {
                try await publisher.publish("tele/broken/SENSOR", bad[i % bad.count])
                try await publisher.publish("energy/good/total/power", "\(i)")
            }
            try await publisher.publish("energy/half", "{\"power\":12,\"blorb\":3}")
            try await eventually("the good one and the good half are heard") {
                let rows = try await home.rows("readings", "--quantity", "power")
                return rows.map { "\($0["device"]) \($0["value"])" } == ["good 29", "half 12"]
            }
            let devices = try await home.rows("devices")
            let broken = try #require(devices.first { $0["device"] == "broken" })
            #expect(Int(broken["rejected"]) ?? 0 >= 20, "\(broken)")
            #expect(broken["last_error"].contains("tele/broken/SENSOR"))
            let half = try #require(devices.first { $0["device"] == "half" })
            #expect(half["rejected"] == "1")
            #expect(half["last_error"].contains("blorb"), "\(half)")
            let good = try #require(devices.first { $0["device"] == "good" })
            #expect(good["rejected"] == "0")
            #expect(good["last_error"] == "null")
            #expect(Int(try await home.status()["rejected"]) ?? 0 >= 21)
            let lines = daemon.log.split(separator: "\n").filter { $0.contains("tele/broken/SENSOR") }
            #expect(lines.count == 1, "\(lines)")
            #expect(await daemon.stop() == .exited(code: 0))
        }
    }

    @Test func `an unknown key ends the daemon with 78 and energyctl with 5, with line and nearest key`() async throws {
        try await withHome(broker: false) { home in
            try home.configure("[mqqt]\nport = 1\n\n[log]\nlevle = \"info\"\n")
            let file = home.configuration
            let lines = text(of: file).split(separator: "\n", omittingEmptySubsequences: false)
            let line = try #require(lines.firstIndex(of: "levle = \"info\"")) + 1
            let daemon = try home.launchDaemon()
            #expect(await daemon.process.wait(within: .seconds(30)) == .exited(code: 78))
            let checked = try await home.energyctl("config", "check", file)
            let replayed = try await home.energyctl("replay", "--config", file, "/dev/null")
            for (said, code) in [(daemon.log, 78), (checked.errors, checked.code), (replayed.errors, replayed.code)] {
                #expect(code == 78 || code == 5)
                #expect(said.contains("energyd.toml:\(line)"), "\(said)")
                #expect(said.contains("levle"), "\(said)")
                #expect(said.contains("level"), "\(said)")
                #expect(said.contains("mqqt"), "\(said)")
            }
            #expect(checked.code == 5)
            #expect(replayed.code == 5)
            #expect(checked.output.isEmpty)
            try home.configure()
            #expect(try await home.energyctl("config", "check", file).code == 0)
        }
    }

    @Test func `a command says by its status what went wrong`() async throws {
        try await withHome(broker: false) { home in
            #expect(try await home.energyctl("status").code == 3)
            #expect(try await home.energyctl("usage", "--socket", home.directory + "/elsewhere").code == 3)
            #expect(try await home.energyctl("replay", home.directory + "/none.jsonl").code == 4)
            _ = try await home.startDaemon()
            let cases: [([String], Int32)] = [
                (["usage", "--by", "fortnight"], 2), (["usage", "--since", "yesterday"], 2), (["usage", "--blorb"], 2),
                (["usage", "--since", "2026-02-30T00:00:00Z"], 2), (["usage", "-o", "xml"], 2), (["blorb"], 2),
                (["usage", "--since", "-1h", "--until", "-2h"], 2), (["readings", "--limit", "0"], 2),
                (["readings", "--follow", "--since", "-1h"], 2),
                (["usage", "--device", "nobody"], 4), (["readings", "--device", "nobody", "--since", "-1h"], 4),
                (["readings", "--device", "nobody"], 4), (["readings", "--device", "nobody", "--follow"], 4),
                (["usage", "--since", "-24h"], 0), (["usage", "--since=-24h", "--until", "-1h"], 0),
                (["readings", "--since", "-24h"], 0), (["devices"], 0), (["--version"], 0), (["usage", "--help"], 0),
                (["status", "--socket", home.socket], 0),
            ]
            for (arguments, code) in cases {
                let outcome = try await Programs.run(
                    Programs.energyctl, arguments, in: home.directory, environment: ["ENERGYD_SOCKET": home.socket])
                #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
                if code != 0 {
                    #expect(!outcome.errors.isEmpty, "\(arguments)")
                    #expect(outcome.output.isEmpty, "\(arguments): \(outcome.output)")
                }
            }
        }
    }
}
