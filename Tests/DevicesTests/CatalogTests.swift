import Devices
import Foundation
import Testing

/// Profiles in directories, on a real file system.
@Suite struct CatalogTests {
    @Test func `a user's profile overrides by name, and a bad file stops nothing`() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("profiles-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: directory.appendingPathComponent(name))
        }
        let own = """
            kind = "mqtt"
            name = "tasmota"
            version = 7
            [[topic]]
            pattern = "x/{device}"
            payload = "json"
            """
        try write("a.toml", own)
        try write("b.toml", "kind = \"mqtt\"\nname = \"energy\"\nversion = 1\n")
        try write("c.toml", "not toml")
        try write("d.txt", "nothing of ours")
        try FileManager.default.createDirectory(
            at: directory.appendingPathComponent("e.toml"), withIntermediateDirectories: true)
        let (catalog, problems) = ProfileCatalog.load(directories: ["/nonexistent/energyd", directory.path])
        #expect(catalog["tasmota"]?.version == 7)
        #expect(catalog["energy"]?.version == 1)
        #expect(catalog["energy"]?.file == nil)
        #expect(catalog.names == ProfileCatalog.builtIn.names)
        #expect(Set(problems.map { ($0.file as NSString).lastPathComponent }) == ["b.toml", "c.toml", "e.toml"])
        let expected = "b.toml:1:1: topic: a profile of messages needs at least one [[topic]]"
        #expect(problems.contains { $0.description.hasSuffix(expected) })
    }
}
