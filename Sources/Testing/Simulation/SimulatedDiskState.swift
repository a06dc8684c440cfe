import Disk
import Glibc

/// Files and names of a `SimulatedDisk`: what is on the medium, what the programs see, and the changes between.
struct SimulatedDiskState {
    struct Inode {
        var durable: [UInt8] = []
        var current: [UInt8] = []
        /// Writes since the last sync; an empty one stands for a new length.
        var pending: [(position: Int, bytes: [UInt8])] = []
    }

    enum NameChange {
        case add(String, Int)
        case rename(String, String, Int)
        case remove(String)
    }

    var inodes: [Int: Inode] = [:]
    var names: [String: Int] = [:]
    var durableNames: [String: Int] = [:]
    var nameChanges: [NameChange] = []
    var nextInode = 1
    /// Counts crashes; files opened before the last one are dead.
    var generation = 0
    var calls = 0
    var syncs = 0
    var bytesWritten = 0
    var fault: SimulatedDisk.Fault?
    var observer: SimulatedDisk.Observer?
    var capacity: Int?
    var lies = false

    private static let sector = 512

    mutating func begin(_ operation: DiskError.Operation, _ path: String) throws(DiskError) {
        defer { calls += 1 }
        if let errno = fault?(operation, path, calls) {
            throw DiskError(path: path, operation: operation, errno: errno)
        }
    }

    mutating func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> Int {
        if let inode = names[path] {
            if mode == .create {
                inodes[inode]?.current = []
                inodes[inode]?.durable = []
                inodes[inode]?.pending = []
            }
            return inode
        }
        guard mode == .create else { throw DiskError(path: path, operation: .open, errno: ENOENT) }
        let inode = nextInode
        nextInode += 1
        inodes[inode] = Inode()
        change(.add(path, inode))
        return inode
    }

    mutating func change(_ change: NameChange) {
        nameChanges.append(change)
        SimulatedDiskState.apply(change, to: &names)
        dropUnnamed()
    }

    private static func apply(_ change: NameChange, to names: inout [String: Int]) {
        switch change {
        case .add(let path, let inode): names[path] = inode
        case .rename(let old, let new, let inode):
            names[old] = nil
            names[new] = inode
        case .remove(let path): names[path] = nil
        }
    }

    mutating func syncNames() {
        syncs += 1
        if lies { return }
        durableNames = names
        nameChanges = []
        dropUnnamed()
    }

    /// Files that neither a crash nor a program can reach any more.
    private mutating func dropUnnamed() {
        guard inodes.count > 64 else { return }  // often enough
        var reachable = Set(names.values)
        reachable.formUnion(durableNames.values)
        for case .add(_, let inode) in nameChanges { reachable.insert(inode) }
        inodes = inodes.filter { reachable.contains($0.key) }
    }

    var bytesUsed: Int {
        Set(names.values).reduce(0) { $0 + (inodes[$1]?.current.count ?? 0) }
    }

    func hasRoom(for inode: Int, upTo end: Int) -> Bool {
        guard let capacity else { return true }
        let size = inodes[inode]?.current.count ?? 0
        return end <= size || bytesUsed + end - size <= capacity
    }

    mutating func write(_ bytes: [UInt8], at position: Int, to inode: Int) {
        bytesWritten += bytes.count
        inodes[inode]?.pending.append((position, bytes))
        SimulatedDiskState.put(bytes, at: position, into: &inodes[inode, default: Inode()].current)
    }

    private static func put(_ bytes: some Collection<UInt8>, at position: Int, into content: inout [UInt8]) {
        let end = position + bytes.count
        if content.count < end { content.append(contentsOf: repeatElement(0, count: end - content.count)) }
        content.replaceSubrange(position..<end, with: bytes)
    }

    mutating func sync(_ inode: Int) {
        syncs += 1
        if lies { return }
        guard var file = inodes[inode] else { return }
        file.durable = file.current
        file.pending = []
        inodes[inode] = file
    }

    mutating func put(_ bytes: [UInt8], at path: String) {
        let inode = nextInode
        nextInode += 1
        inodes[inode] = Inode(durable: bytes, current: bytes)
        names[path] = inode
        durableNames[path] = inode
    }

    mutating func change(_ path: String, _ body: (inout [UInt8]) -> Void) {
        guard let inode = names[path] else { return }
        var file = inodes[inode] ?? Inode()
        body(&file.current)
        body(&file.durable)
        inodes[inode] = file
    }

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
            if generator.chance(permille) { put([], at: write.position, into: &content) }
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
