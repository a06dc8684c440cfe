import Devices
import Modbus
import Testing

@testable import Intake

@Suite struct ModbusPlanTests {
    private func unit(interval: Int64, pause: Int64? = nil) throws -> BusPlan.Unit {
        let profile = try #require(ProfileCatalog.builtIn["eastron_sdm630"])
        let target = ModbusIntake.Target(name: "m", unit: 7, profile: profile, interval: interval, pause: pause)
        return ModbusDevice(target).plan
    }

    @Test func `the fast group has the interval, the others keep their proportion to it`() throws {
        // The profile states 2 s, 10 s and 60 s.
        #expect(try unit(interval: 1_000).groups.map(\.period) == [1_000_000, 5_000_000, 30_000_000])
        #expect(try unit(interval: 1).groups.map(\.period) == [100_000, 100_000, 100_000])
    }

    @Test func `the pause is the configured one, else the profile's`() throws {
        #expect(try unit(interval: 1_000).pause == 20_000)
        #expect(try unit(interval: 1_000, pause: 0).pause == 0)
    }

    @Test func `each block of the profile is one request, and may be cut between its registers`() throws {
        let profile = try #require(ProfileCatalog.builtIn["eastron_sdm630"])
        let map = try #require(profile.registers)
        let unit = try unit(interval: 1_000)
        #expect(unit.unit == 7)
        for (group, planned) in zip(map.groups, unit.groups) {
            let blocks = map.blocks(of: group.name)
            #expect(planned.blocks.map(\.range) == blocks.map { Int($0.address)..<Int($0.address) + $0.count })
            for (block, planned) in zip(blocks, planned.blocks) {
                #expect(planned.function == .input)
                // Nothing is decoded from the parts that the whole does not hold, and the other way round.
                var whole: [Sample] = []
                var parts: [Sample] = []
                let words = (0..<block.count).map { UInt16($0 % 2 == 0 ? 0x4300 : 0) + UInt16($0) }
                _ = map.decode(block, words: words, into: &whole)
                for span in planned.spans {
                    let part = RegisterBlock(
                        function: block.function, address: UInt16(span.lowerBound), count: span.count,
                        group: block.group)
                    let start = span.lowerBound - Int(block.address)
                    _ = map.decode(part, words: Array(words[start..<start + span.count]), into: &parts)
                }
                #expect(parts == whole)
            }
        }
    }

    @Test func `every built-in meter can be planned, each block within what one request carries`() {
        for profile in ProfileCatalog.builtIn.profiles where profile.registers != nil {
            let unit = ModbusDevice(.init(name: "m", unit: 1, profile: profile, interval: 10_000)).plan
            #expect(!unit.groups.isEmpty && unit.groups.allSatisfy { !$0.blocks.isEmpty }, "\(profile.name)")
            for block in unit.groups.flatMap(\.blocks) {
                #expect((1...125).contains(block.range.count), "\(profile.name)")
                for (one, next) in zip(block.spans, block.spans.dropFirst()) {
                    #expect(one.upperBound <= next.lowerBound, "\(profile.name)")
                }
            }
        }
    }
}
