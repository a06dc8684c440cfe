import Glibc

/// The file system of a disk that cannot be used: nothing lies on it, and whatever would be kept is refused with the
/// error that the real one gave. Stores open on it as on an empty disk and hold in memory what they are given.
public struct AbsentFileSystem: FileSystem {
    private let reason: DiskError

    public init(because reason: DiskError) {
        self.reason = reason
    }

    public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any File {
        throw mode == .create ? reason : missing(path, .open)
    }

    /// Whoever makes one goes on to look into it and finds nothing.
    public func createDirectory(_ path: String) throws(DiskError) {}
    public func list(_ directory: String) throws(DiskError) -> [String] { [] }
    public func rename(_ old: String, to new: String) throws(DiskError) { throw missing(old, .rename) }
    public func remove(_ path: String) throws(DiskError) { throw missing(path, .remove) }
    public func syncDirectory(_ directory: String) throws(DiskError) { throw reason }
    public func space(_ path: String) throws(DiskError) -> DiskSpace { throw reason }

    private func missing(_ path: String, _ operation: DiskError.Operation) -> DiskError {
        DiskError(path: path, operation: operation, errno: ENOENT)
    }
}
