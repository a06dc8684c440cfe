import ArgumentParser
import Glibc
import Modbus
import Simulation
import Timekeeping

/// Meters on a bus, with whatever can go wrong there.
struct ModbusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modbus", abstract: "Serve meters over Modbus TCP and a serial line, with scripted faults.",
        discussion: """
            Every unit is the grid meter of the house, an SDM630; --inverter adds its inverter, a SunSpec device. \
            Prints `ready modbus=PORT line=PATH units=N` on \
            stdout when all is up.

              energysim modbus --units 1-10 --line /tmp/line0 --baud 9600 --fault 3:silent --fault 5:late=400 \
            --fault 7:damaged@30

            A fault is UNIT:KIND, or UNIT:KIND@PERCENT for a share of the answers; kinds are \(ModbusFault.names). \
            SIGUSR1 pulls the line's adapter out and SIGUSR2 puts it back.
            """)

    @OptionGroup var options: HouseOptions

    @Option(help: "Port on 127.0.0.1; 0 takes a free one.")
    var port: UInt16 = 0

    @Option(help: "Units, such as 1-10.")
    var units = "1-10"

    @Option(help: "A unit beside them that is the house's inverter, with the SunSpec models 1 and 103.")
    var inverter: UInt8?

    @Option(help: "Make a serial line under this name too; it must not exist.")
    var line: String?

    @Option(help: "The line's speed; answers take as long as they would.")
    var baud = 9_600

    @Option(help: "How long a unit takes before it answers, in ms.")
    var latency = 10

    @Option(name: .customLong("fault"), help: "UNIT:KIND or UNIT:KIND@PERCENT; may be given several times.")
    var faults: [String] = []

    func validate() throws {
        let meters = try unitRange()
        if let inverter, !(1...247).contains(inverter) || meters.contains(inverter) {
            throw ValidationError("--inverter \(inverter): must be a unit within 1 to 247 beside those of --units")
        }
        for fault in faults { _ = try ModbusCommand.parse(fault) }
        guard (0...10_000).contains(latency) else { throw ValidationError("--latency must be 0 to 10000 ms") }
    }

    private func unitRange() throws -> ClosedRange<UInt8> {
        let ends = units.split(separator: "-", omittingEmptySubsequences: false).map { UInt8($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
            first >= 1, last <= 247
        else { throw ValidationError("--units \(units): must be such as 1-10, within 1 to 247") }
        return first...last
    }

    private static func parse(_ text: String) throws -> (unit: UInt8, fault: ModbusFault, permille: Int) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let halves = parts.count == 2 ? parts[1].split(separator: "@", omittingEmptySubsequences: false) : []
        let percent = halves.count == 2 ? Int(halves[1]) : 100
        guard (1...2).contains(halves.count), let unit = UInt8(parts[0]), let fault = ModbusFault(halves[0]),
            let percent, (1...100).contains(percent)
        else { throw ValidationError("--fault \(text): must be UNIT:KIND or UNIT:KIND@PERCENT; \(ModbusFault.names)") }
        return (unit, fault, percent * 10)
    }

    func run() async throws {
        let command = self
        try await untilTerminated {
            let server = try ModbusServer(port: command.port)
            var line: SerialLine?
            do {
                line = try command.line.map { try SerialLine(to: server, at: $0, baud: command.baud) }
                try await command.live(server, line)
            } catch {
                await line?.stop()
                await server.stop()
                throw error
            }
        }
    }

    private func live(_ server: ModbusServer, _ line: SerialLine?) async throws {
        let clock = SystemClock()
        var house = try options.house(bornAt: clock.now().wall)
        let units = try unitRange()
        for unit in units {
            server.addGridMeter(of: house, unit: unit)
            server.setLatency(latency, unit: unit)
        }
        if let inverter {
            server.addInverter(of: house, unit: inverter)
            server.setLatency(latency, unit: inverter)
        }
        for text in faults {
            let (unit, fault, permille) = try ModbusCommand.parse(text)
            server.setFault(fault, unit: unit, permille: permille, seed: options.seed)
        }
        let plugging = line.map { PlugSignals($0) }
        defer { plugging?.cancel() }
        print("ready modbus=\(server.port) line=\(line?.path ?? "-") units=\(units.count + (inverter == nil ? 0 : 1))")
        flushOutput()
        while true {
            try await Task.sleep(for: .seconds(1))
            house.advance(to: clock.now().wall)
            for unit in units { server.show(house, unit: unit) }
            if let inverter { server.showInverter(of: house, unit: inverter) }
        }
    }
}
