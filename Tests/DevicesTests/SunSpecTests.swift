import Devices
import Metering
import Simulation
import Testing

/// The walk along a chain of models, and where it puts a profile's registers.
@Suite struct SunSpecTests {
    /// A device that holds these words and refuses the rest.
    private struct Chain {
        var words: [Int: UInt16] = [:]

        init(at start: Int, _ models: [(id: UInt16, length: Int)]) {
            words[start] = 0x5375
            words[start + 1] = 0x6E53
            var next = start + 2
            for model in models {
                words[next] = model.id
                words[next + 1] = UInt16(model.length)
                for i in 0..<model.length { words[next + 2 + i] = 0 }
                next += 2 + model.length
            }
        }

        func answer(_ block: RegisterBlock) -> [UInt16]? {
            let found = (0..<block.count).compactMap { words[Int(block.address) + $0] }
            return found.count == block.count ? found : nil
        }

        func walk() -> SunSpecWalk {
            var walk = SunSpecWalk()
            while let request = walk.request { walk.take(answer(request)) }
            return walk
        }
    }

    @Test(arguments: [40000, 50000, 0])
    func `the chain is found at each of its places and walked to its end`(start: Int) {
        let walk = Chain(at: start, [(1, 66), (103, 50), (64_110, 7), (0xFFFF, 0)]).walk()
        #expect(walk.failure == nil)
        #expect(
            walk.models == [
                SunSpecModel(id: 1, address: UInt16(start + 2), length: 66),
                SunSpecModel(id: 103, address: UInt16(start + 70), length: 50),
                SunSpecModel(id: 64_110, address: UInt16(start + 122), length: 7),
            ])
    }

    @Test func `a chain that is broken keeps what it had, and says where it broke`() {
        #expect(Chain(at: 7, []).walk().failure == .noMarker)
        #expect(Chain(at: 40000, [(1, 66), (103, 0)]).walk().failure == .emptyModel(id: 103, address: 40070))
        let cut = Chain(at: 40000, [(1, 66)]).walk()
        #expect(cut.failure == .unanswered(address: 40070))
        #expect(cut.models.map(\.id) == [1])
        let long = Chain(at: 40000, [(UInt16, Int)](repeating: (7, 1), count: 61)).walk()
        #expect(long.failure == .tooManyModels(maximum: 60))
        #expect(long.models.count == 60)
        var over = Chain(at: 50000, [(1, 66)])
        over.words[50070] = 103
        over.words[50071] = 60_000
        #expect(over.walk().failure == .beyondTheEnd(id: 103, address: 50070))
    }

    @Test func `words from a hostile device end the walk, whatever they are`() {
        var random = SplitMix64(seed: 0x5EED_2026)
        for _ in 0..<2_000 {
            var walk = SunSpecWalk()
            var requests = 0
            while let request = walk.request {
                requests += 1
                #expect(Int(request.address) + request.count <= 0x10000)
                let isMarker = requests == 1 && Bool.random(using: &random)
                walk.take(
                    isMarker
                        ? [0x5375, 0x6E53]
                        : (0..<Int.random(in: 0...3, using: &random)).map { _ in
                            UInt16.random(in: 0...(Bool.random(using: &random) ? 200 : .max), using: &random)
                        })
                guard requests < 100 else {
                    Issue.record("no end after \(requests) requests")
                    break
                }
            }
        }
    }

    @Test func `a profile's registers stand where the chain says, and no longer than the model`() throws {
        let map = try #require(ProfileCatalog.builtIn["sunspec_103"]?.registers)
        let walk = Chain(at: 40000, [(1, 66), (101, 50), (0xFFFF, 0)]).walk()
        let located = try #require(map.located(in: walk.models))
        #expect(located.registers.first?.address == 40072)
        #expect(located.blocks(of: "fast").allSatisfy { $0.address >= 40072 && Int($0.address) + $0.count <= 40122 })
        #expect(map.located(in: [SunSpecModel(id: 1, address: 40002, length: 66)]) == nil)
        let strings = try #require(ProfileCatalog.builtIn["sunspec_160"]?.registers)
        let two = try #require(strings.located(in: [SunSpecModel(id: 160, address: 41_000, length: 48)]))
        #expect(Set(two.registers.map(\.channel.name)) == ["dc1", "dc2"])
    }

    @Test func `the second meter of a chain is one more device`() throws {
        let map = try #require(ProfileCatalog.builtIn["solaredge_meter"]?.registers)
        let chain = Chain(at: 40000, [(1, 65), (103, 50), (1, 65), (203, 105), (1, 65), (203, 105), (0xFFFF, 0)]).walk()
        #expect(map.located(in: chain.models)?.registers.first?.address == 40190)
        #expect(map.located(in: chain.models, skipping: 1)?.registers.first?.address == 40364)
        #expect(map.located(in: chain.models, skipping: 2) == nil)
    }

    @Test func `values and their scale factors come in one answer`() throws {
        for name in ["sunspec_103", "sunspec_203", "sunspec_160", "solaredge_meter", "fronius_meter"] {
            let map = try #require(ProfileCatalog.builtIn[name]?.registers)
            #expect(map.contextBlocks.isEmpty, "\(name)")
        }
    }

    @Test func `a power of 103 beside a scale factor of 1 is no model's header`() throws {
        let map = try #require(ProfileCatalog.builtIn["sunspec_103"]?.registers)
        let block = RegisterBlock(function: 3, address: 40083, count: 2)
        let located = map.located(in: block, words: [103, 1], context: RegisterContext())
        #expect(RegisterLanguageTests.decode(located, [103, 1], at: 40083) == ["total production_power 1030"])
    }

    @Test func `a device says who made it`() {
        func words(_ text: String, _ count: Int) -> [UInt16] {
            let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: 2 * count - text.utf8.count)
            return stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        }
        let model = words("Fronius", 16) + words("Symo 10.0-3-M  ", 16) + words("", 8) + words("3.19.7-1", 8)
        let common = SunSpecCommon(model + words("30157\u{1B}[31m", 16) + [1, 0x8000])
        #expect(common?.manufacturer == "Fronius" && common?.model == "Symo 10.0-3-M")
        #expect(common?.version == "3.19.7-1" && common?.serialNumber == "30157[31m")
        #expect(SunSpecCommon([1, 2, 3]) == nil)
    }
}
