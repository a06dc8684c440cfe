import ArgumentParser
import Simulation
import Timekeeping

/// A house in real time.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Live in a house: plugs and inverter over MQTT, grid meter over Modbus TCP.",
        discussion: "Prints `ready modbus=PORT devices=N` on stdout when all is up, then nothing until it ends.")

    @OptionGroup var options: HouseOptions
    @OptionGroup var broker: BrokerOptions
    @OptionGroup var live: LiveOptions

    func run() async throws {
        let command = self
        try await untilTerminated {
            let publisher = try await command.broker.connect(seed: command.options.seed)
            do {
                let now = SystemClock().now().wall
                let house = try command.options.house(bornAt: now, now: now)
                try await command.live.run(house, command.options, over: publisher)
            } catch {
                await publisher.close()
                throw error
            }
        }
    }
}

/// History first, then real time, over one connection: what a demo needs.
struct DemoHouseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-house", abstract: "Publish a house's last days, then live in it: history and run in one.",
        discussion: "Prints `ready modbus=PORT devices=N` on stdout when the history is out and the meter can be read.")

    @OptionGroup var options: HouseOptions
    @OptionGroup var broker: BrokerOptions
    @OptionGroup var pace: HistoryPace
    @OptionGroup var live: LiveOptions

    func run() async throws {
        let command = self
        try await untilTerminated {
            let publisher = try await command.broker.connect(seed: command.options.seed)
            do {
                let house = try await command.pace.publish(command.options, over: publisher)
                try await command.live.run(house, command.options, over: publisher)
            } catch {
                await publisher.close()
                throw error
            }
        }
    }
}
