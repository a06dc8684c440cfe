import ArgumentParser
import Simulation
import Timekeeping

/// A flood of plug messages, for benches and tests.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Publish many Tasmota SENSOR messages: load for a broker and its readers.",
        discussion: "Ends with one line of JSON on stdout: messages, seconds, rate.")

    @OptionGroup var broker: BrokerOptions

    @Option(help: "Messages to publish, 1 to 100000000.")
    var count = 100_000

    @Option(help: "Messages per second; 0 is as fast as the broker takes them.")
    var rate = 0

    @Option(help: "0 or 1.")
    var qos: Int32 = 0

    @Option(help: "Plugs that take turns, 1 to 100000: load1, load2, …")
    var plugs = 50

    func validate() throws {
        guard (1...100_000_000).contains(count) else { throw ValidationError("--count: must be 1 to 100000000") }
        guard (0...1_000_000).contains(rate) else { throw ValidationError("--rate: must be 0 to 1000000") }
        guard qos == 0 || qos == 1 else { throw ValidationError("--qos: must be 0 or 1") }
        guard (1...100_000).contains(plugs) else { throw ValidationError("--plugs: must be 1 to 100000") }
    }

    func run() async throws {
        let command = self
        try await untilTerminated {
            let publisher = try await command.broker.connect(seed: 1)
            do {
                try await command.flood(publisher)
                await publisher.close()
            } catch {
                await publisher.close()
                throw error
            }
        }
    }

    private func flood(_ publisher: HousePublisher) async throws {
        let clock = SystemClock()
        let started = clock.now()
        let flood = PlugFlood(plugs: plugs, start: started.wall)
        var sent = 0
        while sent < count {
            let now = clock.now()
            // In steps of a tenth of a second when paced, else as many as fit the queue.
            let due = rate == 0 ? sent + 500 : Int((now.monotonic - started.monotonic) * Int64(rate) / 1000) + 1
            let until = min(count, due, sent + 5_000)
            if until > sent {
                let batch = (sent..<until).map { flood.message($0, at: now.wall) }
                try await publisher.publish(batch, atLeastOnce: qos == 1)
                sent = until
            }
            if rate > 0, sent < count { try await Task.sleep(for: .milliseconds(rate > 200 ? 5 : 50)) }
            try Task.checkCancellation()
        }
        try await publisher.drain()
        let milliseconds = max(1, clock.now().monotonic - started.monotonic)
        print("{\"messages\":\(sent),\"milliseconds\":\(milliseconds),\"rate\":\(Int64(sent) * 1000 / milliseconds)}")
    }
}
