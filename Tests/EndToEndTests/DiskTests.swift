import Foundation
import Simulation
import Testing

/// A full disk and a pulled one, for real: mounts that this machine lets us make.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled("mounting a file system needs root; the simulated disk has the same cases") { await Mounts.arePossible() })
struct DiskTests {
    @Test func `on a full disk it measures in memory and says so, and goes on by itself when there is room`()
        async throws
    {
        try await withHome { home in
            try await Mounts.at(home.data) { mounts in
                // Too small for one segment of the log.
                try await mounts.mount("-t", "tmpfs", "-o", "size=3m", "tmpfs")
                let daemon = try await home.startDaemon()
                try await home.awaitStage("log", "failed")
                let detail = try #require(try await home.stage("log")).detail
                #expect(detail.contains("No space left on device") && detail.contains("wait in memory"))
                let publisher = try await Publisher(home)
                for i in 1...5 {
                    try await publisher.publish("energy/pump", "{\"power\":\(i)}")
                    // Live views go on.
                    try await eventually("the newest reading is \(i)") {
                        try await home.rows("readings").contains { $0["device"] == "pump" && $0["value"] == "\(i)" }
                    }
                }
                #expect(try await home.rows("readings", "--device", "pump", "--since", "-1h").isEmpty)
                let failed = try await home.rows("readings", "--quantity", "gateway_store_failed")
                #expect(failed.map { $0["value"] } == ["1"])

                try await mounts.mount("-o", "remount,size=64m")
                try await home.awaitStage("log", "ok")
                try await eventually("all five are on disk") {
                    try await Self.powers(home) == ["1", "2", "3", "4", "5"]
                }
                #expect(daemon.log.contains("works again"))
                #expect(daemon.log.split(separator: "\n").filter { $0.contains("does not work") }.count == 1)
                #expect(await daemon.stop() == .exited(code: 0))
            }
        }
    }

    @Test func `a disk that was pulled, an empty one in its place meanwhile, comes back with nothing missing`()
        async throws
    {
        try await withHome { home in
            let real = home.directory + "/card"
            try FileManager.default.createDirectory(atPath: real, withIntermediateDirectories: true)
            try await Mounts.at(home.data) { mounts in
                try await mounts.mount("--bind", real)
                var daemon = try await home.startDaemon()
                let publisher = try await Publisher(home)
                try await publisher.publish("energy/pump", "{\"power\":1,\"energy_import\":1000}")
                try await eventually("the first one is on disk") { try await Self.powers(home) == ["1"] }

                try await mounts.pull()
                try await mounts.mount("-t", "tmpfs", "-o", "size=8m", "tmpfs")
                try await home.awaitStage("store", "failed")
                try await publisher.publish("energy/pump", "{\"power\":2,\"energy_import\":1000.1}")
                try await eventually("the newest reading is shown") {
                    try await home.rows("readings").contains { $0["device"] == "pump" && $0["value"] == "2" }
                }
                let strange = try FileManager.default.contentsOfDirectory(atPath: home.data)
                #expect(strange.isEmpty, "written into another disk: \(strange)")

                try await mounts.pull()
                try await mounts.mount("--bind", real)
                try await eventually("the store is back") { try await home.stage("store") == nil }
                try await publisher.publish("energy/pump", "{\"power\":3,\"energy_import\":1000.2}")
                try await eventually("all three are on disk") { try await Self.powers(home) == ["1", "2", "3"] }
                // Usage began anew from what is on the disk, and so it does after a kill.
                for _ in 0..<2 {
                    try await home.awaitImport("pump", since: "-1h", milliwattHours: 200)
                    try await daemon.kill()
                    daemon = try await home.startDaemon()
                }
                #expect(try await Self.powers(home) == ["1", "2", "3"])
                #expect(await daemon.stop() == .exited(code: 0))
            }
        }
    }

    private static func powers(_ home: TestHome) async throws -> [String] {
        guard try await home.rows("devices").contains(where: { $0["device"] == "pump" }) else { return [] }
        return try await home.rows("readings", "--device", "pump", "--quantity", "power", "--since", "-1h")
            .map { $0["value"] }
    }
}
