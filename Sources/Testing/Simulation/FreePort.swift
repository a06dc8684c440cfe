import Glibc
import Threads

/// A loopback TCP port that nobody uses.
///
/// Somebody may take it before its finder does: whoever can, binds port 0 itself; whoever starts a program tries
/// again with another port when the program cannot listen.
public enum FreePort {
    public static func find() throws(SystemError) -> UInt16 {
        let descriptor = try openLoopback()
        defer { close(descriptor) }
        var address = loopback(port: 0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0 else { throw SystemError("no free port", errno) }
        return try port(of: descriptor)
    }

    /// Whether something accepts connections on the loopback port now.
    public static func accepts(_ port: UInt16) -> Bool {
        guard let descriptor = try? openLoopback() else { return false }
        defer { close(descriptor) }
        var address = loopback(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        } == 0
    }

    /// A socket that listens there; 0 takes a free port.
    static func listen(on port: UInt16) throws(SystemError) -> Int32 {
        let descriptor = try openLoopback()
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = loopback(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            let code = errno
            close(descriptor)
            throw SystemError("cannot listen on port \(port)", code)
        }
        return descriptor
    }

    /// The port a socket is bound to.
    static func port(of descriptor: Int32) throws(SystemError) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let known = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard known == 0 else { throw SystemError("no name of a socket", errno) }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func openLoopback() throws(SystemError) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("no socket", errno) }
        return descriptor
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
