import Foundation
import Simulation
import Testing

/// Files that a card or a power cut has spoilt: the daemon starts, says so, and what is whole is right.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DamageTests {
    @Test func `a torn end of the log is cut, told, and only what was in it is gone`() async throws {
        // Part of the boiler, so that the house's rest stays as it is.
        try await withHome(configuration: "[[device]]\nname = \"late\"\nparent = \"boiler\"\n") { home in
            let house = AutumnHouse()
            let daemon = try await Self.fill(home, house)
            let publisher = try await Publisher(home)
            let points: [(time: Int64, value: Int64)] = [(AutumnHouse.start, 1_000), (AutumnHouse.start + 300, 3_000)]
            let late = Meter(device: "late", counters: ["energy_import": points])
            try await publisher.publish(late)
            try await home.awaitImport("late", since: house.since, milliwattHours: 2_000)
            try await daemon.kill()

            let segment = try #require(Self.files(home.data + "/log/facts").last)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: segment))
            let end = try #require(bytes.lastIndex { $0 != 0 })
            bytes.removeSubrange((end - 40)...)
            try bytes.write(to: URL(fileURLWithPath: segment))

            let repaired = try await home.startDaemon()
            #expect(repaired.log.contains("the log was repaired"), "\(repaired.log)")
            #expect(repaired.log.contains("topic=facts"))
            #expect(try await Self.usage(home, house) == house.rows(by: .hour))
            // It takes in again what was lost, and more.
            try await publisher.publish(late)
            try await home.awaitImport("late", since: house.since, milliwattHours: 2_000)
            #expect(await repaired.stop() == .exited(code: 0))
            let again = try await home.startDaemon()
            #expect(!again.log.contains("repaired"), "\(again.log)")
            #expect(try await Self.usage(home, house) == house.rows(by: .hour))
        }
    }

    @Test func `flipped bytes in a sealed block of history spoil neither usage nor other readings`() async throws {
        try await withHome { home in
            let house = AutumnHouse()
            let daemon = try await Self.fill(home, house)
            let whole = Set(try await home.rows("readings", "--since", house.since, "--limit", "100000"))
            #expect(await daemon.stop() == .exited(code: 0))
            let blocks = Self.files(home.data + "/history").filter { $0.hasSuffix(".blk") && $0.contains("/raw/") }
            let block = try #require(blocks.first)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: block))
            for i in stride(from: bytes.count / 3, to: bytes.count / 3 + 8, by: 1) { bytes[i] ^= 0x5A }
            try bytes.write(to: URL(fileURLWithPath: block))

            let restarted = try await home.startDaemon()
            #expect(try await Self.usage(home, house) == house.rows(by: .hour))
            let left = Set(try await home.rows("readings", "--since", house.since, "--limit", "100000"))
                .filter { $0["device"] != "gateway" }
            #expect(left.isSubset(of: whole), "readings that nobody sent: \(left.subtracting(whole).prefix(3))")
            #expect(!left.isEmpty)
            #expect(restarted.log.contains("damaged"), "\(restarted.log)")
            let history = try await home.stage("history")
            #expect(history?.detail.contains("damaged") == true, "\(history?.detail ?? "")")
        }
    }

    @Test func `a ledger of junk is set aside and made again from the log`() async throws {
        try await withHome { home in
            let house = AutumnHouse()
            let daemon = try await Self.fill(home, house)
            #expect(await daemon.stop() == .exited(code: 0))
            let ledger = home.data + "/ledger.db"
            try Data(repeating: 0x5A, count: 20_000).write(to: URL(fileURLWithPath: ledger))
            let restarted = try await home.startDaemon()
            #expect(restarted.log.contains("the ledger was damaged"), "\(restarted.log)")
            #expect(try await Self.usage(home, house) == house.rows(by: .hour))
            let devices = try await home.rows("devices").map { $0["device"] }
            #expect(devices == ["boiler", "gateway", "grid"])
            #expect(await restarted.stop() == .exited(code: 0))
        }
    }

    @Test func `a ledger that is lost is made again from the log`() async throws {
        try await withHome { home in
            let house = AutumnHouse()
            let daemon = try await Self.fill(home, house)
            #expect(await daemon.stop() == .exited(code: 0))
            for path in Self.files(home.data) where path.contains("/ledger.db") {
                try FileManager.default.removeItem(atPath: path)
            }
            let restarted = try await home.startDaemon()
            #expect(restarted.log.contains("the ledger was lost"), "\(restarted.log)")
            #expect(try await Self.usage(home, house) == house.rows(by: .hour))
            #expect(try await home.rows("devices").map { $0["device"] } == ["boiler", "gateway", "grid"])
        }
    }

    @Test func `damaged snapshots are no reason to lose usage`() async throws {
        try await withHome { home in
            let house = AutumnHouse()
            let daemon = try await Self.fill(home, house)
            #expect(await daemon.stop() == .exited(code: 0))
            let snapshots = Self.files(home.data + "/snapshots")
            #expect(!snapshots.isEmpty)
            for path in snapshots { try Data("junk".utf8).write(to: URL(fileURLWithPath: path)) }
            let restarted = try await home.startDaemon()
            #expect(restarted.log.contains("snapshot"), "\(restarted.log)")
            #expect(try await Self.usage(home, house) == house.rows(by: .hour))
        }
    }

    @Test func `junk in any one file keeps neither the daemon from starting nor usage from being right`() async throws {
        try await withHome { home in
            let house = AutumnHouse()
            let daemon = try await Self.fill(home, house)
            let gateway = try await home.status()["gateway"]
            #expect(await daemon.stop() == .exited(code: 0))
            let whole = home.directory + "/whole"
            try FileManager.default.copyItem(atPath: home.data, toPath: whole)
            let names = Self.files(home.data).map { String($0.dropFirst(home.data.count)) }
            #expect(names.contains("/gateway.id"))
            #expect(names.count >= 6, "\(names)")
            for name in names {
                try FileManager.default.removeItem(atPath: home.data)
                try FileManager.default.copyItem(atPath: whole, toPath: home.data)
                try Data(repeating: 0x5A, count: 5_000).write(to: URL(fileURLWithPath: home.data + name))
                let restarted = try await home.startDaemon()
                let isTold = ["warning: ", "error: "].contains(where: restarted.log.contains)
                // What is neither read nor needed after a clean end may be junk without a word.
                let isIdle = ["/lock", "/ledger.db-wal", "/ledger.db-shm"].contains(name)
                #expect(isTold || isIdle, "\(name): \(restarted.log)")
                #expect(try await Self.usage(home, house) == house.rows(by: .hour), "\(name)")
                #expect(try await home.status()["gateway"] == gateway, "\(name)")
                #expect(await restarted.stop() == .exited(code: 0), "\(name)")
            }
        }
    }

    /// A running daemon that knows the house's day.
    private static func fill(_ home: TestHome, _ house: AutumnHouse) async throws -> Daemon {
        let daemon = try await home.startDaemon()
        let publisher = try await Publisher(home)
        for meter in house.meters { try await publisher.publish(meter) }
        try await home.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
        try await home.awaitImport("boiler", since: house.since, milliwattHours: house.boilerImport)
        return daemon
    }

    /// Without the device that some of these tests add.
    private static func usage(_ home: TestHome, _ house: AutumnHouse) async throws -> [Row] {
        try await home.rows("usage", "--by", "hour", "--since", house.since).filter { $0["device"] != "late" }
    }

    private static func files(_ directory: String) -> [String] {
        let names = FileManager.default.subpaths(atPath: directory) ?? []
        return names.sorted().map { directory + "/" + $0 }.filter {
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: $0, isDirectory: &isDirectory) && !isDirectory.boolValue
        }
    }
}
