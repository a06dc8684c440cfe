/// The file system as the stores use it: few calls, each with the durability it gives.
///
/// Every call blocks. Stores call it from their own threads, never from the cooperative pool.
/// A change of names (create, rename, remove) is durable after `syncDirectory`, bytes of a file after `File.sync`.
public protocol FileSystem: Sendable {
    /// Opens `path`; `.create` makes an empty file or empties the one that is there.
    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any File
    /// Makes `path` and the directories above it, durably; nothing happens where they exist.
    func createDirectory(_ path: String) throws(DiskError)
    /// Names in `directory` without `.` and `..`, sorted by bytes.
    func list(_ directory: String) throws(DiskError) -> [String]
    /// Replaces what lies at `new`, in one step.
    func rename(_ old: String, to new: String) throws(DiskError)
    func remove(_ path: String) throws(DiskError)
    /// Makes the names in `directory` durable.
    func syncDirectory(_ directory: String) throws(DiskError)
    /// Bytes that the file system of `path` has and that this process may still use.
    func space(_ path: String) throws(DiskError) -> DiskSpace
}

public enum OpenMode: Hashable, Sendable {
    case read
    /// Reads and writes a file that exists.
    case update
    /// Reads and writes a new, empty file.
    case create
}

/// Bytes in total and still free.
public struct DiskSpace: Hashable, Sendable {
    public var total: Int64
    public var free: Int64

    public init(total: Int64, free: Int64) {
        self.total = total
        self.free = free
    }
}

/// An open file. Reads may run on several threads at once; one thread writes. Closed by `close()`, at the latest when
/// the last reference goes.
public protocol File: AnyObject, Sendable {
    var path: String { get }
    /// Reads up to `buffer.count` bytes; fewer only at the end of the file.
    func read(at position: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int
    /// Writes all of `bytes` or throws; after an error any part of them may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(DiskError)
    /// Makes the file at least `size` bytes long, with the space reserved and zeros where nothing was written.
    func preallocate(_ size: Int64) throws(DiskError)
    /// Makes what was written durable (fdatasync).
    func sync() throws(DiskError)
    func size() throws(DiskError) -> Int64
    /// Reads will be few and far apart: the system is not to read ahead. Only a hint; by default nothing happens.
    func expectScatteredReads()
    func close()
}

extension File {
    public func expectScatteredReads() {}

    /// The bytes `position ..< position + count`, or fewer where the file ends.
    public func read(at position: Int64, count: Int) throws(DiskError) -> [UInt8] {
        var failure: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(DiskError) {
                filled = try read(at: position, into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    public func write(_ bytes: [UInt8], at position: Int64) throws(DiskError) {
        var failure: DiskError?
        bytes.withUnsafeBytes { buffer in
            do throws(DiskError) {
                try write(buffer, at: position)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
