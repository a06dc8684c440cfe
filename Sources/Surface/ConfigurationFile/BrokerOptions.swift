import Glibc
import MQTT

extension Configuration.MQTT {
    /// The connection that these settings amount to. Reads the password's file; fails where that cannot be read.
    public func options(clientID: String, seed: UInt64) throws(ConfigurationError) -> MQTTOptions {
        var options = MQTTOptions(
            host: host, port: UInt16(clamping: port), clientID: self.clientID ?? clientID, seed: seed)
        options.version = version
        options.tls = tls
        options.username = username
        if let passwordFile {
            do throws(PasswordProblem) {
                options.password = try Configuration.MQTT.password(passwordFile)
            } catch {
                throw ConfigurationError([ConfigurationProblem(nil, "mqtt.password_file \(error.reason)")])
            }
        }
        return options
    }

    private struct PasswordProblem: Error {
        let reason: String
    }

    /// The first line of the file, or of the systemd credential of that name.
    private static func password(_ file: String) throws(PasswordProblem) -> [UInt8] {
        let credentials = getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }
        let path = file.contains("/") ? file : "\(credentials ?? ".")/\(file)"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw PasswordProblem(reason: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        let line = buffer[..<max(0, count)].prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty else { throw PasswordProblem(reason: "\(path) holds no password") }
        return Array(line)
    }
}
