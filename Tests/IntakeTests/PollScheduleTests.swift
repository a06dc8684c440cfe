import Devices
import Testing
import Timekeeping

@testable import Intake

@Suite struct PollScheduleTests {
    private func schedule(_ count: Int = 1, interval: Int64 = 1000) throws -> PollSchedule {
        let profile = try #require(ProfileCatalog.builtIn["eastron_sdm630"])
        let targets = (1...count).map {
            ModbusIntake.Target(name: "m\($0)", unit: UInt8($0), profile: profile, interval: interval)
        }
        return PollSchedule(targets, start: 0)
    }

    /// Groups read in `0 ..< end`, a read taking no time.
    private func run(_ schedule: inout PollSchedule, until end: Int64, answers: Bool = true) -> [String: Int] {
        var reads: [String: Int] = [:]
        while schedule.next < end {
            let now = schedule.next
            for due in schedule.takeDue(at: now) {
                reads["\(due.target) \(due.group)", default: 0] += 1
                schedule.note(due, answered: answers, at: now)
            }
        }
        return reads
    }

    @Test func `the fast group has the interval, the others keep their proportion to it`() throws {
        // The profile states 2 s, 10 s and 60 s.
        var schedule = try schedule()
        #expect(run(&schedule, until: 60_000) == ["0 fast": 60, "0 slow": 12, "0 detail": 2])
    }

    @Test func `a period that was missed is left out, not made up for`() throws {
        var schedule = try schedule()
        _ = schedule.takeDue(at: 0)
        let late = schedule.takeDue(at: 10_500)
        #expect(late.map(\.group) == ["fast", "slow"])
        #expect(schedule.next == 11_000)
    }

    @Test func `a silent device is asked less and less often, and at least once a minute`() throws {
        var schedule = try schedule()
        let reads = run(&schedule, until: 600_000, answers: false)
        let fast = try #require(reads["0 fast"])
        #expect(fast >= 9)
        #expect(fast < 40)
    }

    @Test func `a device that answers again is back in its schedule at once`() throws {
        var schedule = try schedule()
        _ = run(&schedule, until: 600_000, answers: false)
        let now = schedule.next
        let first = try #require(schedule.takeDue(at: now).first)
        schedule.note(first, answered: true, at: now)
        // Its counters too, which are in the slow groups.
        #expect(schedule.next == now)
        let reads = run(&schedule, until: now + 60_000)
        #expect(try #require(reads["0 fast"]) >= 59)
    }

    @Test func `a silent device does not slow the others down`() throws {
        var schedule = try schedule(2)
        var reads = [0, 0]
        while schedule.next < 60_000 {
            let now = schedule.next
            for due in schedule.takeDue(at: now) {
                if due.group == "fast" { reads[due.target] += 1 }
                schedule.note(due, answered: due.target == 1, at: now)
            }
        }
        #expect(reads[1] == 60)
        #expect(reads[0] < 15)
    }

    @Test func `nothing to read is due far away`() {
        #expect(PollSchedule([], start: 0).next > 1000 * Span.day)
    }
}
