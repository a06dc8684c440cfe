import Foundation
import Metering
import Testing

@Suite struct ThousandthsTests {
    @Test func `text, floats and integers agree with an oracle in exact fractions`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/thousandths.csv")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(rows.count > 3000)
        for row in rows {
            let fields = row.split(separator: ",")
            let numerator = try #require(Int64(fields[2]))
            let denominator = try #require(Int64(fields[3]))
            let scale = try #require(Scale(numerator: numerator, denominator: denominator))
            let result: Int64?
            switch fields[0] {
            case "text": result = Thousandths.from(try #require(DecimalText(fields[1])), scale: scale)
            case "float":
                let bits = try #require(UInt64(fields[1], radix: 16))
                result = Thousandths.from(Double(bitPattern: bits), scale: scale)
            default: result = Thousandths.from(integer: try #require(Int64(fields[1])), scale: scale)
            }
            #expect(result.map(String.init) ?? "nil" == fields[4], "\(row)")
        }
    }

    @Test(arguments: [
        ("0", 0, 0), ("-0", 0, 0), ("007", 7, 0), ("1.", 1, 0), (".5", 5, -1), ("+5", 5, 0), ("-5.25", -525, -2),
        (" 12 ", 12, 0), ("\t12\r\n", 12, 0), ("1e3", 1, 3), ("1E+3", 1, 3), ("1.5e-3", 15, -4),
        ("1e999999", 1, 100_000),
        ("231.40", 23140, -2), ("000000000000000000000000000001", 1, 0),
    ]) func `a number is read as it is written`(text: String, mantissa: Int, exponent: Int) throws {
        let number = try #require(DecimalText(text))
        #expect(number == DecimalText(mantissa: Int128(mantissa), exponent: exponent))
        #expect(DecimalText(utf8: Array(text.utf8)) == number)
    }

    @Test(arguments: [
        "", " ", "-", "+", ".", "e5", "1e", "1e+", "1e1.5", "--1", "+-1", "- 1", "1 2", "1.2.3", "0x1F", "0x1p3",
        "1_000",
        "1,5", "1,234.5", "231.4 V", "231.4V", "nan", "NaN", "-nan", "inf", "Infinity", "null", "none", "None", "true",
        "ON",
        "unknown", "unavailable", "N/A", "\"1\"", "１２", "٣", "1\u{0}", "1\u{A0}", "−1", "½",
        String(repeating: "1", count: 65), String(repeating: " ", count: 64) + "1",
    ]) func `what is not exactly one number is refused`(text: String) {
        #expect(DecimalText(text) == nil)
    }

    @Test func `every string of three characters that matter is a number or is refused, and never traps`() {
        let characters = Array("0159.-+eE x,\n".utf8)
        for a in characters {
            for b in characters {
                for c in characters {
                    guard let number = DecimalText(utf8: [a, b, c]) else { continue }
                    let text = String(decoding: [a, b, c], as: UTF8.self).filter { !$0.isWhitespace }
                    let expected = Double(text).map { ($0 * 1000).rounded(.toNearestOrEven) }
                    #expect(Thousandths.from(number).map(Double.init) == expected, "\(text)")
                }
            }
        }
    }

    @Test func `floats that are no number, or out of range, are no value`() {
        for value in [Double.nan, .signalingNaN, .infinity, -.infinity, 1e300, -1e300, 9.3e15] {
            #expect(Thousandths.from(value) == nil)
        }
        #expect(Thousandths.from(-0.0) == 0)
        #expect(Thousandths.from(Double.leastNonzeroMagnitude) == 0)
    }

    @Test func `a kWh register of 32 bits keeps what its mantissa holds`() throws {
        let kilo = Scale(1000)
        #expect(Thousandths.from(Double(Float(1234.567)), scale: kilo) == 1_234_567_017)
        #expect(Thousandths.from(Double(Float(131_072.01)), scale: kilo) == 131_072_015_625)
        #expect(Thousandths.from(Double(Float(0.1)), scale: .one) == 100)
        #expect(Thousandths.from(try #require(DecimalText("1234.567")), scale: kilo) == 1_234_567_000)
        #expect(Thousandths.from(integer: 2314, scale: Scale(1, per: 10)) == 231_400)
        #expect(Thousandths.from(integer: 90, scale: Scale(1, per: 60)) == 1500)
    }

    @Test func `numbers built by hand cannot overflow`() {
        for exponent in [Int.min, -40, 0, 40, Int.max] {
            for mantissa in [Int128.min, -1, 1, .max] {
                _ = Thousandths.from(
                    DecimalText(mantissa: mantissa, exponent: exponent), scale: Scale(1_000_000_000_000))
            }
        }
    }

    @Test func `scales are read as decimals or fractions within their bounds`() {
        #expect(Scale(text: "0.1") == Scale(1, per: 10))
        #expect(Scale(text: "-0.001") == Scale(-1, per: 1000))
        #expect(Scale(text: "1/60") == Scale(1, per: 60))
        #expect(Scale(text: "1e3") == Scale(1000))
        #expect(Scale(text: "1000000000000") == Scale(1_000_000_000_000))
        for bad in [
            "", "0", "0/1", "1/0", "1/-2", "/", "1/", "/2", "1/2/3", "x", "1000000000001", "1e13", "1e-13",
            "9223372036854775808/1", "123456789012345678901234e12", "0.1.2",
        ] { #expect(Scale(text: bad) == nil, "\(bad)") }
    }

    @Test func `thousandths print with up to three places`() {
        let cases: [(Int64, String)] = [
            (0, "0"), (1, "0.001"), (-1, "-0.001"), (10, "0.01"), (100, "0.1"), (1000, "1"), (-1500, "-1.5"),
            (1_234_567, "1234.567"), (.max, "9223372036854775.807"), (.min, "-9223372036854775.808"),
        ]
        for (value, text) in cases {
            #expect(Thousandths.text(value) == text)
            #expect(DecimalText(text).flatMap { Thousandths.from($0) } == value)
        }
    }
}
