import Foundation
import Testing

@testable import Timekeeping

struct ClockTests {
    @Test func `the clocks of the system are those of the machine`() throws {
        let clock = SystemClock()
        let before = Int64(Date().timeIntervalSince1970 * 1000)
        let first = clock.now()
        let second = clock.now()
        let after = Int64(Date().timeIntervalSince1970 * 1000)
        #expect((before - 1...after + 1).contains(first.wall.milliseconds))
        #expect(first.monotonic > 0 && first.monotonic <= second.monotonic)
        let uptime = try String(contentsOfFile: "/proc/uptime", encoding: .utf8).split(separator: " ")[0]
        // The file has hundredths of a second; the rest is what other work on the machine may cost in between.
        #expect(abs(try #require(Double(uptime)) * 1000 - Double(second.monotonic)) < 10_000)
        // Within a second the kernel is asked once, so both say the same.
        #expect(first.synchronized == second.synchronized)
    }

    @Test func `a boot has an id`() throws {
        let text = "0f3c9a1e-77b2-4d05-8e6a-1b2c3d4e5f60"
        let id = try #require(BootID(text: text + "\n"))
        #expect(id.description == text)
        #expect(id.bytes.count == 16 && id.bytes[0] == 0x0F && id.bytes[15] == 0x60)
        #expect(BootID(bytes: id.bytes) == id)
        #expect(BootID(text: text.uppercased()) == id)
        let current = try #require(BootID.current())
        #expect(BootID.current() == current)
        #expect(BootID.current(path: "/nonexistent") == nil && BootID.current(path: "/tmp") == nil)
    }

    @Test(arguments: [
        "", "0f3c9a1e", "0f3c9a1e-77b2-4d05-8e6a-1b2c3d4e5f6g", "0f3c9a1e-77b2-4d05-8e6a-1b2c3d4e5f6", "é",
        "0f3c9a1e077b2-4d05-8e6a-1b2c3d4e5f60", "0f3c9a1e-77b2-4d05-8e6a-1b2c3d4e5f601",
    ])
    func `what is no boot id is refused`(text: String) {
        #expect(BootID(text: text) == nil)
    }
}

struct ClockTrustTests {
    private let durable = time("2026-03-01T12:00:00Z")

    private func reading(_ wall: String, _ monotonic: Int64, synchronized: Bool = false) -> ClockReading {
        ClockReading(wall: time(wall), monotonic: monotonic, synchronized: synchronized)
    }

    @Test func `before synchronisation time is the last durable one and the age`() {
        var trust = ClockTrust(lastDurable: durable, start: reading("1970-01-01T00:00:10Z", 10_000))
        let stamp = trust.stamp(reading("1970-01-01T00:01:10Z", 70_000))
        #expect(stamp.time == time("2026-03-01T12:01:00.001Z"))
        #expect(stamp.basis == .placed && stamp.isFlagged)
        #expect(trust.restamp(monotonic: 70_000) == nil)
        // A wall clock ahead is not believed either.
        #expect(trust.stamp(reading("2030-01-01T00:00:00Z", 71_000)).time == time("2026-03-01T12:01:01.001Z"))
    }

    @Test func `once the clock is set, earlier facts get their true time`() {
        var trust = ClockTrust(lastDurable: durable, start: reading("1970-01-01T00:00:10Z", 10_000))
        _ = trust.stamp(reading("1970-01-01T00:01:10Z", 70_000))
        let stamp = trust.stamp(reading("2026-03-02T08:00:00Z", 100_000, synchronized: true))
        #expect(stamp.time == time("2026-03-02T08:00:00Z"))
        #expect(stamp.basis == .synchronized && !stamp.isFlagged)
        #expect(trust.restamp(monotonic: 70_000) == time("2026-03-02T07:59:30Z"))
        // The source of time may go away again.
        #expect(trust.stamp(reading("2026-03-09T08:00:00Z", 604_900_000)).basis == .synchronized)
    }

    @Test func `after fifteen minutes the wall clock is believed and flagged`() {
        var trust = ClockTrust(lastDurable: durable, start: reading("2026-03-02T00:00:00Z", 0))
        let before = trust.stamp(reading("2026-03-02T00:14:59.999Z", 899_999))
        #expect(before.basis == .placed && before.time == time("2026-03-01T12:15:00Z"))
        let after = trust.stamp(reading("2026-03-02T00:15:00Z", 900_000))
        #expect(after.basis == .believed && after.isFlagged && after.time == time("2026-03-02T00:15:00Z"))
    }

    @Test func `a restart of the daemon on a machine that is up for long does not shift readings`() {
        var trust = ClockTrust(lastDurable: durable, start: reading("2026-03-01T12:00:20Z", Span.day))
        let stamp = trust.stamp(reading("2026-03-01T12:00:21Z", Span.day + 1000))
        #expect(stamp.basis == .believed && stamp.isFlagged && stamp.time == time("2026-03-01T12:00:21Z"))
    }

    @Test func `a wall clock before what is stored is never believed`() {
        var trust = ClockTrust(lastDurable: durable, start: reading("1970-01-01T00:00:00Z", 0))
        let stamp = trust.stamp(reading("1970-01-01T01:00:00Z", Span.hour))
        #expect(stamp.basis == .placed && stamp.time == time("2026-03-01T13:00:00.001Z"))
    }

    @Test func `with an empty log there is only the wall clock`() {
        var trust = ClockTrust(lastDurable: nil, start: reading("2026-03-02T00:00:00Z", 0))
        let stamp = trust.stamp(reading("2026-03-02T00:00:01Z", 1000))
        #expect(stamp.basis == .believed && stamp.isFlagged && stamp.time == time("2026-03-02T00:00:01Z"))
    }

    @Test func `clocks that make no sense do not trap`() {
        var trust = ClockTrust(
            lastDurable: Timestamp(milliseconds: .max),
            start: ClockReading(wall: Timestamp(milliseconds: .min), monotonic: .max, synchronized: false))
        for wall: Int64 in [.min, 0, .max] {
            for monotonic: Int64 in [.min, 0, .max] {
                for synchronized in [false, true] {
                    _ = trust.stamp(
                        ClockReading(
                            wall: Timestamp(milliseconds: wall), monotonic: monotonic, synchronized: synchronized))
                    _ = trust.restamp(monotonic: .min)
                }
            }
        }
    }
}
