import Simulation
import Testing

/// An authority, a broker's certificate for `localhost`, and a client's, made by openssl for one test.
struct Certificates {
    let directory: String

    var authority: String { directory + "/ca.pem" }
    var client: (certificate: String, key: String) { (directory + "/client.pem", directory + "/client.key") }

    init(in directory: String) async throws {
        self.directory = directory
        try await openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
        try await sign("server", "localhost")
        try await sign("client", "gateway")
    }

    /// A key with a password, as somebody may have made it.
    func encryptClientKey(to name: String) async throws -> String {
        try await openssl("ec", "-in", "client.key", "-aes256", "-passout", "pass:secret", "-out", name)
        return directory + "/" + name
    }

    /// Lines of mosquitto.conf for the listener.
    func brokerLines(requireClient: Bool = false) -> [String] {
        [
            "cafile \(authority)", "certfile \(directory)/server.pem", "keyfile \(directory)/server.key",
            "require_certificate \(requireClient)",
        ]
    }

    private func sign(_ name: String, _ commonName: String) async throws {
        try await openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=\(commonName)", "-addext", "subjectAltName=DNS:\(commonName)", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-keyout", "\(name).key", "-out", "\(name).pem")
    }

    private func openssl(_ arguments: String...) async throws {
        let files: Set = ["-keyout", "-out", "-CA", "-CAkey", "-in"]
        var previous = ""
        let full = arguments.map { argument in
            defer { previous = argument }
            return files.contains(previous) ? directory + "/" + argument : argument
        }
        let process = try ChildProcess(
            "/usr/bin/openssl", full, output: .file(directory + "/openssl.out"),
            error: .file(directory + "/openssl.err"))
        try #require(
            await process.wait(within: .seconds(30)) == .exited(code: 0),
            "openssl \(arguments.joined(separator: " ")) failed; see \(directory)/openssl.err")
    }
}
