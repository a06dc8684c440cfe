import Foundation
import MQTT
import Simulation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct MQTTConnectionTests {
    @Test(arguments: [MQTTQoS.atMostOnce, .atLeastOnce])
    func `messages arrive whole, in order, at both qualities`(qos: MQTTQoS) async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let recorder = Recorder()
        let subscriber = try recorder.connect(options(port: broker.port))
        try subscriber.subscribe([("t/+/SENSOR", qos), ("probe", .atMostOnce)])
        let publisher = try Recorder().connect(options(port: broker.port))
        try await untilSubscribed(recorder, publisher, topic: "probe")

        for number in 0..<500 {
            try publisher.publish(topic: "t/\(number % 7)/SENSOR", payload: Array("\(number)".utf8), qos: qos)
        }
        #expect(await publisher.drained(within: 10_000))
        try await eventually("all 500 arrive") { recorder.messages.count { $0.topic != "probe" } >= 500 }
        let arrived = recorder.messages.filter { $0.topic != "probe" }
        #expect(arrived.map { String(decoding: $0.payload, as: UTF8.self) } == (0..<500).map(String.init))
        #expect(arrived.allSatisfy { $0.qos == qos.rawValue && !$0.retained })
        #expect(arrived.first?.topic == "t/0/SENSOR")
        #expect(subscriber.counters.received == recorder.messages.count)
        #expect(recorder.batches >= 1 && recorder.batches <= recorder.messages.count)
        await subscriber.stop()
        await publisher.stop()
        #expect(recorder.states.last == .stopped)
        await broker.stop()
    }

    @Test func `a burst larger than the window leaves without waiting for the next ping`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        var narrow = options(port: broker.port)
        narrow.maxInFlight = 1
        // The next ping is far beyond the time that the burst may take.
        narrow.keepAlive = 300
        let publisher = try Recorder().connect(narrow)
        for round in 0..<20 {
            for _ in 0..<20 { try publisher.publish(topic: "t", payload: [UInt8(round)], qos: .atLeastOnce) }
            await Task.yield()
        }
        #expect(await publisher.drained(within: 30_000))
        try publisher.publish(topic: "t", payload: [])
        #expect(await publisher.drained(within: 30_000))
        #expect(publisher.counters.published == 401)
        await publisher.stop()
        await broker.stop()
    }

    @Test func `a message kept by the broker is marked retained, also when it is empty`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let publisher = try Recorder().connect(options(port: broker.port))
        try publisher.publish(topic: "kept", payload: [1, 0, 255], qos: .atLeastOnce, retain: true)
        #expect(await publisher.drained(within: 10_000))
        let recorder = Recorder()
        let subscriber = try recorder.connect(options(port: broker.port))
        try subscriber.subscribe([("kept", .atLeastOnce)])
        try await eventually("the kept message arrives") { recorder.messages.count == 1 }
        try publisher.publish(topic: "kept", payload: [], qos: .atLeastOnce)
        try await eventually("the live message arrives") { recorder.messages.count == 2 }
        #expect(recorder.messages.map(\.retained) == [true, false])
        #expect(recorder.messages.map(\.payload) == [[1, 0, 255], []])
        await subscriber.stop()
        await publisher.stop()
    }

    @Test func `a broker that is not there yet is waited for`() async throws {
        let directory = try TemporaryDirectory()
        let port = try FreePort.find()
        let recorder = Recorder()
        let subscriber = try recorder.connect(options(port: port))
        try subscriber.subscribe([("probe", .atMostOnce)])
        try await eventually("two attempts fail") {
            recorder.states.count {
                if case .disconnected = $0 { return true }
                return false
            } >= 2
        }
        guard case .disconnected(let reason, let wait) = recorder.states[1] else {
            Issue.record("\(recorder.states)")
            return
        }
        #expect(reason == "127.0.0.1 port \(port): Connection refused")
        #expect((10...50).contains(wait))

        let broker = try await Broker.start(in: directory.path, port: port)
        let publisher = try Recorder().connect(options(port: port))
        try await untilSubscribed(recorder, publisher, topic: "probe")
        #expect(recorder.connections == 1)
        #expect(subscriber.counters.reconnects == 0)
        await subscriber.stop()
        await publisher.stop()
        await broker.stop()
    }

    @Test func `after the broker was killed and is back, subscriptions and queued messages are too`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let recorder = Recorder()
        let subscriber = try recorder.connect(options(port: broker.port))
        try subscriber.subscribe([("probe/#", .atLeastOnce)])
        let publisherLog = Recorder()
        let publisher = try publisherLog.connect(options(port: broker.port))
        try await untilSubscribed(recorder, publisher, topic: "probe/1")

        await broker.kill()
        try await eventually("both notice") {
            [recorder, publisherLog].allSatisfy { log in
                log.states.contains { if case .disconnected = $0 { true } else { false } }
            }
        }
        try publisher.publish(topic: "probe/queued", payload: [7], qos: .atLeastOnce, retain: true)
        let again = try await Broker.start(in: directory.path, port: broker.port)
        try await untilSubscribed(recorder, publisher, topic: "probe/2")
        try await eventually("the queued message arrives") {
            recorder.messages.contains { $0.topic == "probe/queued" && $0.payload == [7] }
        }
        #expect(subscriber.counters.reconnects == 1)
        #expect(recorder.connections == 2)
        await subscriber.stop()
        await publisher.stop()
        await again.stop()
    }

    @Test func `a payload over the limit is counted and never seen`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let recorder = Recorder()
        var limited = options(port: broker.port)
        limited.payloadLimit = 1_000
        let subscriber = try recorder.connect(limited)
        try subscriber.subscribe([("#", .atLeastOnce)])
        let publisher = try Recorder().connect(options(port: broker.port))
        try await untilSubscribed(recorder, publisher, topic: "probe")
        for size in [1_001, 300_000, 1_000] {
            let payload = [UInt8](repeating: 65, count: size)
            try publisher.publish(topic: "big", payload: payload, qos: .atLeastOnce)
        }
        try await eventually("the one that fits arrives") { recorder.messages.contains { $0.topic == "big" } }
        #expect(recorder.messages.filter { $0.topic == "big" }.map(\.payload.count) == [1_000])
        #expect(subscriber.counters.oversized == 2)
        await subscriber.stop()
        await publisher.stop()
    }

    @Test func `a full outgoing queue refuses, counts, and takes again when it has drained`() async throws {
        let directory = try TemporaryDirectory()
        let port = try FreePort.find()
        var small = options(port: port)
        small.queueLimit = 10
        small.queueByteLimit = 1_000
        let publisher = try Recorder().connect(small)
        for _ in 0..<10 { try publisher.publish(topic: "t", payload: [1], qos: .atLeastOnce) }
        #expect(throws: MQTTError.queueFull(limit: "10 messages")) {
            try publisher.publish(topic: "t", payload: [1], qos: .atLeastOnce)
        }
        #expect(throws: MQTTError.payloadTooLong(topic: "t", bytes: 1_000, limit: 999)) {
            try publisher.publish(topic: "t", payload: [UInt8](repeating: 0, count: 1_000))
        }
        #expect(publisher.counters.refused == 1)
        #expect(!(await publisher.drained(within: 20)))

        let broker = try await Broker.start(in: directory.path, port: port)
        #expect(await publisher.drained(within: 20_000))
        #expect(publisher.counters.published == 10)
        try publisher.publish(topic: "t", payload: [1], qos: .atLeastOnce)
        #expect(await publisher.drained(within: 20_000))
        await publisher.stop()
        #expect(throws: MQTTError.stopped) { try publisher.publish(topic: "t", payload: []) }
        await broker.stop()
    }

    @Test func `stopping under traffic ends all callbacks, again and again`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let publisher = try Recorder().connect(options(port: broker.port))
        let flood = Task.detached {
            while !Task.isCancelled {
                try? publisher.publish(topic: "flood", payload: Array("0123456789".utf8), qos: .atLeastOnce)
                await Task.yield()
            }
        }
        for _ in 0..<10 {
            let recorder = Recorder()
            let subscriber = try recorder.connect(options(port: broker.port))
            try subscriber.subscribe([("flood", .atLeastOnce)])
            try await eventually("traffic flows") { recorder.messages.count > 20 }
            await subscriber.stop()
            let seen = recorder.messages.count
            #expect(recorder.states.last == .stopped)
            #expect(subscriber.counters.received == seen)
            await subscriber.stop()
        }
        flood.cancel()
        await flood.value
        await publisher.stop()
        await broker.stop()
    }

    @Test func `a connection released without stop ends by itself`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let recorder = Recorder()
        do {
            let connection = try recorder.connect(options(port: broker.port))
            try connection.subscribe([("x", .atMostOnce)])
            try await eventually("connected") { recorder.connections == 1 }
        }
        try await eventually("the thread ends") { recorder.states.last == .stopped }
        await broker.stop()
    }

    @Test func `the will is published when a client dies, not when it stops`() async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        let recorder = Recorder()
        let subscriber = try recorder.connect(options(port: broker.port))
        try subscriber.subscribe([("#", .atLeastOnce)])
        var mortal = options(port: broker.port, "mortal")
        mortal.will = .init(topic: "will", payload: Array("gone".utf8), retain: false)
        let polite = try Recorder().connect(mortal)
        try await untilSubscribed(recorder, polite, topic: "probe/1")
        await polite.stop()
        let log = Recorder()
        let victim = try log.connect(mortal)
        try await eventually("the victim is connected") { log.connections == 1 }
        #expect(!recorder.messages.contains { $0.topic == "will" })
        // A second client of the same name makes the broker throw the first one out.
        let usurper = try Recorder().connect(options(port: broker.port, "mortal"))
        try await eventually("the will arrives") { recorder.messages.contains { $0.topic == "will" } }
        await usurper.stop()
        await victim.stop()
        await subscriber.stop()
        await broker.stop()
    }

    @Test func `a refused login says why`() async throws {
        let directory = try TemporaryDirectory()
        let passwords = directory.path + "/passwords"
        try "".write(toFile: passwords, atomically: true, encoding: .utf8)
        let broker = try await Broker.start(
            in: directory.path, extraLines: ["allow_anonymous false", "password_file \(passwords)"])
        let recorder = Recorder()
        var login = options(port: broker.port)
        (login.username, login.password) = ("nobody", Array("secret".utf8))
        let connection = try recorder.connect(login)
        try await eventually("refused") { recorder.states.count >= 2 }
        #expect(recorder.states[1].description.contains("not authori"), "\(recorder.states[1])")
        await connection.stop()
        await broker.stop()
    }
}
