import Metering
import Simulation
import Testing
import Timekeeping

/// 2026-06-15T00:00:00Z, a Monday near midsummer: sun enough to export.
let midsummer = Timestamp(seconds: 1_781_481_600)

func house(seed: UInt64, plugs: Int = 8, faults: FaultPlan = .none, start: Timestamp = midsummer) -> House {
    var settings = HouseSettings(seed: seed)
    settings.plugs = plugs
    settings.faults = faults
    settings.zoneOffset = { _ in 7200 }
    return House(settings, start: start)
}

/// FNV-1a over 64 bits.
struct Fingerprint {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
}

/// Every reading of one day at five-minute steps, as text.
func day(of seed: UInt64) -> String {
    var house = house(seed: seed, faults: .seeded)
    var text = ""
    for step in 1...288 {
        house.advance(to: midsummer + Int64(step) * 5 * Span.minute)
        for index in house.devices.indices { house.appendReplayLines(of: index, to: &text) }
    }
    return text
}

@Suite struct HouseTests {
    /// The golden value is what this test printed on x86_64 Linux when it was written. It may change only together
    /// with a deliberate change of the house; a difference between platforms is a defect.
    @Test func `the same seed is the same house, byte for byte`() {
        let first = day(of: 7)
        #expect(first == day(of: 7))
        #expect(first != day(of: 8))
        var print = Fingerprint()
        print.add(first)
        #expect(print.value == 7_138_857_338_978_651_808)
    }

    @Test func `the pace of the advance changes nothing`() {
        var slow = house(seed: 3, faults: .seeded)
        var fast = slow
        for second in 1...7_200 { slow.advance(to: midsummer + Int64(second) * 1000 + 400) }
        fast.advance(to: midsummer + 7_200 * 1000)
        #expect(slow.time == fast.time)
        for index in slow.devices.indices {
            #expect(slow.readings(of: index) == fast.readings(of: index))
        }
        fast.advance(to: midsummer)
        #expect(slow.time == fast.time)
    }

    @Test func `a house with more plugs keeps those it had`() {
        var small = house(seed: 11, plugs: 3)
        var large = house(seed: 11, plugs: 12)
        small.advance(to: midsummer + 6 * Span.hour)
        large.advance(to: midsummer + 6 * Span.hour)
        #expect(large.devices.count == 14 && large.devices.last?.name == "tv2")
        for index in small.plugs.indices {
            #expect(small.plugs[index].load.energy == large.plugs[index].load.energy)
        }
        #expect(small.photovoltaics.milliwattHours == large.photovoltaics.milliwattHours)
        #expect(Set(large.devices.map(\.name)).count == large.devices.count)
    }

    @Test(arguments: [1, 2, 42] as [UInt64])
    func `energy is conserved to the milliwatt-hour over three days`(seed: UInt64) {
        var house = house(seed: seed, faults: .seeded)
        let before = house
        let end = midsummer + 3 * Span.day
        house.advance(to: end)

        func grid(_ house: House) -> Int64 {
            house.meter.total.importMilliwattHours - house.meter.total.exportMilliwattHours
        }
        func phases(_ house: House) -> Int64 {
            house.meter.phases.reduce(0) { $0 + $1.importMilliwattHours - $1.exportMilliwattHours }
        }
        func used(_ house: House) -> Int64 {
            house.plugs.reduce(0) { $0 + $1.load.energy.milliwattHours }
                + house.unmetered.reduce(0) { $0 + $1.energy.milliwattHours }
        }
        let net = grid(house) - grid(before)
        let yield = house.photovoltaics.milliwattHours - before.photovoltaics.milliwattHours
        #expect(net == used(house) - used(before) - yield, "seed \(seed)")
        #expect(net == phases(house) - phases(before), "seed \(seed)")

        let truth = house.truth(from: midsummer, to: end)
        #expect(truth.count == 3 * 96 * (house.devices.count + 1))
        #expect(truth.filter { $0.device == "grid" }.reduce(0) { $0 + $1.imported - $1.exported } == net)
        #expect(truth.filter { $0.device == "pv" }.reduce(0) { $0 + $1.produced } == yield)
        let sub = truth.filter { $0.device != "grid" && $0.device != "pv" }
        #expect(sub.reduce(0) { $0 + $1.imported } == used(house) - used(before))
    }

    @Test func `a counter is the integral of the power that was shown`() throws {
        var house = house(seed: 5)
        var joules: [Int64] = house.plugs.map { _ in 0 }
        let before = house
        for second in 1...86_400 {
            house.advance(to: midsummer + Int64(second) * 1000)
            for index in house.plugs.indices { joules[index] += house.plugs[index].load.milliwatts }
        }
        for index in house.plugs.indices {
            let rise = house.plugs[index].load.energy.milliwattHours - before.plugs[index].load.energy.milliwattHours
            #expect(rise == joules[index] / 3600, "\(house.devices[index + House.firstPlug].name)")
        }
    }

    @Test func `a day looks like a day in a home`() {
        var house = house(seed: 1)
        var noonExport = false
        var kettle: Int64 = 0
        var starts = 0
        var spikes = 0
        var running = false
        var (nightSun, brightest): (Int64, Int64) = (0, 0)
        var (lowest, highest): (Int64, Int64) = (.max, 0)
        for second in stride(from: 1, through: 3 * 86_400, by: 1) as StrideThrough<Int64> {
            house.advance(to: midsummer + second * 1000)
            let ofDay = second % 86_400
            if (10 * 3600...11 * 3600).contains(ofDay), house.meter.total.milliwatts < -500_000 { noonExport = true }
            let sun = house.photovoltaics.milliwatts
            if ofDay < 2 * 3600 || ofDay > 20 * 3600 + 1800 { nightSun = max(nightSun, sun) }
            brightest = max(brightest, sun)
            let fridge = house.plugs[0].load.milliwatts
            if fridge > 600_000 { spikes += 1 }
            if fridge > 50_000, !running { starts += 1 }
            running = fridge > 50_000
            kettle = max(kettle, house.plugs[2].load.milliwatts)
            for volts in house.supply.millivolts { (lowest, highest) = (min(lowest, volts), max(highest, volts)) }
        }
        #expect(nightSun == 0)
        #expect(brightest > 3_000_000 && brightest <= house.settings.photovoltaicLimit)
        #expect(lowest >= 228_000 && highest <= 236_000 && highest - lowest > 1_000)
        #expect(noonExport)
        #expect((3 * 20...3 * 60).contains(starts))
        #expect(spikes >= starts)
        #expect((1_900_000...2_100_000).contains(kettle))
    }
}
