import Disk

/// A disk that confirms writes and does something else: firmware errors, as cards have them.
public struct DiskMisconduct: Sendable {
    enum Kind {
        case lost
        case misdirected(UInt64)
    }

    /// Of a thousand writes.
    private let lost: Int64
    private let misdirected: Int64
    private var generator: SplitMix64

    public init(seed: UInt64, lostPermille: Int64, misdirectedPermille: Int64) {
        generator = SplitMix64(seed: seed)
        lost = lostPermille
        misdirected = misdirectedPermille
    }

    /// What happens to the next write; nil: what should.
    mutating func next() -> Kind? {
        if generator.chance(lost) { return .lost }
        return generator.chance(misdirected) ? .misdirected(generator.next()) : nil
    }
}

extension SimulatedDiskState {
    mutating func crash(using generator: inout SplitMix64) {
        generation += 1
        // A journal keeps changes of names in their order, so what arrives is a beginning of them.
        let arrived = Int(generator.between(0, Int64(nameChanges.count)))
        for change in nameChanges[..<arrived] { SimulatedDiskState.apply(change, to: &durableNames) }
        nameChanges = []
        names = durableNames
        for inode in inodes.keys.sorted() {
            guard var file = inodes[inode] else { continue }
            let chance = [0, 100, 500, 900, 1000][Int(generator.between(0, 4))]
            for write in file.pending {
                SimulatedDiskState.arrive(write, in: &file.durable, Int64(chance), &generator)
            }
            file.pending = []
            file.current = file.durable
            inodes[inode] = file
        }
        let reachable = Set(names.values)
        inodes = inodes.filter { reachable.contains($0.key) }
    }

    /// Each sector of a write arrives `permille` times in a thousand.
    private static func arrive(
        _ write: (position: Int, bytes: [UInt8]), in content: inout [UInt8], _ permille: Int64,
        _ generator: inout SplitMix64
    ) {
        if write.bytes.isEmpty {
            if generator.chance(permille) { put([][...], at: write.position, into: &content) }
            return
        }
        var start = 0
        while start < write.bytes.count {
            let position = write.position + start
            let end = min(write.bytes.count, start + sector - position % sector)
            if generator.chance(permille) { put(write.bytes[start..<end], at: position, into: &content) }
            start = end
        }
    }
}
