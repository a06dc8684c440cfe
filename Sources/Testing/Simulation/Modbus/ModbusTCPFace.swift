import Glibc
import Synchronization
import Threads

/// The server's TCP side: one thread for all connections.
final class ModbusTCPFace: @unchecked Sendable {
    // Unchecked: `listener`, `clients` and `outgoing` belong to the thread.

    private struct Client {
        let descriptor: Int32
        var bytes: [UInt8] = []
    }

    private static let maximumClients = 256

    let port: UInt16
    private let units: ModbusUnits
    private let thread: ServerThread
    private let acceptedCount = Atomic(0)
    private var listener: Int32
    private var clients: [Client] = []
    private var outgoing: [(due: Int64, descriptor: Int32, bytes: [UInt8])] = []

    init(_ units: ModbusUnits, port: UInt16) throws(SystemError) {
        self.units = units
        thread = try ServerThread()
        listener = try FreePort.listen(on: port)
        self.port = try FreePort.port(of: listener)
    }

    deinit {
        for descriptor in [listener] + clients.map(\.descriptor) where descriptor >= 0 { close(descriptor) }
    }

    var accepted: Int { acceptedCount.load(ordering: .relaxed) }

    func startThread() throws(SystemError) {
        try thread.start { self.serve() }
    }

    func requestStop() { thread.requestStop() }
    func ended() async { await thread.ended() }

    func drop() {
        let thread = thread
        Task { await thread.perform { self.closeAll() } }
    }

    private func closeAll() {
        for client in clients { close(client.descriptor) }
        (clients, outgoing) = ([], [])
    }

    private func serve() {
        while !thread.isStopping {
            let descriptors = [thread.readEnd, listener] + clients.map(\.descriptor)
            var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let next = outgoing.map(\.due).min().map { max(0, ($0 - monotonicMicroseconds() + 999) / 1_000) }
            _ = poll(&polled, nfds_t(polled.count), next.map { Int32(min($0, 60_000)) } ?? -1)
            if polled[0].revents != 0 {
                thread.attend()
                continue
            }
            for ready in polled[2...] where ready.revents != 0 {
                guard let index = clients.firstIndex(where: { $0.descriptor == ready.fd }) else { continue }
                if !read(index) { hangUp(ready.fd) }
            }
            if polled[1].revents != 0 { accept() }
            sendDue()
        }
        closeAll()
        close(listener)
        listener = -1
    }

    private func accept() {
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else { return }
        guard clients.count < Self.maximumClients else {
            close(client)
            return
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        var on: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        clients.append(Client(descriptor: client))
        acceptedCount.add(1, ordering: .relaxed)
    }

    private func hangUp(_ descriptor: Int32) {
        close(descriptor)
        clients.removeAll { $0.descriptor == descriptor }
        outgoing.removeAll { $0.descriptor == descriptor }
    }

    /// Takes what a client said; false when the connection is to be closed.
    private func read(_ index: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = recv(clients[index].descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        clients[index].bytes += buffer[..<count]
        while clients[index].bytes.count >= 8 {
            let bytes = clients[index].bytes
            let length = 6 + (Int(bytes[4]) << 8 | Int(bytes[5]))
            guard length <= 260 else { return false }
            guard bytes.count >= length else { break }
            clients[index].bytes.removeFirst(length)
            let reply = units.reply(to: Array(bytes[..<length]), .tcp)
            if reply.hangsUp { return false }
            if reply.bytes.isEmpty { continue }
            outgoing.append((monotonicMicroseconds() + reply.delay, clients[index].descriptor, reply.bytes))
        }
        return true
    }

    private func sendDue() {
        let now = monotonicMicroseconds()
        for answer in outgoing where answer.due <= now {
            // A client that takes nothing loses its answer; its next request will tell.
            _ = send(answer.descriptor, answer.bytes, answer.bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        outgoing.removeAll { $0.due <= now }
    }
}
