import Glibc

/// Why a small file could not be read.
enum SmallFileError: Error, Equatable {
    /// `errno` of the call that failed.
    case system(Int32)
    case notAFile
    case tooLarge
}

/// The whole of a regular file of at most `limit` bytes. Blocks for as long as the disk does: for start-up only.
func readSmallFile(_ path: String, limit: Int) -> Result<[UInt8], SmallFileError> {
    // O_NONBLOCK: a FIFO in the place of the file must not hang the start.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .failure(.system(errno)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .failure(.system(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else { return .failure(.notAFile) }
    // Files of /proc have size 0, so the end is found by reading.
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { return .failure(.system(errno)) }
        if got == 0 { break }
        count += got
    }
    guard count <= limit else { return .failure(.tooLarge) }
    bytes.removeLast(bytes.count - count)
    return .success(bytes)
}
