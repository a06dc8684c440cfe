import Glibc
import Synchronization

/// A file system that reads from another one and keeps every change in memory: a store that is opened on it does all
/// that opening does, and the disk stays as it is. What it would have changed is in `changes`.
///
/// A write costs memory, bounded by `limit`; beyond it the disk counts as full. Any thread.
public final class OverlayFileSystem: FileSystem {
    /// What would have happened on the disk.
    public enum Change: Hashable, Sendable, CustomStringConvertible {
        case create(String)
        /// Bytes written into a file that was there.
        case write(String, bytes: Int64)
        case rename(String, to: String)
        case remove(String)
        case createDirectory(String)

        public var description: String {
            switch self {
            case .create(let path): "make \(path)"
            case .write(let path, let bytes): "write \(bytes) bytes into \(path)"
            case .rename(let old, let new): "rename \(old) to \(new)"
            case .remove(let path): "remove \(path)"
            case .createDirectory(let path): "make the directory \(path)"
            }
        }
    }

    private struct State {
        /// Files that differ from the disk by name or content; nil inside: no longer there.
        var files: [String: OverlayFile?] = [:]
        var directories: Set<String> = []
        var changes: [Change] = []
        var bytes: Int64 = 0
    }

    private let base: any FileSystem
    private let limit: Int64
    private let state = Mutex(State())

    public init(over base: any FileSystem, limit: Int64 = 256 << 20) {
        self.base = base
        self.limit = limit
    }

    /// In the order in which they would have happened; writes into one file in a row are one.
    public var changes: [Change] { state.withLock { $0.changes } }

    public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any File {
        if mode == .create {
            let isNew = try !exists(path)
            let file = OverlayFile(path, over: nil, size: 0, note: note)
            state.withLock { state in
                state.files[path] = file
                state.changes.append(isNew ? .create(path) : .write(path, bytes: 0))
            }
            return file
        }
        return try file(path)
    }

    private func exists(_ path: String) throws(DiskError) -> Bool {
        if let known = state.withLock({ $0.files[path] }) { return known != nil }
        do throws(DiskError) {
            try base.open(path, .read).close()
            return true
        } catch {
            if error.isMissing { return false }
            throw error
        }
    }

    private func file(_ path: String) throws(DiskError) -> OverlayFile {
        if let known = state.withLock({ $0.files[path] }) {
            guard let known else { throw DiskError(path: path, operation: .open, errno: ENOENT) }
            return known
        }
        let below = try base.open(path, .read)
        let file = OverlayFile(path, over: below, size: try below.size(), note: note)
        // Kept only once it is written to: a file that is only read must not stay open.
        return file
    }

    /// A file was written to for the first time or again.
    private func note(_ file: OverlayFile, _ bytes: Int64) throws(DiskError) {
        let path = file.path
        let isFull = state.withLock { state in
            guard state.bytes + bytes <= limit else { return true }
            state.bytes += bytes
            state.files[path] = file
            if case .write(path, let before)? = state.changes.last {
                state.changes[state.changes.count - 1] = .write(path, bytes: before + bytes)
            } else if !state.changes.contains(.create(path)) {
                state.changes.append(.write(path, bytes: bytes))
            }
            return false
        }
        if isFull { throw DiskError(path: path, operation: .write, errno: ENOSPC) }
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        do throws(DiskError) {
            _ = try base.list(path)
        } catch {
            guard error.isMissing else { throw error }
            state.withLock { state in
                if state.directories.insert(path).inserted { state.changes.append(.createDirectory(path)) }
            }
        }
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        var names: Set<String> = []
        do throws(DiskError) {
            names = Set(try base.list(directory))
        } catch {
            guard error.isMissing, state.withLock({ $0.directories.contains(directory) }) else { throw error }
        }
        for (path, file) in state.withLock({ $0.files }) where AtomicFile.directory(of: path) == directory {
            let name = String(path.dropFirst(directory.count + 1))
            if file == nil { names.remove(name) } else { names.insert(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func rename(_ old: String, to new: String) throws(DiskError) {
        let moved = try file(old)
        moved.move(to: new)
        state.withLock { state in
            state.files[new] = moved
            state.files[old] = .some(nil)
            state.changes.append(.rename(old, to: new))
        }
    }

    public func remove(_ path: String) throws(DiskError) {
        guard try exists(path) else { throw DiskError(path: path, operation: .remove, errno: ENOENT) }
        state.withLock { state in
            state.files[path] = .some(nil)
            state.changes.append(.remove(path))
        }
    }

    public func syncDirectory(_ directory: String) throws(DiskError) {}

    public func space(_ path: String) throws(DiskError) -> DiskSpace { try base.space(path) }
}

/// A file of which the changed pages are in memory.
private final class OverlayFile: File {
    private static let page: Int64 = 4096

    private struct State {
        var path: String
        var size: Int64
        var pages: [Int64: [UInt8]] = [:]
    }

    private let below: (any File)?
    private let note: @Sendable (OverlayFile, Int64) throws(DiskError) -> Void
    private let state: Mutex<State>

    init(
        _ path: String, over below: (any File)?, size: Int64,
        note: @escaping @Sendable (OverlayFile, Int64) throws(DiskError) -> Void
    ) {
        self.below = below
        self.note = note
        state = Mutex(State(path: path, size: size))
    }

    deinit { below?.close() }

    var path: String { state.withLock { $0.path } }

    func move(to path: String) { state.withLock { $0.path = path } }

    func read(at position: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        let (size, pages) = state.withLock { ($0.size, $0.pages) }
        let count = Int(max(0, min(Int64(buffer.count), size - position)))
        if count == 0 { return 0 }
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        var filled = 0
        if let below { filled = try below.read(at: position, into: target) }
        for i in filled..<max(filled, count) { target[i] = 0 }
        guard !pages.isEmpty else { return count }
        for number in position / OverlayFile.page...(position + Int64(count) - 1) / OverlayFile.page {
            guard let page = pages[number] else { continue }
            let start = number * OverlayFile.page
            for i in max(start, position)..<min(start + OverlayFile.page, position + Int64(count)) {
                target[Int(i - position)] = page[Int(i - start)]
            }
        }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(DiskError) {
        try note(self, Int64(bytes.count))
        if bytes.isEmpty { return }
        let end = position + Int64(bytes.count)
        for number in position / OverlayFile.page...(end - 1) / OverlayFile.page {
            let start = number * OverlayFile.page
            var page = try read(at: start, count: Int(OverlayFile.page))
            page.append(contentsOf: repeatElement(0, count: Int(OverlayFile.page) - page.count))
            for i in max(start, position)..<min(start + OverlayFile.page, end) {
                page[Int(i - start)] = bytes[Int(i - position)]
            }
            let changed = page
            state.withLock { $0.pages[number] = changed }
        }
        state.withLock { $0.size = max($0.size, end) }
    }

    func preallocate(_ size: Int64) throws(DiskError) { state.withLock { $0.size = max($0.size, size) } }
    func sync() throws(DiskError) {}
    func size() throws(DiskError) -> Int64 { state.withLock { $0.size } }
    /// The file stays readable for whoever opens it again.
    func close() {}
}
