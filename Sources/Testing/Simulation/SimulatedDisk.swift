import Disk
import Glibc
import Synchronization

/// A disk in memory that forgets what was not synced, in the worst ways a real one has.
///
/// Between syncs it keeps every write apart. `crash` lets each 512-byte sector of each of them arrive or not, whatever
/// their order was, and the changes of names up to some point. What `File.sync` and `syncDirectory` confirmed stays,
/// unless `lies` is set. Faults come by `fail`, `capacity`, `detach`, `flipBit` and `misbehave`. Same calls and seeds
/// give the same bytes.
public final class SimulatedDisk: FileSystem {
    /// Asked before each call with its operation, its path and the number of calls before it: the error it is to give.
    public typealias Fault = @Sendable (DiskError.Operation, String, Int) -> CInt?
    /// Told of each write before it happens and of each sync that succeeded.
    public typealias Observer = @Sendable (Event) -> Void

    public enum Event: Sendable {
        case write(path: String, position: Int, count: Int)
        case synced(path: String)
    }

    private let state = Mutex(SimulatedDiskState())

    public init() {}

    /// Power fails now: open files are dead, and each unsynced sector is drawn from `generator`.
    public func crash(using generator: inout SplitMix64) {
        state.withLock { $0.crash(using: &generator) }
    }

    /// The process dies and the machine goes on: open files are dead, and all that was written is still there, on the
    /// medium or in the kernel's cache.
    public func kill() { state.withLock { $0.generation += 1 } }

    /// The disk is pulled: what was not synced is lost, open files are dead, and its place is empty until `attach`.
    public func detach() { state.withLock { $0.detach() } }
    /// It is back; what was put in its place meanwhile is gone from there.
    public func attach() { state.withLock { $0.attach() } }

    /// From now on the disk confirms some writes and puts them elsewhere, or nowhere; what the programs read shows it
    /// after the next crash. Nil: no more.
    public func misbehave(_ misconduct: DiskMisconduct?) { state.withLock { $0.misconduct = misconduct } }
    /// Where content is not what was written, by the file's name: from misconduct and `flipBit`.
    public var damage: [String: [Range<Int>]] { state.withLock { $0.damage } }

    /// Every call from now on is asked for its error; nil: none.
    public func fail(_ fault: Fault?) { state.withLock { $0.fault = fault } }
    public func observe(_ observer: Observer?) { state.withLock { $0.observer = observer } }
    /// The disk holds no more bytes than this.
    public func setCapacity(_ bytes: Int?) { state.withLock { $0.capacity = bytes } }
    /// While set, syncs succeed and do nothing, as some cards do.
    public func setLies(_ lies: Bool) { state.withLock { $0.lies = lies } }

    /// Damage that the disk does not notice: bit `bit` of the byte at `position`, on the medium and in the cache.
    public func flipBit(_ path: String, at position: Int, bit: Int) {
        state.withLock { $0.flipBit(path, at: position, bit: bit) }
    }

    /// What lies in the file now; nil where there is none.
    public func contents(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.inodes[$0]?.current } }
    }

    /// Puts a file there as if it had always been.
    public func put(_ bytes: [UInt8], at path: String) {
        state.withLock { $0.put(bytes, at: path) }
    }

    public var bytesUsed: Int { state.withLock { $0.bytesUsed } }
    public var calls: Int { state.withLock { $0.calls } }
    public var syncs: Int { state.withLock { $0.syncs } }
    public var bytesRead: Int { state.withLock { $0.bytesRead } }
    public var bytesWritten: Int { state.withLock { $0.bytesWritten } }

    public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any File {
        let (inode, generation) = try state.withLock { (state) throws(DiskError) in
            try state.begin(mode == .create ? .create : .open, path)
            return (try state.open(path, mode), state.generation)
        }
        return SimulatedFile(disk: self, path: path, inode: inode, generation: generation)
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in try state.begin(.create, path) }
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        try state.withLock { (state) throws(DiskError) in
            try state.begin(.list, directory)
            let prefix = directory + "/"
            let names = state.names.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            return names.filter { !$0.contains("/") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    public func rename(_ old: String, to new: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.begin(.rename, old)
            guard let inode = state.names[old] else {
                throw DiskError(path: old, operation: .rename, errno: ENOENT)
            }
            state.change(.rename(old, new, inode))
        }
    }

    public func remove(_ path: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.begin(.remove, path)
            guard state.names[path] != nil else {
                throw DiskError(path: path, operation: .remove, errno: ENOENT)
            }
            state.change(.remove(path))
        }
    }

    public func syncDirectory(_ directory: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.begin(.sync, directory)
            state.syncNames()
        }
    }

    public func space(_ path: String) throws(DiskError) -> DiskSpace {
        try state.withLock { (state) throws(DiskError) in
            try state.begin(.measure, path)
            let total = state.capacity ?? 1 << 40
            return DiskSpace(total: Int64(total), free: Int64(max(0, total - state.bytesUsed)))
        }
    }

    /// Runs `body` on an open file's content.
    fileprivate func withInode<Result: Sendable>(
        of file: SimulatedFile, _ operation: DiskError.Operation,
        _ body: (inout SimulatedDiskState, Int) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        try state.withLock { (state) throws(DiskError) in
            guard file.generation == state.generation else {
                throw DiskError(path: file.path, operation: operation, errno: EIO)
            }
            try state.begin(operation, file.path)
            return try body(&state, file.inode)
        }
    }
}

/// An open file of a `SimulatedDisk`; after a crash it gives `EIO` for ever.
private final class SimulatedFile: File {
    let disk: SimulatedDisk
    let path: String
    let inode: Int
    let generation: Int

    init(disk: SimulatedDisk, path: String, inode: Int, generation: Int) {
        self.disk = disk
        self.path = path
        self.inode = inode
        self.generation = generation
    }

    func read(at position: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        try disk.withInode(of: self, .read) { (state, inode) throws(DiskError) -> Int in
            let count = state.read(inode, at: Int(position), into: buffer)
            state.bytesRead += count
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(DiskError) {
        let copy = Array(bytes)
        try disk.withInode(of: self, .write) { (state, inode) throws(DiskError) in
            state.observer?(.write(path: path, position: Int(position), count: copy.count))
            guard state.hasRoom(for: inode, upTo: Int(position) + copy.count) else {
                throw DiskError(path: path, operation: .write, errno: ENOSPC)
            }
            state.write(copy, at: Int(position), to: inode)
        }
    }

    func preallocate(_ size: Int64) throws(DiskError) {
        try disk.withInode(of: self, .preallocate) { (state, inode) throws(DiskError) in
            guard state.hasRoom(for: inode, upTo: Int(size)) else {
                throw DiskError(path: path, operation: .preallocate, errno: ENOSPC)
            }
            state.write([], at: Int(size), to: inode)
        }
    }

    func sync() throws(DiskError) {
        try disk.withInode(of: self, .sync) { (state, inode) throws(DiskError) in
            state.sync(inode)
            state.observer?(.synced(path: path))
        }
    }

    func size() throws(DiskError) -> Int64 {
        try disk.withInode(of: self, .measure) { (state, inode) throws(DiskError) in
            Int64(state.inodes[inode]?.current.count ?? 0)
        }
    }

    func close() {}
}
