import Glibc

/// Why there is no answer.
public enum HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody answers there. `errno` is `ENOENT` for a missing socket, `ECONNREFUSED` when nothing listens, `EACCES`
    /// without permission, 0 when the host's name is unknown.
    case cannotConnect(target: String, errno: Int32, reason: String)
    case timedOut(target: String, milliseconds: Int)
    case tooLarge(target: String, maximumBytes: Int)
    /// A header, method or address that cannot be sent.
    case invalidRequest(reason: String)
    /// Anything else, such as a connection that broke or a certificate that does not hold.
    case failed(target: String, code: Int32, reason: String)

    public var description: String {
        switch self {
        case .cannotConnect(let target, let code, let reason):
            "Cannot connect to \(target): \(code == 0 ? reason : String(cString: strerror(code)))."
        case .timedOut(let target, let milliseconds): "\(target) did not answer within \(milliseconds) ms."
        case .tooLarge(let target, let maximum): "The answer of \(target) is longer than \(maximum) bytes."
        case .invalidRequest(let reason): "The request cannot be sent: \(reason)."
        case .failed(let target, _, let reason): "The exchange with \(target) failed: \(reason)."
        }
    }
}
