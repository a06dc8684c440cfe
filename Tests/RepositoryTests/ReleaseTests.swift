import Foundation
import Testing

/// What is shipped: checked where `make test` has built it (ENERGYD_BINARIES names the folder).
@Suite struct ReleaseTests {
    static let folder = ProcessInfo.processInfo.environment["ENERGYD_BINARIES"]

    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test(.enabled(if: folder != nil)) func `energyd links neither Foundation nor ICU, and is small`() throws {
        let binary = try #require(Self.folder) + "/energyd"
        let linked = try Self.run("readelf", ["--dynamic", "--wide", binary])
        #expect(linked.status == 0)
        for library in linked.output.split(separator: "\n") where library.contains("NEEDED") {
            #expect(
                !library.contains("Foundation") && !library.contains("icu") && !library.contains("libswift"),
                "\(library)")
        }
        // Statically: FoundationEssentials comes with Hummingbird and ArgumentParser, its big siblings must not.
        let modules = #"\$s10Foundation|\$s28FoundationInternationalization|icudt|ucal_open"#
        let symbols = try Self.run("bash", ["-c", "nm '\(binary)' | grep -cE '\(modules)' || true"])
        #expect(Int(symbols.output.trimmingCharacters(in: .whitespacesAndNewlines)) == 0, "\(symbols.output)")
        let stripped = FileManager.default.temporaryDirectory.appendingPathComponent("energyd-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: stripped) }
        #expect(try Self.run("strip", ["-o", stripped.path, binary]).status == 0)
        let size = try FileManager.default.attributesOfItem(atPath: stripped.path)[.size] as? Int ?? 0
        #expect(size > 0 && size <= 30_000_000, "\(size) bytes")
    }

    /// In a debug build the language itself asks for some.
    @Test(.enabled(if: folder != nil)) func `a message of a known topic and shape asks for no memory`() throws {
        let binary = try #require(Self.folder) + "/energybench"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("decode-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let measured = try Self.run(binary, [folder.path, "decode"])
        #expect(measured.status == 0, "\(measured.output)")
        let lines = measured.output.split(separator: "\n").map { $0.split(separator: " ") }
        let counts = lines.filter { $0[0].hasPrefix("mqtt.decode_allocations.") }
        #expect(counts.contains { $0[0].hasSuffix(".tasmota") } && counts.count >= 20, "\(measured.output)")
        for line in counts {
            #expect(line[1] == "0.0", "\(line.joined(separator: " "))")
        }
    }

    /// systemd only warns of a key it does not know, so anything it says counts; the program need not be installed.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/systemd-analyze")))
    func `systemd takes the unit without a warning`() throws {
        let text = try Repository.text("systemd/energyd.service")
            .replacingOccurrences(of: "/usr/bin/energyd --config /etc/energyd/energyd.toml", with: "/bin/true")
            .replacingOccurrences(of: "Documentation=man:energyd(8)\n", with: "")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("unit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let unit = folder.appendingPathComponent("energyd.service")
        try text.write(to: unit, atomically: true, encoding: .utf8)
        let verified = try Self.run("systemd-analyze", ["verify", unit.path])
        #expect(verified.status == 0 && verified.output.isEmpty, "\(verified.output)")
        let security = try Self.run("systemd-analyze", ["security", "--offline=true", "--threshold=25", unit.path])
        #expect(security.status == 0, "\(security.output.suffix(200))")
    }
}
