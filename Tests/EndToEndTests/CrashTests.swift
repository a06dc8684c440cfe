import Foundation
import Simulation
import Testing

/// What was accepted survives a daemon that is killed at any instant.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CrashTests {
    @Test func `kill -9 in the middle of a stream loses and doubles nothing that was durable`() async throws {
        try await withHome { home in
            var daemon = try await home.startDaemon()
            let publisher = try await Publisher(home)
            let pump = Pump(start: Int64(Date().timeIntervalSince1970) - 6 * 3600)
            var next = 0
            for round in 1...4 {
                // Some that are durable …
                try await publisher.publish(pump.messages(next..<(next + 25)))
                next += 25
                let newest = utc(pump.time(next - 1))
                try await eventually("round \(round): what was published is durable") {
                    try await Self.readings(home, pump).contains { $0["time"] == newest }
                }
                // … and a stream that goes on while the daemon dies.
                let stream = next..<(next + 200)
                next += 200
                async let published: Void = publisher.publish(pump.messages(stream))
                let before = try await home.status()
                let kept = try await Self.readings(home, pump)
                try await daemon.kill()
                try await published

                daemon = try await home.startDaemon()
                let after = try await home.status()
                let end = try #require(Int(after["log_durable"]))
                #expect(end >= Int(before["log_durable"]) ?? .max, "round \(round)")
                let found = try await Self.readings(home, pump)
                let missing = Set(kept).subtracting(found)
                #expect(missing.isEmpty, "round \(round): \(missing.count) of \(kept.count) readings are gone")
                #expect(Set(found.map { $0["time"] }).count == found.count, "round \(round): a reading is there twice")
            }
            // The last one closes every gap that a crash tore: the counter's difference is the energy.
            try await publisher.publish(pump.messages(next..<(next + 1)))
            try await home.awaitImport(
                "pump", since: utc(pump.start), milliwattHours: pump.value(next) - pump.value(0))
            #expect(await daemon.stop() == .exited(code: 0))
            daemon = try await home.startDaemon()
            try await home.awaitImport(
                "pump", since: utc(pump.start), milliwattHours: pump.value(next) - pump.value(0))
        }
    }

    @Test func `a restart keeps usage, devices and the gateway's identity as they were`() async throws {
        try await withHome { home in
            var daemon = try await home.startDaemon()
            let house = AutumnHouse()
            let publisher = try await Publisher(home)
            for meter in house.meters { try await publisher.publish(meter) }
            try await home.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
            try await home.awaitImport("boiler", since: house.since, milliwattHours: house.boilerImport)
            let usage = try await home.rows("usage", "--by", "slot", "--since", house.since)
            let identities = try await Self.identities(home)
            let gateway = try await home.status()["gateway"]
            for graceful in [true, false] {
                if graceful { #expect(await daemon.stop() == .exited(code: 0)) } else { try await daemon.kill() }
                daemon = try await home.startDaemon()
                #expect(try await home.rows("usage", "--by", "slot", "--since", house.since) == usage)
                #expect(try await Self.identities(home) == identities)
                #expect(try await home.status()["gateway"] == gateway)
            }
        }
    }

    @Test func `weeks of history survive kill -9 before, in and after the checkpoints that they make`() async throws {
        try await withHome { home in
            var daemon = try await home.startDaemon()
            let publisher = try await Publisher(home)
            // 12 devices, 16 days of slots: more than twice what one checkpoint takes.
            let meters = (0..<12).map { number in
                Meter(
                    device: "meter\(number)",
                    counters: [
                        "energy_import": Meter.points(
                            from: AutumnHouse.start, every: 900, value: 1_000_000,
                            rises: (0..<1_536).map { 10_000 + Int64(number) * 1_000 + $0 % 97 })
                    ])
            }
            let since = utc(AutumnHouse.start)
            for meter in meters { try await publisher.publish("energy/\(meter.device)", meter.objects[0]) }
            try await eventually("the first readings are durable") {
                try await home.rows("readings", "--since", since, "--quantity", "energy_import").count == meters.count
            }
            for part in 0..<4 {
                for meter in meters {
                    let objects = meter.objects[(384 * part)...(384 * part + 384)]
                    try await publisher.publish("energy/\(meter.device)", "[\(objects.joined(separator: ","))]")
                }
                try await daemon.kill()
                daemon = try await home.startDaemon()
            }
            for meter in meters { try await publisher.publish("energy/\(meter.device)", meter.objects[1_536]) }
            for (number, meter) in meters.enumerated() {
                let points = try #require(meter.counters["energy_import"])
                let total = points[1_536].value - points[0].value
                try await home.awaitImport("meter\(number)", since: since, milliwattHours: total)
            }
            let rows = try await home.rows("usage", "--by", "slot", "--since", since)
            #expect(Set(rows.map { "\($0["device"]) \($0["from"])" }).count == rows.count, "a slot is there twice")
            #expect(rows.count == 13 * 1_536)
            #expect(await daemon.stop() == .exited(code: 0))
            daemon = try await home.startDaemon()
            #expect(try await home.rows("usage", "--by", "slot", "--since", since) == rows)
        }
    }

    private static func identities(_ home: TestHome) async throws -> [String] {
        try await home.rows("devices").map { "\($0["device"]) \($0["id"]) \($0["bindings"])" }
    }

    private static func readings(_ home: TestHome, _ pump: Pump) async throws -> [Row] {
        guard try await home.rows("devices").contains(where: { $0["device"] == "pump" }) else { return [] }
        return try await home.rows("readings", "--device", "pump", "--since", utc(pump.start))
    }
}

/// A counter that says every ten seconds how far it is.
private struct Pump {
    let start: Int64

    func time(_ index: Int) -> Int64 { start + 10 * Int64(index) }
    func value(_ index: Int) -> Int64 { 1_000_000 + 2_345 * Int64(index) }

    func messages(_ range: Range<Int>) -> [HouseMessage] {
        range.map {
            HouseMessage(
                topic: "energy/pump", payload: "{\"time\":\(time($0)),\"energy_import\":\(wattHours(value($0)))}")
        }
    }
}
