import ArgumentParser
import Simulation
import Timekeeping

/// How a house lives in real time.
struct LiveOptions: ParsableArguments {
    @Option(help: "Port of the grid meter on 127.0.0.1, unit 1; 0 takes a free one.")
    var modbusPort: UInt16 = 0

    @Option(help: "Seconds between two messages of a device, 1 to 3600.")
    var interval: Int64 = 10

    @Option(help: "Seconds of the house in one second, 1 to 3600. Above 1 a plug uses more than it physically could.")
    var speed: Int64 = 1

    func validate() throws {
        try checkInterval(interval)
        guard (1...3600).contains(speed) else { throw ValidationError("--speed \(speed): must be 1 to 3600") }
    }

    /// Lives in `house` from now on, until cancelled; then says farewell and closes the connection.
    func run(_ house: House, _ options: HouseOptions, over publisher: HousePublisher) async throws {
        let clock = SystemClock()
        var house = house
        // What happened between the history's end and now happened unseen.
        house.advance(to: clock.now().wall)
        var feed = HouseFeed(house, intervalSeconds: interval)
        let modbus = try ModbusServer(port: modbusPort)
        modbus.addGridMeter(of: house)
        try await publisher.publish(feed.greeting())
        try await publisher.drain()
        print("ready modbus=\(modbus.port) devices=\(house.devices.count)")
        flushOutput()

        let began = (house: house.time, monotonic: clock.now().monotonic)
        do {
            while true {
                let elapsed = clock.now().monotonic - began.monotonic
                try await Task.sleep(for: .milliseconds(1000 - elapsed % 1000))
                let slot = Slot(containing: feed.house.time)
                let messages = feed.advance(
                    to: began.house + (clock.now().monotonic - began.monotonic) * speed)
                try publisher.offer(messages)
                modbus.show(feed.house)
                if Slot(containing: feed.house.time) != slot { try options.writeTruth(of: feed.house) }
            }
        } catch is CancellationError {
            await modbus.stop()
            try options.writeTruth(of: feed.house)
            await publisher.close(feed.farewell())
            if publisher.droppedMessages > 0 {
                complain("\(publisher.droppedMessages) messages were lost while the broker was away")
            }
        }
    }
}
