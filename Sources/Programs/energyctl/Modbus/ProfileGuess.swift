import Devices
import Metering
import Modbus

/// Which profiles make sense on a unit: their registers can be read, and voltages and frequencies are those of a grid.
struct ProfileGuess {
    /// The likeliest first; those that say as much as it.
    private(set) var names: [String] = []
    /// What the likeliest reads, in a few words.
    private(set) var evidence: String?

    private static let maximumNames = 4

    init(_ access: BusAccess, unit: UInt8, wait: Int) throws {
        let profiles = ProfileCatalog.load(directories: ProfileCatalog.standardDirectories).0.profiles
        var answers = Answers(access, unit, wait)
        var found: [(score: Int, name: String, evidence: String)] = []
        let chain = try ProfileGuess.chain(&answers)
        for profile in profiles.sorted(by: { $0.name < $1.name }) {
            guard let registers = profile.registers else { continue }
            if registers.sunSpec != nil, chain.isEmpty { continue }
            guard let map = registers.located(in: chain), let group = map.groups.first else { continue }
            var samples: [Sample] = []
            var isWhole = true
            for block in map.blocks(of: group.name) {
                guard let words = try answers.words(block) else {
                    isWhole = false
                    break
                }
                if !map.decode(block, words: words, into: &samples).isEmpty { isWhole = false }
            }
            guard isWhole, let verdict = ProfileGuess.judge(samples) else { continue }
            // A device that says what it is is believed.
            found.append((verdict.score + (registers.sunSpec == nil ? 0 : 1_000), profile.name, verdict.evidence))
        }
        guard let best = found.map(\.score).max() else { return }
        names = found.filter { $0.score == best }.prefix(ProfileGuess.maximumNames).map(\.name)
        evidence = found.first { $0.score == best }?.evidence
    }

    /// Empty where it has no models.
    private static func chain(_ answers: inout Answers) throws -> [SunSpecModel] {
        var walk = SunSpecWalk()
        while let block = walk.request { walk.take(try answers.words(block)) }
        return walk.failure == nil ? walk.models : []
    }

    /// Nil where something is no grid's.
    private static func judge(_ samples: [Sample]) -> (score: Int, evidence: String)? {
        var score = 0
        var texts: [String] = []
        for sample in samples {
            let value = sample.value / 1_000
            switch sample.quantity {
            case .frequency:
                guard (45...65).contains(value) else { return nil }
                score += 10
                if texts.count < 3 { texts.append("\(Thousandths.text(sample.value)) Hz") }
            case .voltage:
                // A phase that is not connected shows next to nothing.
                if value == 0 { continue }
                guard (80...480).contains(value) || sample.channel.description.hasPrefix("dc") else { return nil }
                score += 10
                if texts.count < 3 { texts.append("\(Thousandths.text(sample.value)) V") }
            case .power, .current: score += value.magnitude < 1_000_000 ? 1 : -100
            default: break
            }
        }
        return score >= 10 ? (score, texts.joined(separator: ", ")) : nil
    }

    /// Reads each block once.
    private struct Answers {
        private let access: BusAccess
        private let unit: UInt8
        private let wait: Int
        private var known: [RegisterBlock: [UInt16]?] = [:]
        private var illegal: Set<UInt8> = []

        init(_ access: BusAccess, _ unit: UInt8, _ wait: Int) {
            (self.access, self.unit, self.wait) = (access, unit, wait)
        }

        mutating func words(_ block: RegisterBlock) throws -> [UInt16]? {
            if illegal.contains(block.function) { return nil }
            let key = RegisterBlock(function: block.function, address: block.address, count: block.count)
            if let answer = known[key] { return answer }
            let request = ModbusRequest(
                unit: unit, function: block.function == 3 ? .holding : .input, address: block.address,
                count: block.count)
            var words: [UInt16]?
            switch try access.read(request, wait: wait) {
            case .success(let read): words = read
            case .failure(let refusal):
                if refusal.kind == .unreachable { throw refusal.failure }
                if refusal.text.contains("illegal function") { illegal.insert(block.function) }
            }
            known[key] = .some(words)
            return words
        }
    }
}
