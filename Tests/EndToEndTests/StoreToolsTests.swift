import Foundation
import Simulation
import Testing

/// `energyctl store …` with the real daemon: what leaves a home comes back the same.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct StoreToolsTests {
    private static func fill(_ home: TestHome, _ house: AutumnHouse) async throws -> Daemon {
        let daemon = try await home.startDaemon()
        let publisher = try await Publisher(home)
        for meter in house.meters { try await publisher.publish(meter) }
        try await home.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
        try await home.awaitImport("boiler", since: house.since, milliwattHours: house.boilerImport)
        return daemon
    }

    private static func usage(_ home: TestHome, _ house: AutumnHouse) async throws -> [Row] {
        // Without what is used while the test runs.
        try await home.rows("usage", "--by", "hour", "--since", house.since).filter { $0["from"].hasPrefix("2025") }
    }

    /// The house's own readings as csv; the gateway's health goes on all the time.
    private static func readings(_ home: TestHome) async throws -> [Substring] {
        let outcome = try await home.energyctl("store", "export", "-")
        #expect(outcome.code == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").filter { !$0.contains(",gateway,") && !$0.contains(",load") }
    }

    @Test func `an export imported into another home gives the same usage, and a second time changes nothing`()
        async throws
    {
        let house = AutumnHouse()
        try await withHome { home in
            _ = try await Self.fill(home, house)
            let before = try await Self.usage(home, house)
            let file = home.directory + "/house.csv"
            #expect(try await home.energyctl("store", "export", file).code == 0)
            let refused = try await home.energyctl("store", "export", file)
            #expect(refused.code == 1 && refused.errors.contains("--force"), "\(refused.errors)")
            try await withHome { other in
                _ = try await other.startDaemon()
                let rehearsal = try await other.energyctl("store", "import", file, "--dry-run")
                #expect(rehearsal.code == 0 && rehearsal.output.contains("would be taken in"), "\(rehearsal)")
                #expect(try await Self.readings(other).count <= 1)
                let first = try await other.energyctl("store", "import", file)
                #expect(first.code == 0 && first.output.contains("taken in"), "\(first)")
                try await other.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
                #expect(try await Self.usage(other, house) == before)
                let read = try await Self.readings(other)
                let source = try await Self.readings(home)
                #expect(read == source)
                for format in ["jsonl", "influx"] {
                    let again = other.directory + "/again.\(format)"
                    #expect(try await other.energyctl("store", "export", again, "--format", format).code == 0)
                    let outcome = try await other.energyctl("store", "import", again, "--format", format)
                    #expect(outcome.code == 0 && outcome.output.hasPrefix("0 readings taken in"), "\(outcome)")
                }
                #expect(try await Self.readings(other) == read)
                #expect(try await Self.usage(other, house) == before)
            }
        }
    }

    @Test func `lines that cannot be taken in are told with file and line, and the rest is`() async throws {
        try await withHome { home in
            _ = try await home.startDaemon()
            let file = home.directory + "/bad.csv"
            let text = """
                time,device,channel,quantity,value,unit
                2025-11-20T09:00:00Z,washer,total,energy_import,1,kWh
                2025-11-20T09:15,washer,total,energy_import,2,kWh
                2025-11-20T09:15:00Z,washer,total,energy_import,1.25,kWh
                2095-11-20T09:15:00Z,washer,total,energy_import,2,kWh
                2025-11-20T09:15:00Z,washer,total,voltage,99999,V
                """
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try await home.energyctl("store", "import", file)
            #expect(outcome.code == 8)
            #expect(outcome.output.hasPrefix("2 readings taken in, 3 left out\n"), "\(outcome.output)")
            for (line, reason) in [(3, "has a bad time"), (5, "is of the future"), (6, "is not plausible")] {
                #expect(
                    outcome.errors.contains("\(file):\(line): the ") && outcome.errors.contains(reason),
                    "\(outcome.errors)")
            }
            try await home.awaitImport("washer", since: "2025-11-20T00:00:00+01:00", milliwattHours: 250_000)
        }
    }

    @Test func `a backup under load, restored, is whole and answers the same`() async throws {
        let house = AutumnHouse()
        try await withHome { home in
            let daemon = try await Self.fill(home, house)
            let usage = try await Self.usage(home, house)
            let readings = try await Self.readings(home)
            let publisher = try await Publisher(home)
            let load = Task {
                var value = 0
                while !Task.isCancelled {
                    value += 1
                    try await publisher.publish(
                        (0..<200).map {
                            HouseMessage(topic: "energy/load\($0 % 20)/total/power", payload: "\(value % 2000)")
                        })
                }
            }
            let file = home.directory + "/home.tar"
            let backup = try await home.energyctl("store", "backup", file)
            load.cancel()
            _ = await load.result
            #expect(backup.code == 0, "\(backup.errors)")
            let checked = try await home.energyctl("store", "verify", "--backup", file)
            #expect(checked.code == 0 && checked.output.contains("is whole"), "\(checked)")
            let busy = try await home.energyctl("store", "restore", file, "--data-dir", home.data)
            #expect(busy.code == 1 && busy.errors.contains("stop it first"), "\(busy.errors)")
            #expect(await daemon.stop() == .exited(code: 0))

            let occupied = try await home.energyctl("store", "restore", file, "--data-dir", home.data)
            #expect(occupied.code == 1 && occupied.errors.contains("is not empty"), "\(occupied.errors)")
            let restored = try await home.energyctl("store", "restore", file, "--data-dir", home.data, "--force")
            #expect(restored.code == 0 && restored.output.contains("What was there is in"), "\(restored)")
            let verified = try await home.energyctl("store", "verify", "--data-dir", home.data)
            #expect(verified.code == 0, "\(verified)")
            let offline = try await home.energyctl("store", "export", "-", "--data-dir", home.data)
            let again = try await home.startDaemon()
            #expect(!again.log.contains("repaired"), "\(again.log)")
            #expect(try await Self.usage(home, house) == usage)
            #expect(try await Self.readings(home) == readings)
            #expect(
                offline.output.split(separator: "\n").filter { !$0.contains(",gateway,") && !$0.contains(",load") }
                    == readings)
        }
    }

    @Test func `verify tells the damaged file and place, and ends with 1`() async throws {
        let house = AutumnHouse()
        try await withHome { home in
            let daemon = try await Self.fill(home, house)
            #expect(await daemon.stop() == .exited(code: 0))
            let whole = try await home.energyctl("store", "verify", "--data-dir", home.data)
            #expect(whole.code == 0 && whole.output.contains("is whole"), "\(whole)")
            let stats = try await home.energyctl("store", "stats", "--data-dir", home.data, "-o", "csv")
            #expect(stats.code == 0 && stats.output.contains("history raw,"), "\(stats)")
            let files = FileManager.default.enumerator(atPath: home.data)?.compactMap { $0 as? String } ?? []
            let block = try #require(files.filter { $0.contains("history/raw/") && $0.hasSuffix(".blk") }.min())
            let path = home.data + "/" + block
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count / 3] ^= 0x10
            try bytes.write(to: URL(fileURLWithPath: path))
            let damaged = try await home.energyctl("store", "verify", "--data-dir", home.data)
            #expect(damaged.code == 1)
            #expect(damaged.output.hasPrefix("damage: \(path) at byte "), "\(damaged)")
            let rehearsal = try await home.energyctl("store", "repair", "--dry-run", "--data-dir", home.data)
            #expect(rehearsal.code == 0, "\(rehearsal)")
        }
    }
}
