import Glibc

/// Tells systemd how the daemon is doing (sd_notify's protocol: one datagram of `KEY=value` lines). Silent where
/// nobody asked.
public struct SystemdNotifier: Sendable {
    private let address: String?

    /// `socket` is the value of NOTIFY_SOCKET: a path, or an abstract name that begins with `@`.
    public init(socket: String? = getenv("NOTIFY_SOCKET").map { String(cString: $0) }) {
        if let socket, socket.utf8.count > 1, socket.utf8.count < 108, socket.hasPrefix("/") || socket.hasPrefix("@") {
            address = socket
        } else {
            address = nil
        }
    }

    public func ready(status: String) {
        send("READY=1\nSTATUS=\(status)")
    }

    public func status(_ text: String) {
        send("STATUS=\(text)")
    }

    /// To be called only when the store and the sources made progress.
    public func alive() {
        send("WATCHDOG=1")
    }

    public func stopping() {
        send("STOPPING=1")
    }

    private func send(_ message: String) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        let name = Array(address.utf8)
        withUnsafeMutableBytes(of: &target.sun_path) { path in
            path.copyBytes(from: name)
            if name[0] == UInt8(ascii: "@") { path[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(message.utf8)
        withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), raw, length)
            }
        }
    }
}
