import MQTT
import Testing

struct MQTTArgumentTests {
    @Test(arguments: ["", "a/+", "#", "a\u{0}b", "a\u{1}b"])
    func `a topic that cannot be published to is refused at once`(topic: String) throws {
        let connection = try Recorder().connect(options(port: 1))
        #expect(throws: MQTTError.badTopic(topic)) { try connection.publish(topic: topic, payload: []) }
    }

    @Test func `a topic is at most 65535 bytes`() throws {
        let connection = try Recorder().connect(options(port: 1))
        let topic = String(repeating: "x", count: 65_535)
        try connection.publish(topic: topic, payload: [])
        #expect(throws: MQTTError.badTopic(topic + "x")) { try connection.publish(topic: topic + "x", payload: []) }
    }

    @Test(arguments: ["", "a+", "a/#/b", "a\u{0}"])
    func `a filter that cannot be subscribed to is refused at once`(filter: String) throws {
        let connection = try Recorder().connect(options(port: 1))
        #expect(throws: MQTTError.badFilter(filter)) { try connection.subscribe([(filter, .atMostOnce)]) }
    }

    @Test func `options that cannot work are refused by name`() throws {
        var broken = options(port: 1)
        broken.keepAlive = 4
        #expect(throws: MQTTError.badOption("keep_alive is 4, must be 5 to 65535")) {
            _ = try Recorder().connect(broken)
        }
        broken = options(port: 1)
        broken.password = [1]
        #expect(throws: MQTTError.badOption("a password needs a username")) { _ = try Recorder().connect(broken) }
    }

    @Test func `the back-off doubles to its cap, jitters upwards, and repeats for a seed`() {
        var backoff = MQTTBackoff(seed: 42)
        var twin = MQTTBackoff(seed: 42)
        var other = MQTTBackoff(seed: 43)
        let waits = (0..<40).map { _ in backoff.next() }
        for (wait, base) in zip(waits, [1_000, 2_000, 4_000, 8_000, 16_000]) {
            #expect((base...base + base / 4).contains(wait))
        }
        #expect(waits[5...].allSatisfy { $0 == 30_000 })
        #expect(waits == (0..<40).map { _ in twin.next() })
        #expect(waits != (0..<40).map { _ in other.next() })
        backoff.reset()
        #expect((1_000...1_250).contains(backoff.next()))
    }
}
