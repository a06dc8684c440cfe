import Glibc

/// How the daemon was started. What is not given comes from the environment that systemd sets, then from convention.
public struct GatewayOptions: Sendable {
    /// Nil: the embedded defaults.
    public var configurationPath: String?
    public var dataDirectory: String
    public var socketPath: String
    public var version: String

    public static let standardConfiguration = "/etc/energyd/energyd.toml"

    /// `environment` is asked for ENERGYD_CONFIG, ENERGYD_DATA_DIR, ENERGYD_SOCKET, STATE_DIRECTORY, RUNTIME_DIRECTORY.
    public init(
        configurationPath: String?, dataDirectory: String?, socketPath: String?, version: String,
        environment: [String: String]
    ) {
        let standard = GatewayOptions.standardConfiguration
        self.configurationPath =
            configurationPath ?? environment["ENERGYD_CONFIG"] ?? (access(standard, F_OK) == 0 ? standard : nil)
        self.dataDirectory =
            dataDirectory ?? environment["ENERGYD_DATA_DIR"] ?? environment["STATE_DIRECTORY"] ?? "/var/lib/energyd"
        self.socketPath =
            socketPath ?? environment["ENERGYD_SOCKET"]
            ?? environment["RUNTIME_DIRECTORY"].map { "\($0)/energyd.sock" } ?? "/run/energyd/energyd.sock"
        self.version = version
    }

    /// The process's environment; a variable that is not UTF-8 is left out.
    public static func processEnvironment() -> [String: String] {
        var result: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            if let text = String(validatingCString: entry), let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return result
    }
}

/// Why the daemon does not run, and what the service manager is told.
public struct GatewayFailure: Error, CustomStringConvertible {
    /// sysexits: 78 bad configuration, 73 cannot create, 1 other.
    public let status: Int32
    public let description: String

    public init(status: Int32, _ description: String) {
        self.status = status
        self.description = description
    }

    public static func configuration(_ text: String) -> GatewayFailure { GatewayFailure(status: 78, text) }
    public static func cannotCreate(_ text: String) -> GatewayFailure { GatewayFailure(status: 73, text) }
}
