import Metering
import Testing

@Suite struct SeriesTableTests {
    private static func key(_ n: Int) -> SeriesKey {
        SeriesKey(device: DeviceID(high: UInt64(n % 7), low: UInt64(n)), channel: .total, quantity: .power)
    }

    @Test func `a table finds what two dictionaries would`() {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...9999, using: &generator)
        print("seed \(seed)")
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var table = SeriesTable()
        var keys: [Int: SeriesKey] = [:]
        var numbers: [SeriesKey: Int] = [:]
        for _ in 0..<4000 {
            let key = SeriesTableTests.key(next(900))
            let number = next(700)
            if let old = keys[number], old != key, numbers[old] == number { numbers[old] = nil }
            keys[number] = key
            numbers[key] = number
            table.set(number, to: key)
            let other = SeriesTableTests.key(next(900))
            #expect(table.number(of: key) == number && table.number(of: other) == numbers[other], "seed \(seed)")
            #expect(table[number] == key && table[number + 1] == keys[number + 1], "seed \(seed)")
        }
        for n in 0..<900 {
            #expect(table.number(of: SeriesTableTests.key(n)) == numbers[SeriesTableTests.key(n)], "seed \(seed)")
        }
        #expect(table.end == (keys.keys.max() ?? 0) + 1 && table[-1] == nil && table[table.end] == nil)
        #expect(table.ordered.map(\.key) == keys.values.sorted())
    }

    @Test func `appended series are numbered from 0`() {
        var table = SeriesTable()
        #expect(table.number(of: SeriesTableTests.key(0)) == nil)
        for n in 0..<3000 { #expect(table.append(SeriesTableTests.key(n)) == n) }
        #expect(table.number(of: SeriesTableTests.key(2999)) == 2999 && table.end == 3000)
    }
}
