import ArgumentParser
import Simulation
import Timekeeping

/// The last days of a house, published now.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Publish the last days of a house to energy/<device>, with their times.",
        discussion: "QoS 1; each hour waits for the broker's acknowledgements. Progress goes to stderr.")

    @OptionGroup var options: HouseOptions
    @OptionGroup var broker: BrokerOptions
    @OptionGroup var pace: HistoryPace

    func run() async throws {
        let command = self
        try await untilTerminated {
            let publisher = try await command.broker.connect(seed: command.options.seed)
            do {
                let house = try await command.pace.publish(command.options, over: publisher)
                try command.options.writeTruth(of: house)
                await publisher.close()
            } catch {
                await publisher.close()
                throw error
            }
        }
    }
}

/// How much history, and how fast.
struct HistoryPace: ParsableArguments {
    @Option(help: "Days of history, 1 to \(dayRange.upperBound).")
    var days = 1

    @Option(help: "Seconds between two readings of a series in the history, 1 to 3600.")
    var historyInterval: Int64 = 60

    @Option(help: "Messages per second at most: a broker drops what a slow subscriber leaves queued.")
    var historyRate = 200

    func validate() throws {
        try checkDays(days)
        guard (1...3600).contains(historyInterval) else {
            throw ValidationError("--history-interval \(historyInterval): must be 1 to 3600")
        }
        guard (1...100_000).contains(historyRate) else {
            throw ValidationError("--history-rate \(historyRate): must be 1 to 100000")
        }
    }

    /// Publishes the days up to now and returns the house as it stands then.
    func publish(_ options: HouseOptions, over publisher: HousePublisher) async throws -> House {
        let clock = SystemClock()
        let now = clock.now().wall
        let house = try options.house(bornAt: now - Int64(days) * Span.day, now: now)
        var history = HouseHistory(house, until: now, intervalSeconds: historyInterval)
        let began = clock.now().monotonic
        var (messages, bytes, hours) = (0, 0, 0)
        while let batch = history.nextHour() {
            try await publisher.publish(batch)
            try await publisher.drain()
            messages += batch.count
            bytes += batch.reduce(0) { $0 + $1.payload.utf8.count }
            hours += 1
            if hours % 24 == 0 { complain("history up to \(history.house.time.rfc3339()) published") }
            let ahead = Int64(messages) * 1000 / Int64(historyRate) - (clock.now().monotonic - began)
            if ahead > 0 { try await Task.sleep(for: .milliseconds(ahead)) }
            try Task.checkCancellation()
        }
        complain(
            "published history of \(house.devices.count) devices from \(house.start.rfc3339()) "
                + "to \(history.house.time.rfc3339()): \(messages) messages, \(bytes / 1024) KiB, "
                + "\(clock.now().monotonic - began) ms")
        return history.house
    }
}
