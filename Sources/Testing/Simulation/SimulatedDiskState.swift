import Disk
import Glibc

/// Files and names of a `SimulatedDisk`: what is on the medium, what the programs see, and the changes between.
struct SimulatedDiskState {
    struct Inode {
        var durable: [UInt8] = []
        var current: [UInt8] = []
        /// Writes since the last sync; an empty one stands for a new length.
        var pending: [(position: Int, bytes: [UInt8])] = []
        /// Where the medium has something else than what was written there.
        var damage: [Range<Int>] = []
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
    var bytesRead = 0
    var misconduct: DiskMisconduct?
    /// Files and names of a disk that is pulled.
    private var detached: (inodes: [Int: Inode], names: [String: Int])?
    var fault: SimulatedDisk.Fault?
    var observer: SimulatedDisk.Observer?
    var capacity: Int?
    var lies = false

    static let sector = 512
    private static let page = 4096

    mutating func begin(_ operation: DiskError.Operation, _ path: String) throws(DiskError) {
        defer { calls += 1 }
        if let errno = fault?(operation, path, calls) {
            throw DiskError(path: path, operation: operation, errno: errno)
        }
    }

    mutating func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> Int {
        if let inode = names[path] {
            if mode == .create {
                inodes[inode] = Inode()
            }
            return inode
        }
        // Under an empty mount point there are no directories either.
        guard mode == .create, detached == nil else { throw DiskError(path: path, operation: .open, errno: ENOENT) }
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

    static func apply(_ change: NameChange, to names: inout [String: Int]) {
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
        SimulatedDiskState.put(bytes[...], at: position, into: &inodes[inode, default: Inode()].current)
        let range = position..<position + bytes.count
        switch bytes.isEmpty ? nil : misconduct?.next() {
        case nil:
            inodes[inode]?.pending.append((position, bytes))
            // Written whole again, it is what it should be.
            inodes[inode]?.damage.removeAll { $0.lowerBound >= range.lowerBound && $0.upperBound <= range.upperBound }
        case .lost: noteDamage(inode, range)
        case .misdirected(let draw):
            noteDamage(inode, range)
            misdirect(bytes, draw)
        }
    }

    /// The bytes arrive on the medium in some file at some page; what the cache has of that place hides it until a
    /// crash.
    private mutating func misdirect(_ bytes: [UInt8], _ draw: UInt64) {
        let files = Set(names.values).sorted()
        guard !files.isEmpty else { return }
        let inode = files[Int(draw % UInt64(files.count))]
        let pages = (inodes[inode]?.durable.count ?? 0) / SimulatedDiskState.page
        guard pages > 0 else { return }
        let position = Int(draw >> 32 % UInt64(pages)) * SimulatedDiskState.page
        let count = min(bytes.count, (inodes[inode]?.durable.count ?? 0) - position)
        guard count > 0 else { return }
        SimulatedDiskState.put(bytes[..<count], at: position, into: &inodes[inode, default: Inode()].durable)
        noteDamage(inode, position..<position + count)
    }

    mutating func noteDamage(_ inode: Int, _ range: Range<Int>) { inodes[inode]?.damage.append(range) }

    var damage: [String: [Range<Int>]] {
        names.compactMapValues { inode in
            inodes[inode].flatMap { $0.damage.isEmpty ? nil : $0.damage }
        }
    }

    static func put(_ bytes: ArraySlice<UInt8>, at position: Int, into content: inout [UInt8]) {
        let end = position + bytes.count
        if content.count < end { content.append(contentsOf: repeatElement(0, count: end - content.count)) }
        content.withUnsafeMutableBytes { content in
            bytes.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: content[position..<end]).copyMemory(from: bytes)
            }
        }
    }

    func read(_ inode: Int, at position: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let content = inodes[inode]?.current, position < content.count else { return 0 }
        let count = min(buffer.count, content.count - position)
        content.withUnsafeBytes { content in
            buffer.copyBytes(from: content[position..<position + count])
        }
        return count
    }

    mutating func sync(_ inode: Int) {
        syncs += 1
        if lies { return }
        // Write by write: a copy of the whole content each time would be most of what a fuzzer does.
        let pending = inodes[inode]?.pending ?? []
        for write in pending {
            SimulatedDiskState.put(write.bytes[...], at: write.position, into: &inodes[inode, default: Inode()].durable)
        }
        inodes[inode]?.pending.removeAll(keepingCapacity: true)
    }

    mutating func detach() {
        generation += 1
        let files = inodes.mapValues { Inode(durable: $0.durable, current: $0.durable, damage: $0.damage) }
        detached = (files, durableNames)
        inodes = [:]
        names = [:]
        durableNames = [:]
        nameChanges = []
    }

    mutating func attach() {
        guard let detached else { return }
        generation += 1
        inodes = detached.inodes
        names = detached.names
        durableNames = detached.names
        nameChanges = []
        self.detached = nil
    }

    mutating func put(_ bytes: [UInt8], at path: String) {
        let inode = nextInode
        nextInode += 1
        inodes[inode] = Inode(durable: bytes, current: bytes)
        names[path] = inode
        durableNames[path] = inode
    }

    mutating func flipBit(_ path: String, at position: Int, bit: Int) {
        guard let inode = names[path], position < inodes[inode]?.current.count ?? 0 else { return }
        let mask: UInt8 = 1 << UInt8(bit & 7)
        let isDurable = position < inodes[inode]?.durable.count ?? 0
        inodes[inode]?.current[position] ^= mask
        if isDurable { inodes[inode]?.durable[position] ^= mask }
        noteDamage(inode, position..<position + 1)
    }
}
