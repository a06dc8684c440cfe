import Devices
import Intake
import Metering
import Records
import Simulation
import Testing
import Timekeeping

@Suite struct IntakeTests {
    private let plug = DeviceRegistry.Description(family: "tasmota", profile: "tasmota")

    @Test func `a device's record goes before its first reading`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        bench.intake.take([bench.power(1)], of: a)
        let b = try #require(bench.intake.device(at: "mqtt:tasmota:b", as: plug))
        bench.intake.take([bench.power(2)], of: b)
        bench.intake.endBatch()
        #expect(bench.sink.records.map(\.kind) == [2, 1, 2, 1])
        #expect(bench.sink.watched.map(\.value) == [1000, 2000])
    }

    @Test func `nothing is handed on twice, and an empty batch not at all`() throws {
        let bench = Bench()
        bench.intake.endBatch()
        #expect(bench.sink.records.isEmpty)
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        bench.intake.take([bench.power(1)], of: a)
        bench.intake.endBatch()
        bench.intake.endBatch()
        #expect(bench.sink.records.count == 2)
    }

    @Test func `a batch is full at 256 readings`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        let full = (1...Intake.batchSize).map { bench.intake.take([bench.power(Int64($0))], of: a) }
        #expect(full.firstIndex(of: true) == Intake.batchSize - 1)
    }

    @Test func `sources that speak at once keep each its order, and nothing is lost or doubled`() async throws {
        let bench = Bench()
        let count = 400
        await withTaskGroup(of: Void.self) { group in
            for source in 0..<8 {
                group.addTask {
                    guard let device = bench.intake.device(at: "mqtt:tasmota:s\(source)", as: plug) else { return }
                    for number in 0..<count {
                        let isFull = bench.intake.take([bench.power(Int64(number))], of: device)
                        if isFull || number % 7 == 0 { bench.intake.endBatch() }
                    }
                    bench.intake.endBatch()
                }
            }
        }
        var known: Set<DeviceID> = []
        var values: [DeviceID: [Int64]] = [:]
        for record in bench.sink.records {
            switch record {
            case .device(let device): known.insert(device.id)
            case .readings(let readings):
                for reading in readings {
                    let device = try #require(bench.sink.key(reading)).device
                    #expect(known.contains(device))
                    values[device, default: []].append(reading.value)
                }
            default: Issue.record("a record of kind \(record.kind)")
            }
        }
        #expect(values.count == 8)
        for list in values.values { #expect(list == (0..<count).map { Int64($0) * 1000 }) }
        let counters = bench.intake.counters
        #expect(counters.messages == UInt64(8 * count))
        #expect(counters.readings == UInt64(8 * count))
    }

    @Test func `an error stays until the same source is read well again, the count for good`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        bench.intake.reject(a, "it is no JSON", source: 1)
        bench.intake.take([bench.power(1)], of: a, source: 2)
        #expect(bench.intake.status(a).lastError == "it is no JSON")
        bench.intake.take([bench.power(1)], of: a, source: 1)
        #expect(bench.intake.status(a).lastError == nil)
        #expect(bench.intake.status(a).rejected == 1)
        #expect(bench.intake.counters.rejected == 1)
    }

    @Test func `an implausible value is counted and told, and the device stays up`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        bench.intake.take([bench.power(2_000_000), bench.power(5)], of: a)
        let status = bench.intake.status(a)
        #expect(status.available == true)
        #expect(status.rejected == 1)
        #expect(status.lastError?.contains("2000000 W") == true)
        #expect(bench.intake.counters.implausible == 1)
        #expect(bench.intake.counters.readings == 1)
    }

    @Test func `coming and going is in the log once each, and going is no sign of life`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        bench.intake.note(a, available: false)
        #expect(bench.intake.status(a).lastSeen == nil)
        bench.intake.note(a, available: false)
        bench.clock.advance(by: 1000)
        bench.intake.take([bench.power(7)], of: a)
        bench.intake.note(a, available: true)
        bench.intake.endBatch()
        #expect(bench.sink.values(.available) == [0, 1000])
        #expect(bench.intake.status(a).available == true)
        #expect(bench.intake.status(a).lastSeen == bench.clock.now().wall)
    }

    @Test func `a retained message is neither a sign of life nor fresh`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:tasmota:a", as: plug))
        bench.intake.note(a, available: true, retained: true)
        bench.intake.take([bench.power(7)], of: a, retained: true)
        bench.intake.endBatch()
        #expect(bench.intake.status(a).lastSeen == nil)
        #expect(bench.sink.readings.allSatisfy { $0.flags.contains(.retained) })
    }

    @Test func `the newest reading of a series is by its time, not by its arrival`() throws {
        let bench = Bench()
        let a = try #require(bench.intake.device(at: "mqtt:energy:a", as: plug))
        let now = bench.clock.now().wall
        var old = bench.power(1)
        old.time = .utc(now - 60_000)
        bench.intake.take([bench.power(2)], of: a)
        bench.intake.take([old], of: a)
        #expect(bench.intake.latest.map(\.value) == [2000])
    }

    @Test func `before the clock is set readings are flagged`() throws {
        let bench = Bench(synchronized: false)
        let a = try #require(bench.intake.device(at: "mqtt:energy:a", as: plug))
        bench.intake.take([bench.power(2)], of: a)
        bench.clock.setWall(bench.clock.now().wall + 5000, synchronized: true)
        bench.intake.take([bench.power(2)], of: a)
        bench.intake.endBatch()
        #expect(bench.sink.readings.map { $0.flags.contains(.clockUnsynced) } == [true, false])
    }

    @Test func `what the configuration changes is logged at the start`() throws {
        let bench = Bench(declared: [DeclaredDevice(name: "a", role: .solar)])
        let a = try #require(bench.intake.device(at: "mqtt:energy:a", as: plug))
        bench.intake.reconcile()
        #expect(bench.sink.records.count == 1)
        #expect(bench.intake.device(a)?.role == .solar)
    }

    @Test func `a cause is told once a minute, and a flood of causes not without end`() {
        let limiter = ComplaintLimiter()
        #expect(limiter.admits("a", at: 0))
        #expect(!limiter.admits("a", at: Span.minute - 1))
        #expect(limiter.admits("b", at: 1))
        #expect(limiter.admits("a", at: Span.minute))
        let admitted = (0..<5000).count { limiter.admits("flood \($0)", at: Span.minute + 5) }
        #expect(admitted < 1100)
        #expect(limiter.admits("after the flood", at: 3 * Span.minute))
    }
}
