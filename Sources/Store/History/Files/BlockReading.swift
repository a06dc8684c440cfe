import Compression
import Disk
import Metering
import Records
import Synchronization

/// Columns that a merge can bring into order.
protocol BlockColumns: Sendable {
    /// In rising order.
    var instants: [Int64] { get }
    /// Instants of two blocks that are not farther apart than this are one.
    var moved: Int64 { get }
    static func decode(_ bytes: UnsafeRawBufferPointer, _ scratch: DecodingScratch) throws(RecordError) -> Self
    /// Their memory is for the next block.
    consuming func giveBack(to scratch: DecodingScratch)
}

extension PointColumns: BlockColumns {
    var instants: [Int64] { times }
    static func decode(_ bytes: UnsafeRawBufferPointer, _ scratch: DecodingScratch) throws(RecordError) -> PointColumns
    {
        try BlockCodec.points(bytes, scratch)
    }
    consuming func giveBack(to scratch: DecodingScratch) {
        scratch.reuse(times)
        scratch.reuse(values)
    }
}

extension BucketColumns: BlockColumns {
    var instants: [Int64] { starts }
    var moved: Int64 { 0 }
    static func decode(_ bytes: UnsafeRawBufferPointer, _ scratch: DecodingScratch) throws(RecordError) -> BucketColumns
    {
        try BlockCodec.buckets(bytes, scratch)
    }
    consuming func giveBack(to scratch: DecodingScratch) {}
}

/// Files that queries have open, with their indexes, and scratches that are free: within bounds, the least recently
/// used goes.
final class BlockReading: Sendable {
    /// A file that is open. It stays readable for whoever holds this, even when the ring has removed it.
    final class Open: Sendable {
        let file: any File
        let entries: [BlockEntry]
        private let unreadable: UnreadablePlaces

        init(file: any File, entries: [BlockEntry], _ unreadable: UnreadablePlaces) {
            self.file = file
            self.entries = entries
            self.unreadable = unreadable
        }

        /// A block's columns; nil for damage.
        func columns<Columns: BlockColumns>(
            _ entry: BlockEntry, isQuery: Bool, _ scratch: DecodingScratch
        ) throws(DiskError) -> Columns? {
            try unreadable.read(file.path, at: entry.position, isQuery: isQuery) { () throws(DiskError) in
                try BlockReading.columns(entry, file, scratch)
            }
        }

        /// The series' entries.
        func entries(of key: SeriesKey) -> ArraySlice<BlockEntry> {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].key < key { low = middle + 1 } else { high = middle }
            }
            var end = low
            while end < entries.count, entries[end].key == key { end += 1 }
            return entries[low..<end]
        }
    }

    private struct State {
        var open: [(path: String, open: Open)] = []
        var entries = 0
        var scratches: [DecodingScratch] = []
    }

    static let maximumFiles = 40
    /// Of all open files together: some 2 MB.
    static let maximumEntries = 24_000

    let fileSystem: any FileSystem
    private let unreadable: UnreadablePlaces
    private let state = Mutex(State())

    init(_ fileSystem: any FileSystem, _ unreadable: UnreadablePlaces) {
        self.fileSystem = fileSystem
        self.unreadable = unreadable
    }

    /// The file, opened before or now; nil where its index is damaged. An error with `isMissing`: the ring took it.
    func open(_ file: BlockFile, isQuery: Bool, _ scratch: DecodingScratch) throws(DiskError) -> Open? {
        let known = state.withLock { state -> Open? in
            guard let i = state.open.lastIndex(where: { $0.path == file.path }) else { return nil }
            let found = state.open[i]
            if i != state.open.count - 1 {
                state.open.remove(at: i)
                state.open.append(found)
            }
            return found.open
        }
        if let known { return known }
        guard let opened = try openAnew(file, isQuery: isQuery, scratch) else { return nil }
        state.withLock { state in
            state.open.append((file.path, opened))
            state.entries += opened.entries.count
            while state.open.count > 1,
                state.open.count > BlockReading.maximumFiles || state.entries > BlockReading.maximumEntries
            {
                state.entries -= state.open.removeFirst().open.entries.count
            }
        }
        return opened
    }

    /// The same without keeping it: for what is read once.
    func openAnew(
        _ file: BlockFile, isQuery: Bool = false, _ scratch: DecodingScratch
    ) throws(DiskError) -> Open? {
        let descriptor = try fileSystem.open(file.path, .read)
        let index = Int(clamping: file.size)
        let entries = try unreadable.read(file.path, at: index, isQuery: isQuery) { () throws(DiskError) in
            try file.entries(descriptor, scratch)
        }
        return entries.map { Open(file: descriptor, entries: $0, unreadable) }
    }

    /// Lets go of a file that was removed.
    func forget(_ file: BlockFile) {
        state.withLock { state in
            guard let i = state.open.firstIndex(where: { $0.path == file.path }) else { return }
            state.entries -= state.open.remove(at: i).open.entries.count
        }
    }

    /// Lends a scratch.
    func withScratch<Result, Failure: Error>(
        _ body: (DecodingScratch) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let scratch = state.withLock { $0.scratches.popLast() } ?? DecodingScratch()
        defer { state.withLock { if $0.scratches.count < 2 { $0.scratches.append(scratch) } } }
        return try body(scratch)
    }

    /// Lets go of the scratches that are free: up to 700 KB each, and 160 KB where only short blocks were read.
    func giveBack() {
        state.withLock { $0.scratches = [] }
    }

    /// A block's columns; nil for damage.
    static func columns<Columns: BlockColumns>(
        _ entry: BlockEntry, _ file: any File, _ scratch: DecodingScratch
    ) throws(DiskError) -> Columns? {
        let bytes = try file.read(at: Int64(entry.position), count: entry.length)
        return bytes.withUnsafeBytes { buffer in
            guard buffer.count == entry.length, CRC32C.update(0, buffer) == entry.checksum else { return nil }
            return try? Columns.decode(buffer, scratch)
        }
    }
}
