import Glibc

/// Where a bus is: a Modbus TCP endpoint or a serial line.
///
///     tcp://192.168.1.20:502        tcp://gateway.lan        tcp://[fd00::7]:1502
///     rtu:/dev/ttyUSB0?baud=9600&parity=none&stop=1
///
/// Ports default to 502, lines to 9600 baud, no parity, one stop bit. RTU always has eight data bits.
public enum BusAddress: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case rtu(path: String, baud: Int, parity: Parity, stopBits: Int)

    public enum Parity: String, Hashable, Sendable {
        case none, even, odd
    }

    /// What is wrong with the text of an address.
    public struct ParseError: Error, Equatable, CustomStringConvertible {
        public let text: String
        public let problem: String

        public var description: String { "bus address “\(text.prefix(200))”: \(problem)" }
    }

    private static let bauds = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200]

    public init(_ text: String) throws(ParseError) {
        guard text.utf8.count <= 512, !text.utf8.contains(0) else {
            throw ParseError(text: text, problem: "must be at most 512 bytes and have no zero byte")
        }
        do throws(Problem) {
            if text.hasPrefix("tcp://") {
                self = try Self.parseTCP(text.dropFirst(6))
            } else if text.hasPrefix("rtu:") {
                self = try Self.parseRTU(text.dropFirst(4))
            } else {
                throw Problem(text: "must begin with tcp:// or rtu:")
            }
        } catch {
            throw ParseError(text: text, problem: error.text)
        }
    }

    /// The form that is read back to the same value.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        case .rtu(let path, let baud, let parity, let stopBits):
            "rtu:\(path)?baud=\(baud)&parity=\(parity.rawValue)&stop=\(stopBits)"
        }
    }

    /// Whether both lead to one wire, at whatever speed; a line may have several names.
    public func isSameWire(as other: BusAddress) -> Bool {
        switch (self, other) {
        case (.tcp, .tcp): self == other
        case (.rtu(let one, _, _, _), .rtu(let another, _, _, _)):
            one == another || Self.resolved(one) == Self.resolved(another)
        default: false
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private struct Problem: Error {
        let text: String
    }

    private static func parseTCP(_ rest: Substring) throws(Problem) -> BusAddress {
        let host: Substring
        let after: Substring
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { throw Problem(text: "“[” without “]”") }
            host = rest[rest.index(after: rest.startIndex)..<end]
            after = rest[rest.index(after: end)...]
        } else {
            let colon = rest.firstIndex(of: ":") ?? rest.endIndex
            host = rest[..<colon]
            after = rest[colon...]
        }
        guard !host.isEmpty, host.utf8.count <= 255 else { throw Problem(text: "the host must have 1 to 255 bytes") }
        guard !host.contains(where: { "/?#@ ".contains($0) }) else {
            throw Problem(text: "nothing may follow host and port, and neither may hold / ? # @ or a space")
        }
        if after.isEmpty { return .tcp(host: String(host), port: 502) }
        guard after.first == ":", let port = number(after.dropFirst()), (1...65_535).contains(port) else {
            throw Problem(text: "the port must be a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: UInt16(port))
    }

    private static func parseRTU(_ rest: Substring) throws(Problem) -> BusAddress {
        let question = rest.firstIndex(of: "?") ?? rest.endIndex
        let path = rest[..<question]
        guard path.hasPrefix("/"), path.utf8.count > 1 else {
            throw Problem(text: "the device must be an absolute path such as /dev/ttyUSB0")
        }
        var (baud, parity, stopBits) = (9_600, Parity.none, 1)
        var seen: Set<Substring> = []
        for pair in rest[question...].dropFirst().split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Problem(text: "“\(pair)” must be name=value") }
            guard seen.insert(parts[0]).inserted else { throw Problem(text: "“\(parts[0])” is given twice") }
            switch parts[0] {
            case "baud":
                guard let value = number(parts[1]), bauds.contains(value) else {
                    throw Problem(text: "baud must be one of \(bauds.map(String.init).joined(separator: ", "))")
                }
                baud = value
            case "parity":
                guard let value = Parity(rawValue: String(parts[1])) else {
                    throw Problem(text: "parity must be none, even or odd")
                }
                parity = value
            case "stop":
                guard let value = number(parts[1]), (1...2).contains(value) else {
                    throw Problem(text: "stop must be 1 or 2")
                }
                stopBits = value
            default: throw Problem(text: "“\(parts[0])” is not known; baud, parity and stop are")
            }
        }
        return .rtu(path: String(path), baud: baud, parity: parity, stopBits: stopBits)
    }

    /// Plain decimal digits: `Int` alone would also take a sign.
    private static func number(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), text.utf8.count <= 9 else { return nil }
        return Int(text)
    }
}
