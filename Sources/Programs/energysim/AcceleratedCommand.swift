import ArgumentParser
import Simulation
import Timekeeping

/// A house on a simulated clock, in this process: a file for `energyctl replay`.
struct AcceleratedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accelerated", abstract: "Write days of a house's readings as JSON lines, at once.",
        discussion: """
            A line is {"time":…,"device":…,"channel":…,"quantity":…,"value":…}, as energyctl replay takes it. \
            Without --start the house is born on 2026-06-01T00:00:00Z, so that two runs give the same file.
            """)

    @OptionGroup var options: HouseOptions

    @Option(help: "Days to simulate, 1 to \(dayRange.upperBound).")
    var days = 1

    @Option(help: "Seconds between two readings of a series, 1 to 3600.")
    var interval: Int64 = 60

    @Option(name: .shortAndLong, help: "File to write; - is standard output.")
    var output = "-"

    func validate() throws {
        try checkDays(days)
        try checkInterval(interval)
    }

    func run() throws {
        var house = try options.house(bornAt: Timestamp(seconds: 1_780_272_000))
        var file = try OutputFile(path: output)
        let end = house.start + Int64(days) * Span.day
        while house.time < end {
            house.advance(to: min(end, house.time + interval * Span.second))
            var lines = ""
            for index in house.devices.indices { house.appendReplayLines(of: index, to: &lines) }
            try file.append(lines)
        }
        try file.finish()
        try options.writeTruth(of: house)
    }
}
