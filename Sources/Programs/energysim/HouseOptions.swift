import ArgumentParser
import Simulation
import Timekeeping

/// Which house it is.
struct HouseOptions: ParsableArguments {
    @Option(help: "The same seed is the same house.")
    var seed: UInt64 = 1

    @Option(help: "Smart plugs, 1 to \(HouseSettings.maximumPlugs); a grid meter and an inverter are always there.")
    var plugs = 8

    @Option(help: "IANA zone of the house's clocks.")
    var zone = "Europe/Berlin"

    @Option(
        help: "When the house was born, RFC 3339. The same seed and start continue a history published earlier.",
        transform: { text in
            do {
                return try Timestamp(rfc3339: text)
            } catch {
                throw ValidationError("\(text): \(error)")
            }
        })
    var start: Timestamp?

    @Flag(inversion: .prefixedNo, help: "Wi-Fi drop-outs and restarts.")
    var faults = true

    @Option(help: "Write what really flowed, per device and 15 minutes, as JSON lines to this file.")
    var truth: String?

    func validate() throws {
        guard (1...HouseSettings.maximumPlugs).contains(plugs) else {
            throw ValidationError("--plugs \(plugs): must be 1 to \(HouseSettings.maximumPlugs)")
        }
    }

    /// The house, born at `start` or else at `birth`, to be lived in up to `now`. Reads the zone's file.
    func house(bornAt birth: Timestamp, now: Timestamp? = nil) throws -> House {
        if let start, let now, start > now || now - start > Int64(dayRange.upperBound) * Span.day {
            throw ValidationError("--start \(start.rfc3339()): must be in the last \(dayRange.upperBound) days")
        }
        var settings = HouseSettings(seed: seed)
        settings.plugs = plugs
        settings.faults = faults ? .seeded : .none
        do {
            let zone = try ZoneDirectory().zone(named: zone)
            settings.zoneOffset = { zone.offset(at: $0) }
        } catch {
            throw Failure("--zone \(zone): \(error)")
        }
        return House(settings, start: start ?? birth)
    }

    func writeTruth(of house: House) throws {
        guard let truth else { return }
        var file = try OutputFile(path: truth)
        for entry in house.truth(from: house.start, to: house.time) { try file.append(entry.jsonLine + "\n") }
        try file.finish()
    }
}

/// Days of history, as an option takes them.
let dayRange = 1...400

func checkDays(_ days: Int) throws {
    guard dayRange.contains(days) else { throw ValidationError("--days \(days): must be 1 to \(dayRange.upperBound)") }
}

func checkInterval(_ seconds: Int64) throws {
    guard (1...3600).contains(seconds) else { throw ValidationError("--interval \(seconds): must be 1 to 3600") }
}
