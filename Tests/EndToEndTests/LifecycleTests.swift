import Foundation
import Simulation
import Testing

/// Starting, watching and stopping.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct LifecycleTests {
    @Test func `followers see a reading as it comes, and end with the daemon`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "ok")
            let publisher = try await Publisher(home)
            let all = try home.launchEnergyctl("readings", "--follow", "-o", "json")
            let power = try home.launchEnergyctl("readings", "-f", "--quantity", "power", "-o", "csv", "--no-headers")
            var sent = 0
            try await eventually("both followers see a reading") {
                sent += 1
                try await publisher.publish("energy/kettle", "{\"power\":\(sent),\"voltage\":230}")
                return text(of: all.output).contains("voltage") && text(of: power.output).contains("kettle")
            }
            let last = sent + 1
            try await publisher.publish("energy/kettle", "{\"power\":\(last),\"voltage\":231}")
            try await eventually("the next reading is shown", within: .seconds(30)) {
                text(of: all.output).contains("\"value\":\(last),") && text(of: power.output).contains(",\(last),W")
            }
            #expect(!text(of: power.output).contains("voltage"))
            for line in text(of: all.output).split(separator: "\n") {
                #expect(try Row.one(String(line))["device"] != "")
            }

            let stopped = ContinuousClock.now
            #expect(await daemon.stop() == .exited(code: 0))
            #expect(ContinuousClock.now - stopped < .seconds(20), "a watcher holds up the daemon's end")
            #expect(await all.process.wait(within: .seconds(30)) == .exited(code: 3))
            #expect(await power.process.wait(within: .seconds(30)) == .exited(code: 3))
        }
    }

    @Test func `the socket is for owner and group, and goes with the daemon`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            try await eventually("the socket has its mode") { try Self.mode(home.socket) == 0o660 }
            #expect(try Self.mode(home.data) & 0o007 == 0, "strangers may look into the state directory")
            let stopped = ContinuousClock.now
            #expect(await daemon.stop() == .exited(code: 0))
            #expect(ContinuousClock.now - stopped < .seconds(20))
            #expect(!FileManager.default.fileExists(atPath: home.socket))
        }
    }

    @Test func `the broker's name and password are in no line of the debug log`() async throws {
        let broker = """
            [log]
            level = "debug"

            """
        try await withHome(configuration: broker) { home in
            let secret = home.directory + "/secret"
            try "swordfish".write(toFile: secret, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
            let text = try String(contentsOfFile: home.configuration, encoding: .utf8)
            try text.replacingOccurrences(
                of: "[mqtt]\n", with: "[mqtt]\nusername = \"tell-nobody\"\npassword_file = \"\(secret)\"\n"
            ).write(toFile: home.configuration, atomically: false, encoding: .utf8)
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "ok")
            #expect(await daemon.stop() == .exited(code: 0))
            let bytes = Array("swordfish".utf8).map { "\($0)" }.joined(separator: ", ")
            #expect(daemon.log.contains("MQTTService"), "\(daemon.log)")
            for told in ["tell-nobody", "swordfish", bytes] { #expect(!daemon.log.contains(told), "\(daemon.log)") }
        }
    }

    @Test func `a second daemon on the same state directory refuses and says whose it is`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            let second = try home.launchDaemon(socket: home.directory + "/s2")
            #expect(await second.process.wait(within: .seconds(30)) == .exited(code: 73))
            #expect(second.log.contains(home.data), "\(second.log)")
            #expect(second.log.contains("\(daemon.process.pid)"), "\(second.log)")
            #expect(try await home.energyctl("status").code == 0, "the first one still answers")
            // Killed, it leaves lock and socket behind: neither keeps the next one from starting.
            try await daemon.kill()
            let third = try await home.startDaemon()
            #expect(await third.stop() == .exited(code: 0))
        }
    }

    private static func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }
}
