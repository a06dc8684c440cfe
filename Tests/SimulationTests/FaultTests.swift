import Metering
import Simulation
import Testing
import Timekeeping

@Suite struct FaultTests {
    private func at(_ seconds: Int64) -> Timestamp { midsummer + seconds * 1000 }

    @Test func `a silent plug says nothing and its counter catches up`() throws {
        let fault = Fault(device: "fridge", effect: .silent, from: at(600), until: at(1_200))
        var house = house(seed: 4, faults: .script([fault]))
        house.advance(to: at(599))
        #expect(!house.readings(of: House.firstPlug).isEmpty)
        let shown = try #require(house.plugs[0].shownMilliwattHours)
        house.advance(to: at(600))
        #expect(house.readings(of: House.firstPlug).isEmpty)
        house.advance(to: at(1_199))
        #expect(house.readings(of: House.firstPlug).isEmpty)
        house.advance(to: at(1_200))
        #expect(!house.readings(of: House.firstPlug).isEmpty)
        #expect(house.plugs[0].shownMilliwattHours == house.plugs[0].load.energy.milliwattHours)
        #expect(try #require(house.plugs[0].shownMilliwattHours) > shown)
    }

    @Test func `a restarted plug shows an old counter, or none, and then the right one`() {
        let faults = [
            Fault(device: "fridge", effect: .behind(milliwattHours: 5_000_000), from: at(100), until: at(140)),
            Fault(device: "kettle", effect: .zero, from: at(200), until: at(230)),
        ]
        var house = house(seed: 4, faults: .script(faults))
        for second in 1...400 as ClosedRange<Int64> {
            house.advance(to: at(second))
            let lag: Int64 = (100..<140).contains(second) ? 5_000_000 : 0
            let fridge = house.plugs[0]
            #expect(fridge.shownMilliwattHours == fridge.load.energy.milliwattHours - lag, "second \(second)")
            let kettle = house.plugs[2]
            let expected = (200..<230).contains(second) ? 0 : kettle.load.energy.milliwattHours
            #expect(kettle.shownMilliwattHours == expected, "second \(second)")
        }
    }

    @Test func `a volatile counter starts again from zero and stays there`() throws {
        let fault = Fault(device: "dehumidifier", effect: .reset, from: at(36_000), until: at(36_000))
        var house = house(seed: 4, faults: .script([fault]))
        let index = try #require(house.plugs.firstIndex { $0.device.counter == .volatile })
        house.advance(to: at(35_999))
        let before = try #require(house.plugs[index].shownMilliwattHours)
        #expect(before > 0)
        house.advance(to: at(36_000))
        #expect(house.plugs[index].shownMilliwattHours == 0)
        let used = house.plugs[index].load.energy.milliwattHours
        house.advance(to: at(80_000))
        #expect(house.plugs[index].shownMilliwattHours == house.plugs[index].load.energy.milliwattHours - used)
    }

    @Test func `one plug has no counter`() throws {
        var house = house(seed: 4)
        house.advance(to: at(60))
        let index = try #require(house.devices.firstIndex { $0.counter == .missing })
        #expect(house.readings(of: index).map(\.quantity) == [.power])
    }

    @Test func `seeded faults come every day and stay short of a confirmed reset`() {
        var house = house(seed: 9, faults: .seeded)
        var silent: Set<Int64> = []
        var glitch = 0
        var longest = 0
        var length = 0
        for second in stride(from: 1, through: 3 * 86_400, by: 1) as StrideThrough<Int64> {
            house.advance(to: at(second))
            if house.plugs.contains(where: \.isSilent) { silent.insert((second - 1) / 86_400) }
            let wrong = house.plugs.contains {
                $0.device.counter == .kept && $0.shownMilliwattHours != $0.load.energy.milliwattHours
            }
            length = wrong ? length + 1 : 0
            glitch += wrong ? 1 : 0
            longest = max(longest, length)
        }
        #expect(silent == [0, 1, 2])
        #expect(glitch > 0)
        #expect(longest < 60)
    }
}
