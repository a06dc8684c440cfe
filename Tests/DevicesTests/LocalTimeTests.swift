import Devices
import Testing
import Timekeeping

/// Times without an offset count only where the device's zone is known.
@Suite struct LocalTimeTests {
    private static func lines(_ time: String, received: Timestamp = Decoding.received) throws -> [String] {
        var settings = MessageSettings()
        settings.zones["mqtt:tasmota:plug"] = try ZoneDirectory().zone(named: "Europe/Berlin")
        let decoding = Decoding(settings: settings)
        decoding.received = received
        decoding.decode("tele/plug/SENSOR", #"{"Time":"\#(time)","ENERGY":{"Power":1}}"#)
        return decoding.lines()
    }

    @Test func `a configured zone makes an instant of it`() throws {
        #expect(try Self.lines("2024-05-11T08:20:00") == ["total power 1 @1715408400000"])
        #expect(try Self.lines("1970-01-01T00:03:07") == ["total power 1 untrusted"])
    }

    @Test func `the hour that comes twice is told by the receive time, and one that does not exist is not believed`()
        throws
    {
        // 27 October 2024, 02:30 at +02:00 and, an hour later, at +01:00.
        let first = Timestamp(milliseconds: 1_729_989_000_000)
        let second = first + Span.hour
        #expect(try Self.lines("2024-10-27T02:30:00", received: first + 2000) == ["total power 1 @1729989000000"])
        #expect(try Self.lines("2024-10-27T02:30:00", received: second + 2000) == ["total power 1 @1729992600000"])
        #expect(try Self.lines("2024-10-27T02:30:00", received: second + Span.day) == ["total power 1"])
        #expect(try Self.lines("2024-03-31T02:30:00") == ["total power 1"])
    }
}
