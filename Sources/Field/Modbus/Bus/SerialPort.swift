import Glibc

/// A serial port of this machine, with the names under which it can be found again.
public struct SerialPort: Hashable, Sendable {
    /// `/dev/ttyUSB0`: by the order in which ports appeared, so not for a configuration.
    public let path: String
    /// Names that stay, the best first: our own rule's, by the adapter's serial number, by the socket it is in.
    public let names: [String]
    /// What the adapter says of itself; nil for a port of the board.
    public let adapter: Adapter?

    public struct Adapter: Hashable, Sendable {
        /// Four hexadecimal digits each.
        public let vendor: String
        public let product: String
        /// Nil for one of the many that have none, or all the same.
        public let serial: String?
        public let description: String
    }

    /// All ports with hardware behind them, by path. `root` is put before every path, for tests.
    public static func all(root: String = "") -> [SerialPort] {
        let links = names(root)
        return entries(root + "/sys/class/tty").sorted().compactMap { tty in
            let device = root + "/sys/class/tty/\(tty)/device"
            guard access(device, F_OK) == 0, isPort(tty, root) else { return nil }
            let path = "/dev/\(tty)"
            return SerialPort(path: path, names: links[path] ?? [], adapter: adapter(device))
        }
    }

    /// The processes that have the port open, as far as this user may know: `1234 energyd`.
    public func holders(root: String = "") -> [String] {
        entries(root + "/proc").filter { $0.allSatisfy(\.isNumber) }.compactMap { process in
            let descriptors = root + "/proc/\(process)/fd"
            guard entries(descriptors).contains(where: { link("\(descriptors)/\($0)") == path }) else { return nil }
            return "\(process) \(line(root + "/proc/\(process)/comm") ?? "?")"
        }
    }

    /// The udev rule that calls this port `/dev/energyd/NAME`: by the adapter's serial number, else by its socket.
    public func rule(for name: String) -> String? {
        let end = "SYMLINK+=\"energyd/\(name)\", GROUP=\"dialout\", MODE=\"0660\", TAG+=\"systemd\""
        if let adapter, let serial = adapter.serial {
            return
                "SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"\(adapter.vendor)\", ATTRS{idProduct}==\"\(adapter.product)\", "
                + "ATTRS{serial}==\"\(serial)\", \(end)"
        }
        let prefix = "/dev/serial/by-path/"
        if let socket = names.first(where: { $0.hasPrefix(prefix) })?.dropFirst(prefix.count) {
            let place = socket.hasSuffix("-port0") ? socket.dropLast(6) : socket
            return "SUBSYSTEM==\"tty\", ENV{ID_PATH}==\"\(place)\", \(end)"
        }
        if adapter == nil { return "SUBSYSTEM==\"tty\", KERNEL==\"\(path.dropFirst(5))\", \(end)" }
        return nil
    }

    // MARK: Looking around

    /// Ports of the 8250 driver are there whether the board has them or not; one without a type is none.
    private static func isPort(_ tty: String, _ root: String) -> Bool {
        guard tty.hasPrefix("ttyS") else { return true }
        return line(root + "/sys/class/tty/\(tty)/type").map { $0 != "0" } ?? true
    }

    /// Links by the port that they lead to.
    private static func names(_ root: String) -> [String: [String]] {
        var names: [String: [String]] = [:]
        for folder in ["/dev/energyd", "/dev/serial/by-id", "/dev/serial/by-path"] {
            for entry in entries(root + folder).sorted() {
                guard let target = link("\(root)\(folder)/\(entry)"), let tty = target.split(separator: "/").last
                else { continue }
                names["/dev/\(tty)", default: []].append("\(folder)/\(entry)")
            }
        }
        return names
    }

    /// The USB device is some levels above the port's own.
    private static func adapter(_ device: String) -> Adapter? {
        var directory = device
        for _ in 0..<4 {
            directory += "/.."
            // A link's `..` is its target's.
            let real = resolved(directory)
            if let vendor = line(real + "/idVendor"), let product = line(real + "/idProduct") {
                let words = [line(real + "/manufacturer"), line(real + "/product")].compactMap { $0 }
                return Adapter(
                    vendor: vendor, product: product, serial: line(real + "/serial"),
                    description: words.joined(separator: " "))
            }
        }
        return nil
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}

/// At most so many entries of a directory are looked at.
private let maximumEntries = 65_536

private func entries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while names.count < maximumEntries, let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

private func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4_096)
    let count = readlink(path, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
}

/// The first line of a small file; nil when there is none, or it is empty.
private func line(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    let text = String(decoding: buffer[..<count].prefix { $0 != 0x0A && $0 != 0 }, as: UTF8.self)
    return text.isEmpty ? nil : text
}
