import Simulation
import Testing

@testable import Timekeeping

struct TZifTests {
    private func header(_ version: Character, times: UInt8, types: UInt8, names: UInt8, leaps: UInt8 = 0) -> [UInt8] {
        Array("TZif\(version)".utf8) + [UInt8](repeating: 0, count: 15)
            + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, leaps, 0, 0, 0, times, 0, 0, 0, types, 0, 0, 0, names]
    }

    /// A file with no transitions, only a footer.
    private func file(footer: String, version: Character = "3") -> [UInt8] {
        let type: [UInt8] = [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        let head = header(version, times: 0, types: 1, names: 4)
        return head + type + head + type + Array("\n\(footer)\n".utf8)
    }

    @Test func `a version 1 file has 32-bit times and no rule`() throws {
        var bytes = header("\0", times: 1, types: 2, names: 8)
        bytes += [0x40, 0, 0, 0, 1]
        bytes += [0, 0, 0x0E, 0x10, 0, 0, 0xFF, 0xFF, 0xF1, 0xF0, 1, 4]
        bytes += Array("ABC\0DEF\0".utf8)
        let zone = try Zone(name: "Old", bytes: bytes)
        let change = Timestamp(seconds: 0x4000_0000)
        #expect(zone.offset(at: change - 1) == 3600)
        #expect(zone.offset(at: change) == -3600)
        #expect(zone.abbreviation(at: change) == "DEF" && zone.isDaylight(at: change))
    }

    @Test func `a missing footer leaves the last type in force`() throws {
        let whole = try Fixture.bytes("Europe/Berlin")
        let footer = try #require(whole.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        let zone = try Zone(name: "Europe/Berlin", bytes: Array(whole[..<footer]))
        #expect(zone.offset(at: time("2030-07-01T00:00:00Z")) == 7200)
        #expect(zone.offset(at: time("2050-07-01T00:00:00Z")) == 3600)
    }

    @Test(arguments: [
        // Footer, instant, seconds east.
        ("<+0330>-3:30", "2026-01-01T00:00:00Z", 12_600),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600),
        ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", 7200),
        ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", 10_800),
        ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-26T23:59:59Z", 7200),
        ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 10_800),
        ("EST5EDT,0/0,J365/25", "2026-01-01T05:00:00Z", -14_400),
        ("EST5EDT,0/0,J365/25", "2026-12-31T23:00:00Z", -14_400),
        ("XXX0YYY,J60/0,J61/0", "2024-03-01T00:00:00Z", 3600),
        ("XXX0YYY,J60/0,J61/0", "2024-02-29T00:00:00Z", 0),
        ("XXX0YYY,59/0,60/0", "2024-02-29T00:00:00Z", 3600),
        ("XXX0YYY,59/0,60/0", "2023-03-01T00:00:00Z", 3600),
        ("XXX0YYY,J1/-167,J2/167", "2025-12-25T01:00:00Z", 3600),
        ("XXX0YYY,J1/-167,J2/167", "2025-12-25T00:59:59Z", 0),
    ])
    func `a rule says what goes after the table`(footer: String, at: String, offset: Int) throws {
        let zone = try Zone(name: "Made/Up", bytes: file(footer: footer))
        #expect(zone.offset(at: time(at)) == offset, "\(footer)")
    }

    @Test(arguments: [
        "AB1", "<ABC1", "CET", "CET-25", "CET-1:60", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1", "CET-1CEST,366,1",
        "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0x", "ABCDEFGHIJKLMNOPQ1",
    ])
    func `a wrong rule is an error with its place`(footer: String) throws {
        let error = #expect(throws: ZoneError.self) { try Zone(name: "Made/Up", bytes: file(footer: footer)) }
        guard case .badRule = try #require(error).reason, let offset = error?.offset else {
            Issue.record("\(String(describing: error))")
            return
        }
        let begin = file(footer: "").count - 1
        #expect((begin...begin + footer.utf8.count).contains(offset))
    }

    @Test func `errors name the zone, the place and what to do`() throws {
        func message(_ bytes: [UInt8]) -> String {
            do {
                _ = try Zone(name: "Europe/Berlin", bytes: bytes)
                return "no error"
            } catch {
                return error.description
            }
        }
        #expect(
            message(Array("hello".utf8))
                == "time zone \"Europe/Berlin\": the file is not a TZif file (at byte 0 of its file); "
                + "reinstall it: apt install --reinstall tzdata")
        #expect(message(header("\0", times: 0, types: 0, names: 1)).contains("counts in its header"))
        #expect(message(header("\0", times: 0, types: 1, names: 4)).contains("cut short (at byte 44"))
        let leap = header("\0", times: 0, types: 1, names: 4, leaps: 1) + [UInt8](repeating: 0, count: 18)
        #expect(message(leap).contains("leap seconds"))
        let disorder =
            header("\0", times: 2, types: 1, names: 4) + [0, 0, 0, 1, 0, 0, 0, 1, 0, 0]
            + [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        #expect(message(disorder).contains("not in order (at byte 48"))
        let far = header("\0", times: 0, types: 1, names: 4) + [0x7F, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        #expect(message(far).contains("local time type is damaged (at byte 44"))
    }

    @Test(arguments: fixtureZones)
    func `a file cut anywhere never traps`(name: String) throws {
        for slim in [false, true] {
            let whole = try Fixture.bytes(name, slim: slim)
            // From the whole file on, only the footer may be absent.
            var accepted = 0
            for length in 0..<whole.count {
                if let zone = try? Zone(name: name, bytes: Array(whole[..<length])) {
                    accepted += 1
                    exercise(zone, Timestamp(milliseconds: 1_700_000_000_000))
                }
            }
            #expect(accepted == 1, "\(name): only a missing footer may pass")
        }
    }

    @Test(arguments: 1...20)
    func `damaged and random bytes never trap`(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let names = fixtureZones
        var survivors = 0
        for round in 0..<300 {
            var bytes = try Fixture.bytes(names[round % names.count], slim: round % 3 != 0)
            if round % 10 == 0 {
                bytes = Array(bytes.prefix(44)) + (0..<400).map { _ in UInt8.random(in: 0...255, using: &random) }
            } else {
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    // The second header and the tail are where damage gets far.
                    let tail = Bool.random(using: &random) ? max(0, bytes.count - 60) : 0
                    bytes[Int.random(in: tail..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
            }
            guard let zone = try? Zone(name: "Damaged", bytes: bytes) else { continue }
            survivors += 1
            for time: Int64 in [.min, .min + 1, -1, 0, .max - 1, .max] { exercise(zone, Timestamp(milliseconds: time)) }
            for _ in 0..<5 {
                let time = Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<40, using: &random)
                exercise(zone, Timestamp(milliseconds: time))
            }
        }
        #expect(survivors > 0, "seed \(seed): no damaged file was accepted, so nothing was tried")
    }

    private func exercise(_ zone: Zone, _ at: Timestamp) {
        let local = zone.local(at: at)
        _ = zone.resolve(local.date, hour: local.hour, minute: local.minute)
        _ = zone.rfc3339(at)
        _ = zone.abbreviation(at: at)
        let today = zone.day(containing: at)
        #expect(zone.start(of: today) <= zone.end(of: today))
        #expect(zone.hourStart(containing: at) <= at)
        #expect(zone.nextHourStart(after: at) >= at)
        _ = zone.month(containing: at)
    }
}
