import Foundation
import MQTT
import Simulation
import Testing

@Suite(.timeLimit(.minutes(2)))
struct MQTTSecurityTests {
    private static func options(_ broker: Broker, _ certificates: Certificates) -> MQTTOptions {
        var secure = FieldTests.options(port: broker.port)
        secure.host = "localhost"
        secure.tls = MQTTOptions.TLS(authorityFile: certificates.authority)
        return secure
    }

    @Test(arguments: [MQTTOptions.Version.v311, .v5])
    func `messages cross TLS whole and in order, more of them than one turn reads`(
        version: MQTTOptions.Version
    ) async throws {
        let directory = try TemporaryDirectory()
        let certificates = try await Certificates(in: directory.path)
        let broker = try await Broker.start(in: directory.path, extraLines: certificates.brokerLines())
        var secure = Self.options(broker, certificates)
        secure.version = version
        let recorder = Recorder()
        let subscriber = try recorder.connect(secure)
        try subscriber.subscribe([("t/#", .atLeastOnce)])
        secure.clientID = "publisher"
        secure.maxInFlight = 1_000
        secure.queueLimit = 2_000
        let publisher = try Recorder().connect(secure)
        try await untilSubscribed(recorder, publisher, topic: "t/probe")
        for number in 0..<2_000 {
            try publisher.publish(topic: "t/\(number % 3)", payload: Array("\(number)".utf8), qos: .atLeastOnce)
        }
        #expect(await publisher.drained(within: 30_000))
        try await eventually("all 2000 arrive") { recorder.messages.count { $0.topic != "t/probe" } >= 2_000 }
        let arrived = recorder.messages.filter { $0.topic != "t/probe" }.map {
            String(decoding: $0.payload, as: UTF8.self)
        }
        #expect(arrived == (0..<2_000).map(String.init))
        await subscriber.stop()
        await publisher.stop()
        await broker.stop()
    }

    @Test func `a broker whose certificate is another name's is refused, with the reason`() async throws {
        let directory = try TemporaryDirectory()
        let certificates = try await Certificates(in: directory.path)
        let broker = try await Broker.start(in: directory.path, extraLines: certificates.brokerLines())
        var secure = Self.options(broker, certificates)
        secure.host = "127.0.0.1"
        let recorder = Recorder()
        let connection = try recorder.connect(secure)
        try await eventually("refused") { recorder.states.count >= 2 }
        guard case .disconnected(let reason, _) = recorder.states[1] else {
            Issue.record("\(recorder.states)")
            return
        }
        #expect(reason.contains("host name verification failed") || reason.contains("certificate"), "\(reason)")
        await connection.stop()
        await broker.stop()
    }

    @Test func `an authority that nobody told of is not believed`() async throws {
        let directory = try TemporaryDirectory()
        let certificates = try await Certificates(in: directory.path)
        let broker = try await Broker.start(in: directory.path, extraLines: certificates.brokerLines())
        var secure = Self.options(broker, certificates)
        secure.tls = MQTTOptions.TLS()
        let recorder = Recorder()
        let connection = try recorder.connect(secure)
        try await eventually("refused") { recorder.states.count >= 2 }
        #expect(recorder.states[1].description.contains("certificate verify failed"), "\(recorder.states[1])")
        await connection.stop()
        await broker.stop()
    }

    @Test func `a broker that asks for a certificate takes the client's`() async throws {
        let directory = try TemporaryDirectory()
        let certificates = try await Certificates(in: directory.path)
        let broker = try await Broker.start(
            in: directory.path, extraLines: certificates.brokerLines(requireClient: true))
        var secure = Self.options(broker, certificates)
        let stranger = Recorder()
        let refused = try stranger.connect(secure)
        try await eventually("the stranger is refused") { stranger.states.count >= 2 }
        #expect(stranger.connections == 0)
        secure.clientID = "known"
        secure.tls?.certificateFile = certificates.client.certificate
        secure.tls?.keyFile = certificates.client.key
        let friend = Recorder()
        let accepted = try friend.connect(secure)
        try await eventually("the friend is accepted") { friend.connections == 1 }
        await refused.stop()
        await accepted.stop()
        await broker.stop()
    }

    @Test func `a key with a password fails at once instead of asking on the terminal`() async throws {
        let directory = try TemporaryDirectory()
        let certificates = try await Certificates(in: directory.path)
        let broker = try await Broker.start(in: directory.path, extraLines: certificates.brokerLines())
        var secure = Self.options(broker, certificates)
        secure.tls?.certificateFile = certificates.client.certificate
        secure.tls?.keyFile = try await certificates.encryptClientKey(to: "locked.key")
        let recorder = Recorder()
        let connection = try recorder.connect(secure)
        try await eventually("refused") { recorder.states.count >= 2 }
        #expect(recorder.states[1].description.contains("TLS"), "\(recorder.states[1])")
        await connection.stop()
        await broker.stop()
    }

    @Test func `files that cannot be read are refused by name`() throws {
        var secure = FieldTests.options(port: 1)
        secure.tls = MQTTOptions.TLS(authorityFile: "/nowhere/ca.pem")
        #expect(throws: MQTTError.badOption("/nowhere/ca.pem cannot be read: No such file or directory")) {
            _ = try Recorder().connect(secure)
        }
        secure.tls = MQTTOptions.TLS(certificateFile: "/dev/null")
        #expect(throws: MQTTError.badOption("a certificate file and a key file go together")) {
            _ = try Recorder().connect(secure)
        }
    }

    @Test(arguments: [MQTTOptions.Version.v311, .v5])
    func `a broker keeps the session and its messages while the client is away`(
        version: MQTTOptions.Version
    ) async throws {
        let directory = try TemporaryDirectory()
        let broker = try await Broker.start(in: directory.path)
        var kept = FieldTests.options(port: broker.port)
        kept.cleanSession = false
        kept.version = version
        let publisher = try Recorder().connect(FieldTests.options(port: broker.port))
        let before = Recorder()
        let first = try before.connect(kept)
        try first.subscribe([("kept/#", .atLeastOnce)])
        try await untilSubscribed(before, publisher, topic: "kept/probe")
        await first.stop()
        for number in 0..<20 {
            try publisher.publish(topic: "kept/\(number)", payload: [UInt8(number)], qos: .atLeastOnce)
        }
        #expect(await publisher.drained(within: 10_000))
        let after = Recorder()
        let second = try after.connect(kept)
        try await eventually("what was missed arrives") {
            after.messages.filter { $0.topic != "kept/probe" }.count >= 20
        }
        #expect(after.messages.filter { $0.topic != "kept/probe" }.map(\.payload) == (0..<20).map { [UInt8($0)] })
        #expect(after.states.contains(.connected(sessionPresent: true)))
        await second.stop()
        await publisher.stop()
        await broker.stop()
    }

    @Test func `version 5 has words for a refusal too`() async throws {
        let directory = try TemporaryDirectory()
        let passwords = directory.path + "/passwords"
        let file = try #require(fopen(passwords, "we"))
        fclose(file)
        let broker = try await Broker.start(
            in: directory.path, extraLines: ["allow_anonymous false", "password_file \(passwords)"])
        let recorder = Recorder()
        var login = FieldTests.options(port: broker.port)
        login.version = .v5
        (login.username, login.password) = ("nobody", Array("secret".utf8))
        let connection = try recorder.connect(login)
        try await eventually("refused") { recorder.states.count >= 2 }
        #expect(recorder.states[1].description.lowercased().contains("not authori"), "\(recorder.states[1])")
        await connection.stop()
        await broker.stop()
    }
}
