import ArgumentParser
import Glibc
import Simulation

/// Where the broker is.
struct BrokerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The MQTT broker; an IPv6 address in brackets.", valueName: "host:port"))
    var broker = "127.0.0.1:1883"

    @Option(help: "Seconds to wait for the broker at the start.")
    var connectTimeout = 10

    func validate() throws {
        _ = try address()
        guard (1...3600).contains(connectTimeout) else {
            throw ValidationError("--connect-timeout \(connectTimeout): must be 1 to 3600")
        }
    }

    /// A connection that the broker has accepted.
    func connect(seed: UInt64) async throws -> HousePublisher {
        let (host, port) = try address()
        let publisher = try HousePublisher(host: host, port: port, clientID: "energysim-\(getpid())", seed: seed)
        do {
            try await publisher.connect(within: connectTimeout * 1000)
        } catch {
            await publisher.close()
            throw error
        }
        return publisher
    }

    private func address() throws -> (host: String, port: UInt16) {
        guard let colon = broker.lastIndex(of: ":") else { return (broker, 1883) }
        var host = broker[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, let port = UInt16(broker[broker.index(after: colon)...]), port > 0 else {
            throw ValidationError("--broker \(broker): must be host:port, such as 127.0.0.1:1883")
        }
        return (String(host), port)
    }
}
