import Devices
import Metering
import Simulation
import Testing

/// Seeded mutations: no bytes from outside may trap, and what was understood once is understood the same way again.
@Suite struct FuzzTests {
    private static let seed: UInt64 = 0x5EED_2026

    private static let recorded = Shipped.catalog.profiles.flatMap(\.tests)
        .flatMap { test -> [(topic: String, payload: String)] in
            if case .messages(let messages) = test.input { return messages.map { ($0.topic, $0.payload) } }
            return []
        }

    private static let seeds: [(topic: String, payload: String)] =
        recorded + [
            ("energy/a", #"[{"time":1774740600,"power":1},{"time":"2026-03-29T00:00:00Z","l1":{"power":null}}]"#),
            (
                "tele/a/SENSOR",
                #"{"ENERGY":{"Total":[1,2,3],"Voltage":[1,2,3],"ExportActive":nan},"A":{"Temperature":2}}"#
            ),
        ]

    private static func mutate(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where at < bytes.count: bytes[at] = UInt8.random(in: .min ... .max, using: &random)
            case 1 where at < bytes.count: bytes.remove(at: at)
            case 2: bytes.insert("{}[]\",:/-+.0e9n".utf8.randomElement(using: &random)!, at: at)
            case 3: bytes.removeSubrange(at...)
            default: bytes.insert(contentsOf: bytes.prefix(at).suffix(12), at: at)
            }
        }
        return bytes
    }

    @Test func `mutated messages never trap and mean the same to two decoders with the same past`() {
        var random = SplitMix64(seed: Self.seed)
        let (one, other) = (Decoding(), Decoding())
        for round in 0..<12_000 {
            let (topic, payload) = Self.seeds.randomElement(using: &random)!
            let mutated = Self.mutate(Array(payload.utf8), &random)
            let name =
                Bool.random(using: &random)
                ? topic
                : String(
                    decoding: Self.mutate(Array(topic.utf8), &random), as: UTF8.self)
            let retained = Bool.random(using: &random)
            let first = one.decode(name, mutated, retained: retained)
            let second = other.decode(name, mutated, retained: retained)
            #expect(
                first.samples == second.samples && first.outcome == second.outcome,
                "seed \(Self.seed), round \(round), \(name), \(mutated)")
            #expect(first.outcome != .readings || !first.samples.isEmpty)
        }
    }

    @Test func `any words decode without a trap, on every meter`() throws {
        var random = SplitMix64(seed: Self.seed)
        var samples: [Sample] = []
        for map in ProfileCatalog.builtIn.profiles.compactMap(\.registers) {
            for block in map.blocks() + map.blocks() {
                let count = Int.random(in: 0...125, using: &random)
                // Small words as well: they are codes, lengths and exponents.
                let limit: UInt16 = Bool.random(using: &random) ? 4 : .max
                let words = (0..<count).map { _ in UInt16.random(in: 0...limit, using: &random) }
                let near = UInt16(clamping: Int(block.address) + Int.random(in: -9...9, using: &random))
                let moved = RegisterBlock(function: block.function, address: near, count: count)
                samples.removeAll(keepingCapacity: true)
                _ = map.decode(block, words: words, into: &samples)
                var context = RegisterContext()
                context.note(.init(function: 3, address: near, words: words))
                let located = map.located(in: moved, words: words, context: context)
                _ = located.decode(moved, words: words, context: context, into: &samples)
                _ = map.decode(RegisterBlock(function: 4, address: 0xFFFF, count: count), words: words, into: &samples)
                for sample in samples { _ = Plausibility.check(sample.quantity, sample.value) }
            }
        }
    }

    @Test func `mutated profiles are read or refused`() {
        var random = SplitMix64(seed: Self.seed)
        let texts = [
            "kind = \"modbus\"\nname = \"m\"\nversion = 1\nfunction = 4\n[groups.a]\nperiod_ms = 100\n"
                + "[[register]]\naddress = 1\ntype = \"u16\"\nchannels = [\"l1\"]\nquantity = \"power\"\ngroup = \"a\"\n",
            "kind = \"modbus\"\nname = \"m\"\nversion = 1\nfunctions = [3, 4]\nbase = -1\n[groups.a]\nperiod_ms = 100\n"
                + "[blocks]\nwindow = 125\n[transformers]\ncurrent = { address = 9 }\n[defaults]\ngroup = \"a\"\n"
                + "type = \"u32\"\n[[register]]\naddress = 1\nquantity = \"power\"\nscale_register = 5\nminus = [7, 9]\n"
                + "when = [{ address = 3, mask = 7, is = [1, 2] }]\nplausible = [1, 5]\nscales = [\"0.1\"]\n",
            "kind = \"mqtt\"\nname = \"m\"\nversion = 1\n[[topic]]\npattern = \"a/{device+}/#\"\npayload = \"json\"\n"
                + "[[field]]\npath = \"a.*.b\"\nquantity = \"power\"\nscale = \"1/60\"\n",
        ]
        for _ in 0..<3_000 {
            let text = Self.mutate(Array(texts.randomElement(using: &random)!.utf8), &random)
            guard let profile = try? Profile(source: .init(file: "p", text: text)) else { continue }
            _ = ProfileCheck.failures(of: profile)
            _ = Decoding([profile]).decode("a/b/c", #"{"a":{"x":{"b":[1,2]}}}"#)
        }
    }
}
