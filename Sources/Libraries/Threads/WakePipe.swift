import Glibc

/// Ends a `poll` of one thread from any other: one byte in a pipe.
public struct WakePipe: ~Copyable, Sendable {
    /// The end to poll for reading.
    public let readEnd: Int32
    private let writeEnd: Int32

    /// Fails where the process or the system has no descriptors left.
    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("no pipe", errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// A full pipe is as good as one more byte: the reader wakes either way.
    public func wake() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Swallows what has been written, so that the next `poll` sleeps again.
    public func clear() { WakePipe.clear(readEnd) }

    /// The same, for whoever was given the descriptor only.
    public static func clear(_ readEnd: Int32) {
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(readEnd, &bytes, 16) == 16 {}
    }
}
