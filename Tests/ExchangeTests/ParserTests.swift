import Exchange
import Metering
import Simulation
import Testing
import Timekeeping

@Suite struct ParserTests {
    @Test func `csv is read by the names of its columns`() {
        let text = """
            \u{FEFF}Value,unit,note,time,quantity,device\r
            1.5,kWh,"a, note",2025-11-20T10:00:00+01:00,energy_import,"the ""big"" one"\r
            ,,,2026-11-20T09:00:00Z,power,washer

            42,,x,1763629200,power,washer
            42.125,W,x,1763629200250,power,washer
            """
        let parsed = Parsed(text, as: .csv)
        #expect(parsed.faults == [:])
        #expect(
            parsed.readings == [
                reading("the \"big\" one", .energyImport, 1_500_000, at: 1_763_629_200_000),
                reading("washer", .power, 42_000, at: 1_763_629_200_000),
                reading("washer", .power, 42_125, at: 1_763_629_200_250),
            ])
    }

    @Test(arguments: [
        ("2026-11-20 09:00,washer,total,power,1,W", "has a bad time, \"2026-11-20 09:00\""),
        ("2026-11-20T09:00:00Z,,total,power,1,W", "names no device"),
        ("2026-11-20T09:00:00Z,washer,TOTAL,power,1,W", "has a bad channel: \"TOTAL\""),
        ("2026-11-20T09:00:00Z,washer,total,leistung,1,W", "has a quantity that is not known: \"leistung\""),
        ("2026-11-20T09:00:00Z,washer,total,power,1;5,W", "has a value that is not a number: \"1;5\""),
        ("2026-11-20T09:00:00Z,washer,total,power,1e30,W", "has a value out of range"),
        ("2026-11-20T09:00:00Z,washer,total,power,1,V", "has power in \"V\", and its unit is W"),
        ("2026-11-20T09:00:00Z,washer,total,power,1", "has 5 cells and not 6 as the first line"),
        ("2026-11-20T09:00:00Z,\"washer,total,power,1,W", "has a cell whose quotes are not closed on it"),
        ("2026-11-20T09:00:00Z,\"washer\"x,total,power,1,W", "has text behind the closing quote of a cell"),
        ("-5,washer,total,power,1,W", "has a bad time"),
        ("1e40,washer,total,power,1,W", "has a time out of range"),
    ])
    func `a bad line of csv says what is wrong, and the next one counts`(_ line: String, _ fault: String) {
        let text = "time,device,channel,quantity,value,unit\n\(line)\n2026-11-20T09:00:00Z,washer,total,power,1,W"
        let parsed = Parsed(text, as: .csv)
        #expect(parsed.faults.keys.sorted() == [2])
        #expect(parsed.faults[2]?.hasPrefix(fault) == true, "\(parsed.faults)")
        #expect(parsed.readings.count == 1)
    }

    @Test func `a first line without the columns says which one is missing`() {
        #expect(Parsed("a,b\n", as: .csv).faults[1]?.hasPrefix("is the first and has no column time") == true)
        #expect(Parsed("time;value;quantity\n", as: .csv).faults[1]?.hasSuffix("separated by commas") == true)
        #expect(Parsed("time,time,value\n", as: .csv).faults[1] == "has two columns time")
    }

    @Test func `jsonl takes null as no value and leaves other members alone`() {
        let text = """
            {"time":"2026-11-20T09:00:00Z","device":"washer","quantity":"power","value":null}
            {"time":1763629200,"device":"washer","channel":"l1","quantity":"power","value":-1.5,"unit":"kW","x":[1]}
            {"time":"2026-11-20T09:00:00Z","quantity":"power","value":1}
            {"time":"2026-11-20T09:00:00Z","device":"washer","quantity":"power","value":"1"}
            {"time":"2026-11-20T09:00:00Z","device":"washer","quantity":"power"}
            [1]
            {"time"
            """
        let parsed = Parsed(text, as: .jsonl)
        #expect(
            parsed.readings == [
                reading("washer", .power, -1_500_000, at: 1_763_629_200_000, channel: Channel("l1") ?? .total)
            ])
        #expect(parsed.faults[3] == "names no device")
        #expect(parsed.faults[4] == "has a value that is not a number")
        #expect(parsed.faults[5] == "has no value")
        #expect(parsed.faults[6] == "is not a JSON object")
        #expect(parsed.faults[7]?.hasPrefix("is not JSON") == true)
        #expect(Parsed(text, as: .jsonl, device: "house").readings.map(\.device) == ["washer", "house"])
    }

    @Test func `line protocol is read in all its shapes`() {
        let text = """
            # a comment
            power,device=washer,channel=total value=231.5 1763629200000000000
            plug,device=the\\ big\\,\\ one voltage=230.1,power=5i,note="a, \\"b\\" c",firmware=7u,switch=true 1763629200250000000
            power value=1 1763629200000000000
            power,device=washer value=1
            cpu,device=washer usage=1 1763629200000000000
            power,device=washer value=abc 1763629200000000000
            power,device=washer value="open 1763629200000000000
            power,device=washer value=1 9999999999999999999999
            power,device= value=1 1763629200000000000
            power
            """
        let parsed = Parsed(text, as: .influx)
        #expect(
            parsed.readings == [
                reading("washer", .power, 231_500, at: 1_763_629_200_000),
                reading("the big, one", .voltage, 230_100, at: 1_763_629_200_250),
                reading("the big, one", .power, 5_000, at: 1_763_629_200_250),
                reading("the big, one", .switch, 1_000, at: 1_763_629_200_250),
            ])
        #expect(parsed.faults.keys.sorted() == [4, 5, 6, 7, 8, 9, 10, 11])
        #expect(parsed.faults[5] == "has no time at its end")
        #expect(parsed.faults[6]?.hasPrefix("has no quantity") == true)
        for (precision, count) in [(TimePrecision.s, "1763629200"), (.ms, "1763629200000"), (.us, "1763629200000000")] {
            let line = "power,device=washer value=231.5 \(count)"
            #expect(Parsed(line, as: .influx, precision: precision).readings == [parsed.readings[0]])
        }
    }

    /// The last line of a file that was cut, at each of its bytes.
    @Test func `a cut file of line protocol stores no wrong last reading`() {
        let line = Array("power,channel=total,device=washer value=231.5 1763629200000000000".utf8)
        for end in 1...line.count {
            var parser = ReadingParser(.influx)
            #expect(throws: LineFault.self) {
                try parser.parse(line[..<end], isCut: true) { _ in Issue.record("taken in at \(end)") }
            }
        }
        var parser = ReadingParser(.influx)
        var count = 0
        #expect(throws: Never.self) {
            try parser.parse(line) { _ in count += 1 }
            try parser.parse(Array("# a comment".utf8), isCut: true) { _ in }
        }
        #expect(count == 1)
    }

    @Test func `a first line without the columns is told once`() {
        var parser = ReadingParser(.csv)
        #expect(!parser.isWithoutColumns)
        #expect(throws: LineFault.self) { try parser.parse(Array("a,b".utf8)) { _ in } }
        #expect(parser.isWithoutColumns)
        let more = Parsed("a,b\ntime,quantity,value\n", as: .csv)
        #expect(more.faults[2] == "is not read, since the first line does not name the columns")
    }

    @Test func `a file's name tells its format by what is behind the last dot`() {
        #expect(ExchangeFormat(fileName: "/tmp/a.b/house.LP") == .influx)
        #expect(ExchangeFormat.ending(of: "/tmp/a.b/house") == nil)
        #expect(ExchangeFormat.ending(of: ".csv") == nil)
        #expect(ExchangeFormat.ending(of: "x.parquet") == "parquet")
        #expect(ExchangeFormat(fileName: "x.parquet") == nil)
    }

    @Test func `a line of a megabyte is refused`() {
        let line = [UInt8](repeating: UInt8(ascii: "1"), count: 1 << 20)
        for format in ExchangeFormat.allCases {
            #expect(Parsed(line, as: format).faults[1] == "is longer than 65536 bytes")
        }
    }

    /// No bytes may trap, and a reading that comes out is one that can be written and read again.
    @Test(arguments: [ExchangeFormat.csv, .jsonl, .influx])
    func `mutated files never trap and give only readings that can be written`(_ format: ExchangeFormat) {
        let seed: UInt64 = .random(in: 0 ... .max)
        var dice = SplitMix64(seed: seed)
        let clean = written(GoldenTests.sample, as: format)
        for _ in 0..<1_500 {
            var bytes = clean
            for _ in 0..<Int.random(in: 1...6, using: &dice) {
                let at = Int.random(in: 0..<bytes.count, using: &dice)
                switch Int.random(in: 0..<3, using: &dice) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &dice)
                case 1: bytes.remove(at: at)
                default: bytes.insert(Array(",=\" \\{}:0\n\r#e-".utf8).randomElement(using: &dice) ?? 0, at: at)
                }
            }
            let readings = Parsed(bytes, as: format).readings
            let again = Parsed(written(readings, as: format), as: format)
            guard again.faults.isEmpty, again.readings == readings else {
                Issue.record("seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
    }
}
