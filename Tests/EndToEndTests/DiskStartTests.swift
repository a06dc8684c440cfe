import Foundation
import Simulation
import Testing

/// Starting on a disk that takes no writes, and going on when it does.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled("mounting a file system needs root; the simulated disk has the same cases") { await Mounts.arePossible() })
struct DiskStartTests {
    @Test func `it starts on a read-only disk, shows the past, and keeps what comes until it can be written`()
        async throws
    {
        try await withHome { home in
            try await Mounts.at(home.data) { mounts in
                try await mounts.mount("-t", "tmpfs", "-o", "size=64m", "tmpfs")
                var daemon = try await home.startDaemon()
                let publisher = try await Publisher(home)
                try await publisher.publish("energy/pump", Self.payload(1, 1000))
                try await eventually("the first one is on disk") { await Self.powers(home) == ["1"] }
                // Its write-ahead log and all stays as it is.
                try await daemon.kill()
                try await mounts.mount("-o", "remount,ro")

                daemon = try await home.startDaemon()
                try await home.awaitStage("log", "failed")
                try await home.awaitStage("ledger", "failed")
                try await publisher.publish("energy/pump", Self.payload(2, 1000.1))
                try await Self.awaitLive(home, "2")
                #expect(await Self.powers(home) == ["1"])
                try await eventually("the gateway says that it keeps nothing") {
                    try await home.rows("readings", "--quantity", "gateway_store_failed").map { $0["value"] } == ["1"]
                }
                // That is when somebody wants one.
                let backup = try await home.energyctl("store", "backup", home.directory + "/backup.tar")
                #expect(backup.code == 0, "\(backup.errors)")

                try await mounts.mount("-o", "remount,rw")
                try await home.awaitStage("log", "ok")
                try await home.awaitStage("ledger", "ok")
                try await publisher.publish("energy/pump", Self.payload(3, 1000.2))
                try await eventually("all three are on disk") { await Self.powers(home) == ["1", "2", "3"] }
                try await home.awaitImport("pump", since: "-1h", milliwattHours: 200)
                #expect(daemon.log.contains("works again"), "\(daemon.log)")
                #expect(await daemon.stop() == .exited(code: 0))
                daemon = try await home.startDaemon()
                #expect(await Self.powers(home) == ["1", "2", "3"])
                try await home.awaitImport("pump", since: "-1h", milliwattHours: 200)
            }
        }
    }

    @Test func `it starts where nothing can be made, and begins on the disk when that is possible`() async throws {
        try await withHome { home in
            try await Mounts.at(home.data) { mounts in
                try await mounts.mount("-t", "tmpfs", "-o", "size=64m,ro", "tmpfs")
                let daemon = try await home.startDaemon()
                try await home.awaitStage("store", "failed")
                #expect(try await home.stage("store")?.detail.contains("Read-only file system") == true)
                let publisher = try await Publisher(home)
                try await publisher.publish("energy/pump", Self.payload(1, 1000))
                try await Self.awaitLive(home, "1")
                let backup = try await home.energyctl("store", "backup", home.directory + "/backup.tar")
                #expect(backup.code != 0 && backup.errors.contains("Read-only file system"), "\(backup.errors)")

                try await mounts.mount("-o", "remount,rw")
                try await eventually("what waited is on the disk") { await Self.powers(home) == ["1"] }
                #expect(try await home.stage("store") == nil)
                try await publisher.publish("energy/pump", Self.payload(2, 1000.1))
                try await eventually("and what comes") { await Self.powers(home) == ["1", "2"] }
                try await home.awaitImport("pump", since: "-1h", milliwattHours: 100)
                #expect(daemon.log.contains("what waited goes there"), "\(daemon.log)")
                #expect(await daemon.stop() == .exited(code: 0))
            }
        }
    }

    @Test func `a disk that is mounted late has its devices go on under their own identity`() async throws {
        try await withHome { home in
            let card = home.directory + "/card"
            try FileManager.default.createDirectory(atPath: card, withIntermediateDirectories: true)
            try await Mounts.at(home.data) { mounts in
                try await mounts.mount("--bind", card)
                var daemon = try await home.startDaemon()
                let gateway = try await home.status()["gateway"]
                let publisher = try await Publisher(home)
                try await publisher.publish("energy/pump", Self.payload(1, 1000))
                try await eventually("it is on the card") { await Self.powers(home) == ["1"] }
                #expect(await daemon.stop() == .exited(code: 0))
                try await mounts.pull()

                try await mounts.mount("-t", "tmpfs", "-o", "size=1m,ro", "tmpfs")
                daemon = try await home.startDaemon()
                try await home.awaitStage("store", "failed")
                try await publisher.publish("energy/pump", Self.payload(2, 1000.1))
                try await Self.awaitLive(home, "2")
                // Over what is there: were that taken away first, the daemon might begin in the bare directory.
                try await mounts.mount("--bind", card)
                try await eventually("both are there") { await Self.powers(home) == ["1", "2"] }
                #expect(try await home.status()["gateway"] == gateway)
                #expect(try await home.rows("devices").map { $0["device"] } == ["gateway", "pump"])
                try await home.awaitImport("pump", since: "-1h", milliwattHours: 100)
                #expect(await daemon.stop() == .exited(code: 0))
            }
        }
    }

    @Test(.enabled("making an error on a disk needs ext4 and a loop device") { Mounts.canMakeErrors })
    func `a disk that becomes read-only under a running daemon loses nothing that was durable`() async throws {
        try await withHome { home in
            try await Mounts.at(home.data) { mounts in
                let image = home.directory + "/card.img"
                let device = try await mounts.mountNew(image, size: 64 << 20, "errors=remount-ro")
                let trigger = "/sys/fs/ext4/\(device)/trigger_fs_error"
                try #require(FileManager.default.isWritableFile(atPath: trigger), "no way to make an error: \(trigger)")
                var daemon = try await home.startDaemon()
                let publisher = try await Publisher(home)
                try await publisher.publish("energy/pump", Self.payload(1, 1000))
                try await eventually("the first one is on disk") { await Self.powers(home) == ["1"] }

                try Data("1".utf8).write(to: URL(fileURLWithPath: trigger))
                try await home.awaitStage("log", "failed")
                try await publisher.publish("energy/pump", Self.payload(2, 1000.1))
                try await Self.awaitLive(home, "2")
                #expect(await Self.powers(home) == ["1"])
                // What waits in memory goes with the process; what was durable is there, on this disk and on a good
                // one.
                try await daemon.kill()
                daemon = try await home.startDaemon()
                #expect(await Self.powers(home) == ["1"])
                #expect(await daemon.stop() == .exited(code: 0))
                try await mounts.pull()
                try await Mounts.run("e2fsck", ["-fy", image], allowing: 1)
                try await mounts.mount("-o", "loop", image)
                daemon = try await home.startDaemon()
                #expect(await Self.powers(home) == ["1"])
                try await publisher.publish("energy/pump", Self.payload(3, 1000.2))
                try await eventually("and it goes on") { await Self.powers(home) == ["1", "3"] }
                #expect(await daemon.stop() == .exited(code: 0))
            }
        }
    }

    private static func payload(_ power: Int, _ energy: Double) -> String {
        "{\"power\":\(power),\"energy_import\":\(energy)}"
    }

    /// Live views go on.
    private static func awaitLive(_ home: TestHome, _ power: String) async throws {
        try await eventually("the newest reading is \(power)") {
            try await home.rows("readings").contains { $0["device"] == "pump" && $0["value"] == power }
        }
    }

    /// None while the daemon changes over, and as long as the device is not known.
    private static func powers(_ home: TestHome) async -> [String] {
        let rows = try? await home.rows("readings", "--device", "pump", "--quantity", "power", "--since", "-1h")
        return rows?.map { $0["value"] } ?? []
    }
}
