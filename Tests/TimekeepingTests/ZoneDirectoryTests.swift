import Foundation
import Testing

@testable import Timekeeping

struct ZoneDirectoryTests {
    /// A directory of its own with a few zones in it.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("zones-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("zoneinfo/Europe"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("zoneinfo/posix"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        for name in ["Europe/Berlin", "Europe/London"] {
            try Data(try Fixture.bytes(name)).write(to: root.appendingPathComponent("zoneinfo/\(name)"))
        }
        try Data("# no zone".utf8).write(to: root.appendingPathComponent("zoneinfo/zone.tab"))
        try Data("damaged".utf8).write(to: root.appendingPathComponent("zoneinfo/Europe/Paris"))
        try body(root.path)
    }

    private func message(_ name: String, in paths: [String]) -> String {
        do {
            _ = try ZoneDirectory(paths: paths).zone(named: name)
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test func `a zone is found in the first directory that has it`() throws {
        try withDirectory { root in
            let directory = ZoneDirectory(paths: [root + "/none", root + "/zoneinfo"])
            let zone = try directory.zone(named: "Europe/Berlin")
            #expect(zone.name == "Europe/Berlin")
            #expect(zone.offset(at: time("2026-07-01T00:00:00Z")) == 7200)
            #expect(directory.names() == ["Europe/Berlin", "Europe/London", "Europe/Paris"])
        }
    }

    @Test func `an error says what to do`() throws {
        try withDirectory { root in
            let paths = [root + "/zoneinfo"]
            #expect(
                message("Europe/Berlim", in: paths)
                    == "time zone \"Europe/Berlim\": there is no such zone; did you mean Europe/Berlin?")
            #expect(message("london", in: paths).hasSuffix("did you mean Europe/London?"))
            #expect(message("europe/berlin", in: paths).hasSuffix("did you mean Europe/Berlin?"))
            #expect(message("Qqqqqqqqq", in: paths).hasSuffix("names are like Europe/Berlin or UTC"))
            #expect(message("Europe", in: paths).contains("there is no such zone"))
            #expect(message("Europe/Paris", in: paths).contains("apt install --reinstall tzdata"))
            #expect(
                message("Europe/Rome", in: [root + "/none"])
                    == "time zone \"Europe/Rome\": no time zone data in \(root)/none; install it: apt install tzdata")
            #expect(message("UTC", in: [root + "/none"]) == "no error")
        }
    }

    @Test(arguments: [
        "", "/etc/passwd", "../../etc/passwd", "Europe/../Europe/Berlin", "Europe//Berlin", "Europe/", "Europe/Ber lin",
        "Europe/Berlin\0", "Europe/Zürich", String(repeating: "a", count: 65),
    ])
    func `a name cannot leave the directory`(name: String) {
        #expect(!ZoneDirectory.isValid(name: name))
        #expect(message(name, in: ZoneDirectory.defaultPaths).hasSuffix("a zone is named like Europe/Berlin or UTC"))
    }

    @Test(arguments: ["UTC", "Etc/GMT+12", "America/Argentina/ComodRivadavia", "America/Port-au-Prince", "GB-Eire"])
    func `a name that zones have is valid`(name: String) {
        #expect(ZoneDirectory.isValid(name: name))
    }

    @Test func `the zone of the machine is the link, else the file`() throws {
        try withDirectory { root in
            #expect(ZoneDirectory.systemZoneName(etc: root) == nil)
            try Data("Europe/London\n".utf8).write(to: URL(fileURLWithPath: root + "/timezone"))
            #expect(ZoneDirectory.systemZoneName(etc: root) == "Europe/London")
            try FileManager.default.createSymbolicLink(
                atPath: root + "/localtime", withDestinationPath: "../usr/share/zoneinfo/Europe/Berlin")
            #expect(ZoneDirectory.systemZoneName(etc: root) == "Europe/Berlin")
        }
    }

    @Test func `every zone of this machine can be read`() throws {
        let directory = ZoneDirectory()
        let names = directory.names()
        try #require(!names.isEmpty, "tzdata is not installed")
        for name in names {
            #expect(throws: Never.self) { try directory.zone(named: name) }
        }
    }
}
