import Devices
import Metering
import Simulation
import Testing
import Timekeeping

/// The short way through a message, by a shape that was learned, gives what the long way gives.
@Suite struct ShapeTests {
    private static let seed: UInt64 = 0x54A9_2026

    /// Values that a device may print where another stood.
    private static let scalars = [
        "0", "-0", "7", "52", "-318.5", "0.0005", "231.4567", "1e3", "007", "1.", ".5", "null", "nan", "true", "\"\"",
        "\"52\"", "\" 52 \"", "\"nan\"", "\"a\\u0041\"", "\"é\"", "123456789012345678", "1234567890123456789", "85",
        "-",
        "[1,2,3]", "{}", "  9", "0.000", "99999999999999999.9", "\"2026-03-28T12:00:00Z\"", "1774740600.25", "\"ON\"",
    ]

    private static let messages = Shipped.catalog.profiles.flatMap(\.tests)
        .flatMap { test -> [(topic: String, payload: String)] in
            if case .messages(let messages) = test.input { return messages.map { ($0.topic, $0.payload) } }
            return []
        }

    /// The text with one of its scalars replaced.
    private static func vary(_ text: String, _ random: inout SplitMix64) -> String {
        let bytes = Array(text.utf8)
        let starts = bytes.indices.filter { bytes[$0] == UInt8(ascii: ":") || bytes[$0] == UInt8(ascii: "[") }
        guard let start = starts.randomElement(using: &random) else { return text }
        let end = bytes[(start + 1)...].firstIndex { ",}]".utf8.contains($0) } ?? bytes.count
        let scalar = scalars.randomElement(using: &random) ?? "0"
        return String(decoding: bytes[...start], as: UTF8.self) + scalar
            + String(decoding: bytes[end...], as: UTF8.self)
    }

    @Test func `a message read by its shape means what parsing it means`() {
        var random = SplitMix64(seed: Self.seed)
        let short = Decoding()
        let long = Decoding(learnsShapes: false)
        for round in 0..<6_000 {
            guard let (topic, payload) = Self.messages.randomElement(using: &random) else { return }
            // Often the same, so that shapes are learned.
            let text = Int.random(in: 0..<4, using: &random) == 0 ? payload : Self.vary(payload, &random)
            let retained = Int.random(in: 0..<8, using: &random) == 0
            for _ in 0..<2 {
                short.decode(topic, text, retained: retained)
                long.decode(topic, text, retained: retained)
                let isSame =
                    short.message.outcome == long.message.outcome && short.lines() == long.lines()
                    && short.message.noValueCount == long.message.noValueCount
                    && short.message.unknownCount == long.message.unknownCount && short.device() == long.device()
                guard isSame else {
                    Issue.record(
                        """
                        seed \(Self.seed), round \(round), \(topic) \(text):
                        \(short.message.outcome) \(short.lines()), by parsing \(long.message.outcome) \(long.lines())
                        """)
                    return
                }
            }
        }
    }

    @Test func `an amount that a sibling tells apart counts once, also when its shape is known`() {
        let decoding = Decoding()
        func lines(_ minute: Int, _ amount: String) -> [String] {
            decoding.decode(
                "plug/status/switch:0",
                ##"{"id":0,"apower":61.5,"aenergy":{"total":20417.336,"by_minute":[\##(amount),5],"minute_ts":\##(minute)}}"##
            )
            return decoding.lines().filter { $0.contains("delta") }
        }
        for minute in 0..<8 {
            #expect(lines(1_715_408_640 + 60 * minute, "1033.5") == ["0 energy_import_delta 1.034"])
            #expect(lines(1_715_408_640 + 60 * minute, "1033.5") == [])
        }
        #expect(lines(1_715_409_300, "2000") == ["0 energy_import_delta 2"])
    }

    @Test func `a value that its sibling calls invalid is still an error when it is no number`() {
        let decoding = Decoding()
        func noValues(_ power: String) -> [Int] {
            let message = decoding.decode(
                "shellies/shellyem3-1/info",
                #"{"emeters":[{"power":-5,"is_valid":true},{"power":\#(power),"is_valid":false}]}"#)
            return [message.noValueCount, message.errorCount]
        }
        for _ in 0..<4 { #expect(noValues("\"52\"") == [1, 0]) }
        #expect(noValues("\"soon\"") == [0, 1])
    }

    @Test func `a null where a number stood is no value, and the number is back with the next message`() {
        let decoding = Decoding()
        func lines(_ power: String) -> [String] {
            decoding.decode("tele/plug/SENSOR", #"{"ENERGY":{"Power":\#(power),"Voltage":230}}"#)
            return decoding.lines()
        }
        for _ in 0..<4 { #expect(lines("52") == ["total power 52", "total voltage 230"]) }
        #expect(lines("null") == ["total voltage 230"])
        #expect(lines("\"nan\"") == ["total voltage 230"])
        #expect(lines("-1.25") == ["total power -1.25", "total voltage 230"])
        #expect(lines("1e3") == ["total power 1000", "total voltage 230"])
    }
}
