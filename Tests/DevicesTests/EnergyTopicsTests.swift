import Devices
import Metering
import Testing

/// Our own topics, as `EnergyTopics.md` promises them.
@Suite struct EnergyTopicsTests {
    @Test(arguments: [
        ("energy/boiler/total/power", "1234.5", "total power 1234.5"),
        ("energy/boiler/l1/voltage", " 230.1\n", "l1 voltage 230.1"),
        ("energy/boiler/0/energy_import", "\"1e3\"", "0 energy_import 1000"),
        ("energy/boiler/total/current", "0.0005", "total current 0"),
        ("energy/boiler/total/current", "0.0015", "total current 0.002"),
    ])
    func `a plain number is read to the thousandth, ties to even`(topic: String, payload: String, line: String) {
        let decoding = Decoding()
        #expect(decoding.decode(topic, payload).outcome == .readings)
        #expect(decoding.lines() == [line])
        #expect(decoding.decoder.address(of: decoding.message.device) == "mqtt:energy:boiler")
    }

    @Test(arguments: ["", "nan", "null", "None", "unavailable", "-", "\"\"", "-INF"])
    func `no value is nothing`(payload: String) {
        #expect(Decoding().decode("energy/boiler/total/power", payload).outcome == .nothing)
    }

    @Test(arguments: [
        ("energy/boiler/total/powr", "1", "no quantity is called `powr`; did you mean `power`?"),
        ("energy/boiler/total/gateway_messages", "1", "no quantity is called `gateway_messages`"),
        ("energy/boiler/L1/power", "1", "`L1` is no channel: 1 to 15 of a–z, 0–9 and _"),
        ("energy/boiler/total/power", "231,4", "`231,4` is not a number"),
        ("energy/boiler/total/power", "0x1F", "`0x1F` is not a number"),
        ("energy/boiler/total/power", "1 kW", "`1 kW` is not a number"),
        ("energy/boiler/total/power", "true", "`true` is not a number"),
        ("energy/boiler/total/power", "1e300", "is out of range"),
        ("energy/boiler/available", "yes", "`yes` is not one of the profile's words for online and offline"),
        ("energy/boiler", #"{"powr":1}"#, "no quantity is called `powr`; did you mean `power`?"),
        ("energy/boiler", #"{"l1":{"l2":{"power":1}}}"#, "no quantity is called `l2`"),
        ("energy/boiler", #"{"L1":{"power":1}}"#, "`L1` is no channel: 1 to 15 of a–z, 0–9 and _"),
        ("energy/boiler", #"{"power":[1,2]}"#, "is not a number"), ("energy/boiler", "[7]", "is not an object"),
        (
            "energy/boiler", #"{"time":"2026-03-29T02:30:00","power":1}"#,
            "`2026-03-29T02:30:00` is no time: RFC 3339 with an offset, or a Unix time"
        ),
    ])
    func `a mistake says what is wrong`(topic: String, payload: String, reason: String) {
        guard case .malformed(let error) = Decoding().decode(topic, payload).outcome else {
            Issue.record("not malformed")
            return
        }
        #expect(error.description == reason)
    }

    @Test(arguments: [
        (#""2026-03-29T01:30:00+02:00""#, " @1774740600000"), ("1774740600", " @1774740600000"),
        ("1774740600.25", " @1774740600250"), ("1774740600000", " @1774740600000"), ("12.5", " untrusted"),
        (#""2014-12-31T23:59:59Z""#, " untrusted"), (#""2015-01-01T00:00:00Z""#, " @1420070400000"),
        ("1774742701", " untrusted"),
    ])
    func `an object's time is told by form and size, and believed within bounds`(time: String, suffix: String) {
        let decoding = Decoding()
        decoding.decode("energy/boiler", #"{"power":1,"l1":{"power":2},"time":\#(time)}"#)
        #expect(decoding.lines() == ["total power 1\(suffix)", "l1 power 2\(suffix)"])
    }

    @Test func `an array brings history, and an object with a bad time is left out alone`() {
        let decoding = Decoding()
        let message = decoding.decode(
            "energy/boiler",
            #"[{"time":1774740600,"power":1},{"time":"soon","power":2},{"time":1774740660,"power":3},{"power":4}]"#)
        #expect(message.outcome == .readings)
        #expect(decoding.lines() == ["total power 1 @1774740600000", "total power 3 @1774740660000", "total power 4"])
        #expect(message.errors.map(\.field) == ["time"])
    }

    @Test func `a payload above the limit is refused unread`() {
        let payload = [UInt8](repeating: 0x20, count: MessageDecoder.maximumPayload + 1)
        #expect(
            Decoding().decode("energy/boiler", payload).outcome
                == .malformed(.payloadTooLarge(bytes: 262_145, maximum: 262_144)))
    }

    @Test(arguments: [("online", true), ("offline", false)])
    func `availability has a topic of its own`(payload: String, isUp: Bool) {
        #expect(Decoding().decode("energy/boiler/available", payload).outcome == .availability(isUp))
    }

    @Test func `the same message twice means the same, also when the topic is known`() {
        let decoding = Decoding()
        let first = decoding.decode("energy/boiler", #"{"time":1774740600,"power":1}"#)
        let samples = first.samples
        let second = decoding.decode("energy/boiler", #"{"time":1774740600,"power":1}"#)
        #expect(second.samples == samples)
        #expect(second.device == first.device)
    }

    @Test func `more topics than the cache holds keep their devices apart`() {
        let decoding = Decoding()
        var numbers: [Int] = []
        for round in 0..<2 {
            for i in 0..<10_000 {
                let message = decoding.decode("energy/d\(i)/total/power", "1")
                if round == 0 {
                    numbers.append(message.device)
                } else if message.device != numbers[i] {
                    Issue.record("device \(i) changed its number")
                    return
                }
            }
        }
        #expect(Set(numbers).count == 10_000)
    }

    @Test func `above the ceiling of devices the known ones go on`() {
        let decoding = Decoding()
        for i in 0..<MessageDecoder.maximumDevices { decoding.decode("energy/d\(i)/total/power", "1") }
        #expect(
            decoding.decode("energy/late/total/power", "1").outcome
                == .malformed(.tooManyDevices(maximum: MessageDecoder.maximumDevices)))
        #expect(decoding.decode("energy/d0/total/power", "1").outcome == .readings)
    }
}
