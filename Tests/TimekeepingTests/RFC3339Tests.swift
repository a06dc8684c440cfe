import Simulation
import Testing

@testable import Timekeeping

struct RFC3339Tests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-03-29T02:30:00+02:00", 1_774_744_200_000),
            ("2026-03-29t02:30:00.25+02:00", 1_774_744_200_250),
            ("2026-03-29 00:30:00z", 1_774_744_200_000),
            ("2026-03-28T21:00:00-03:30", 1_774_744_200_000),
            ("2026-03-29T00:30:00.123999999999Z", 1_774_744_200_123),
            ("2026-03-29T00:30:00-00:00", 1_774_744_200_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            // A leap second is the last millisecond of its day.
            ("2016-12-31T23:59:60Z", 1_483_228_799_999),
            ("2016-12-31T23:59:60.5Z", 1_483_228_799_999),
            ("2017-01-01T00:59:60+01:00", 1_483_228_799_999),
            ("2016-12-31T18:29:60-05:30", 1_483_228_799_999),
        ] as [(String, Int64)])
    func `a time is read`(text: String, milliseconds: Int64) throws {
        #expect(try Timestamp(rfc3339: text).milliseconds == milliseconds)
        #expect(try Timestamp(rfc3339: text[...]).milliseconds == milliseconds)
    }

    @Test(
        arguments: [
            ("", .digitExpected, 0),
            ("2026-3-29T02:30:00Z", .digitExpected, 6),
            ("2026/03/29T02:30:00Z", .separatorExpected, 4),
            ("2026-03-29", .separatorExpected, 10),
            ("2026-03-29_02:30:00Z", .separatorExpected, 10),
            ("2026-02-29T02:30:00Z", .noSuchDay, 0),
            ("2026-13-01T02:30:00Z", .noSuchDay, 0),
            ("2026-03-29T24:00:00Z", .noSuchTime, 11),
            ("2026-03-29T23:59:61Z", .noSuchTime, 11),
            ("2026-03-29T22:59:60Z", .noSuchTime, 17),
            ("2026-03-29T02:30:00", .offsetMissing, 19),
            ("2026-03-29T02:30:00.Z", .digitExpected, 20),
            ("2026-03-29T02:30:00+0200", .separatorExpected, 22),
            ("2026-03-29T02:30:00+24:00", .noSuchOffset, 19),
            ("2026-03-29T02:30:00Z ", .trailingText, 20),
            ("1969-12-31T23:59:59Z", .outOfRange, 0),
            ("9999-12-31T23:59:59-00:01", .outOfRange, 0),
            ("２026-03-29T02:30:00Z", .digitExpected, 0),
        ] as [(String, RFC3339Error.Reason, Int)])
    func `anything else is an error with its place`(text: String, reason: RFC3339Error.Reason, position: Int) {
        #expect(throws: RFC3339Error(reason: reason, position: position)) { try Timestamp(rfc3339: text) }
    }

    @Test func `a hostile text is looked at only so far`() {
        let text = "2026-03-29T02:30:00." + String(repeating: "1", count: 1_000_000) + "Z"
        #expect(throws: RFC3339Error(reason: .tooLong, position: 0)) { try Timestamp(rfc3339: text) }
    }

    @Test func `a time is printed at an offset`() {
        let at = Timestamp(milliseconds: 1_774_744_200_250)
        #expect(at.rfc3339() == "2026-03-29T00:30:00.250Z")
        #expect(at.rfc3339(milliseconds: .never) == "2026-03-29T00:30:00Z")
        #expect(at.rfc3339(offsetSeconds: 7200) == "2026-03-29T02:30:00.250+02:00")
        #expect(at.rfc3339(offsetSeconds: -12_600, milliseconds: .never) == "2026-03-28T21:00:00-03:30")
        #expect(Timestamp(milliseconds: 0).rfc3339() == "1970-01-01T00:00:00Z")
        #expect(Timestamp(milliseconds: 0).rfc3339(milliseconds: .always) == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: -1).rfc3339() == "1969-12-31T23:59:59.999Z")
    }

    @Test func `what the format cannot say is printed in UTC`() {
        let at = Timestamp(milliseconds: 0)
        #expect(at.rfc3339(offsetSeconds: 3208) == "1970-01-01T00:00:00Z")
        #expect(at.rfc3339(offsetSeconds: 86_400) == "1970-01-01T00:00:00Z")
        #expect(at.rfc3339(offsetSeconds: .min) == "1970-01-01T00:00:00Z")
        #expect(Timestamp.validRange.upperBound.rfc3339(offsetSeconds: 3600) == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .max).rfc3339() == "+292278994-08-17T07:12:55.807Z")
        #expect(Timestamp(milliseconds: .min).rfc3339() == "-292275055-05-16T16:47:04.192Z")
    }

    @Test(arguments: 1...5)
    func `what is printed reads back`(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        for _ in 0..<5000 {
            let at = Timestamp(milliseconds: Int64.random(in: 0...253_402_300_799_999, using: &random))
            let offset = Int.random(in: -93_600...93_600, using: &random) / (Bool.random(using: &random) ? 60 : 1) * 60
            let text = at.rfc3339(offsetSeconds: offset)
            if try Timestamp(rfc3339: text) != at { Issue.record("seed \(seed): \(text), offset \(offset)") }
        }
    }

    @Test(arguments: 1...5)
    func `damaged texts never trap`(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let alphabet = Array("0123456789-+:.TtZz 6".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("2016-12-31T23:59:60.123+00:00".utf8).prefix(Int.random(in: 0...29, using: &random))
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let anything = UInt8.random(in: 0...255, using: &random)
                bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                    Bool.random(using: &random) ? alphabet.randomElement(using: &random)! : anything
            }
            bytes.withUnsafeBytes { raw in
                guard let at = try? Timestamp(rfc3339: raw) else { return }
                if !Timestamp.validRange.contains(at) { Issue.record("seed \(seed): \(Array(raw))") }
            }
        }
    }
}

struct DurationTests {
    @Test(
        arguments: [
            ("0s", 0), ("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("1h30m", 5_400_000), ("7d", 604_800_000),
            ("2w", 1_209_600_000), ("1m500ms", 60_500), ("90m", 5_400_000),
        ] as [(String, Int64)])
    func `a duration is read and printed`(text: String, milliseconds: Int64) throws {
        #expect(try DurationText.parse(text) == milliseconds)
        #expect(try DurationText.parse(DurationText.format(milliseconds)) == milliseconds)
    }

    @Test(
        arguments: [
            ("", .empty), ("30", .unknownUnit), ("s", .numberExpected), ("-30s", .numberExpected),
            ("1.5h", .unknownUnit), ("15 m", .unknownUnit), ("30m1h", .unitOrder), ("1h1h", .unitOrder),
            ("15min", .unknownUnit), ("9223372036854775807w", .tooLarge), ("99999999999999999999s", .tooLarge),
            ("365251d", .tooLarge), ("52178w365249d", .tooLarge), ("1w1d1h1m1s1ms1111111111111111111111s", .tooLong),
        ] as [(String, DurationError.Reason)])
    func `anything else is an error that says why`(text: String, reason: DurationError.Reason) {
        let error = #expect(throws: DurationError.self) { try DurationText.parse(text) }
        #expect(error?.reason == reason)
    }

    @Test func `an error shows the text and the units`() {
        let error = DurationError(text: "15 min", reason: .unknownUnit)
        #expect(
            error.description
                == "\"15 min\" is not a duration (such as 500ms, 30s, 15m, 1h30m): the units are w, d, h, m, s and ms")
    }

    @Test func `durations print as people write them`() {
        #expect(DurationText.format(5_400_000) == "1h30m")
        #expect(DurationText.format(14 * Span.day) == "14d")
        #expect(DurationText.format(-1500) == "-1s500ms")
        #expect(DurationText.format(.min) == "-106751991167d7h12m55s808ms")
    }

    @Test func `a relative span goes back from now`() throws {
        #expect(try RelativeSpan("-24h").milliseconds == -Span.day)
        #expect(try RelativeSpan("-90m").before(Timestamp(milliseconds: 5_400_000)).milliseconds == 0)
        #expect(try RelativeSpan("-1h30m").milliseconds == -5_400_000)
        #expect(throws: DurationError(text: "24h", reason: .minusExpected)) { try RelativeSpan("24h") }
        #expect(throws: DurationError(text: "", reason: .empty)) { try RelativeSpan("-") }
        #expect(throws: DurationError(text: "-1h", reason: .numberExpected)) { try RelativeSpan("--1h") }
    }
}
