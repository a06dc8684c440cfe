import Foundation
import Simulation
import Testing

@testable import Timekeeping

struct ZdumpTests {
    /// One line of `zdump -v`: an instant and what the zone's clocks show.
    private struct Line {
        let utc: Timestamp
        let local: String
        let abbreviation: String
        let isDaylight: Bool
        let offset: Int

        static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

        init?(_ text: Substring) {
            // Zone Sun Mar 25 00:59:59 2040 UT = Sun Mar 25 01:59:59 2040 CET isdst=0 gmtoff=3600
            let words = text.split(separator: " ")
            guard words.count == 16, let month = Line.months.firstIndex(of: String(words[2])),
                let day = Int(words[3]), let year = Int(words[5]),
                let date = CivilDate(year: year, month: month + 1, day: day)
            else { return nil }
            let clock = words[4].split(separator: ":").compactMap { Int64($0) }
            utc = Timestamp(
                seconds: date.daysSinceEpoch * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
            local = words[8...12].joined(separator: " ")
            abbreviation = String(words[13])
            isDaylight = words[14] == "isdst=1"
            offset = Int(words[15].dropFirst("gmtoff=".count))!
        }

        static func show(_ local: LocalTime) -> String {
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            return "\(weekdays[local.date.weekday - 1]) \(months[local.date.month - 1]) \(local.date.day) "
                + "\(two(local.hour)):\(two(local.minute)):\(two(local.second)) \(local.date.year)"
        }
    }

    @Test(arguments: fixtureZones, [false, true])
    func `every line of zdump is what the zone says`(name: String, slim: Bool) throws {
        let zone = try Fixture.zone(name, slim: slim)
        let text = try String(contentsOfFile: Fixture.path(name, "zdump"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        let parsed = lines.compactMap { Line($0) }
        // All but the four lines for the ends of time, which zdump cannot show.
        #expect(parsed.count == lines.count - 4)
        for line in parsed {
            let place = Comment(rawValue: "\(name) \(line.utc.rfc3339())")
            #expect(zone.offset(at: line.utc) == line.offset, place)
            #expect(zone.isDaylight(at: line.utc) == line.isDaylight, place)
            #expect(zone.abbreviation(at: line.utc) == line.abbreviation, place)
            #expect(Line.show(zone.local(at: line.utc)) == line.local, place)
        }
    }

    /// The C library reads the same bytes in a child, because the variable TZ is shared by all threads of a process.
    @Test(arguments: fixtureZones)
    func `random instants agree with the C library`(name: String) throws {
        let seed: UInt64 = 0x7A6F_6E65
        var random = SplitMix64(seed: seed)
        let zone = try Fixture.zone(name, slim: true)
        let instants = (0..<1000).map { _ in Int64.random(in: 0..<2_145_916_800, using: &random) }
        let input = FileManager.default.temporaryDirectory.appendingPathComponent("instants-\(UUID().uuidString)")
        try instants.map { "@\($0)\n" }.joined().write(to: input, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: input) }

        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/date")
        process.arguments = ["-f", input.path, "+%s %F %T %::z %Z"]
        process.environment = ["TZ": ":" + Fixture.path(name, "tzif"), "LC_ALL": "C"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()

        let expected = text.split(separator: "\n")
        #expect(expected.count == instants.count)
        for (instant, line) in zip(instants, expected) {
            let at = Timestamp(seconds: instant)
            let local = zone.local(at: at)
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            let distance = local.offset.magnitude
            let offset =
                (local.offset < 0 ? "-" : "+")
                + [distance / 3600, distance / 60 % 60, distance % 60].map { two(Int($0)) }.joined(separator: ":")
            let shown =
                "\(instant) \(local.date) \(two(local.hour)):\(two(local.minute)):\(two(local.second)) \(offset) "
                + zone.abbreviation(at: at)
            // `date` writes the offset of a place without a time of its own (abbreviation -00) as minus zero.
            #expect(shown == line.replacing(" -00:00:00 ", with: " +00:00:00 "), "\(name), seed \(seed)")
        }
    }

    @Test func `the rule goes on for ever`() throws {
        let berlin = try Fixture.zone("Europe/Berlin")
        #expect(berlin.offset(at: time("2101-07-01T00:00:00Z")) == 7200)
        #expect(berlin.offset(at: time("2639-03-31T00:59:59Z")) == 3600)
        #expect(berlin.offset(at: time("2639-03-31T01:00:00Z")) == 7200)
        #expect(berlin.offset(at: time("9999-12-31T23:59:59Z")) == 3600)
        #expect(berlin.offset(at: Timestamp(milliseconds: .min)) == 3208)
        #expect([3600, 7200].contains(berlin.offset(at: Timestamp(milliseconds: .max))))
        // Four hundred years are a whole number of weeks, so the rule repeats.
        let cycle = Timestamp(milliseconds: 146_097 * Span.day)
        for hour in 0..<9000 {
            let at = time("2050-01-01T00:00:00Z") + Int64(hour) * Span.hour
            #expect(berlin.offset(at: at) == berlin.offset(at: at + cycle.milliseconds))
        }
    }
}
