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

    private static let meter = """
        kind = "modbus"
        name = "eastron_sdm72"
        aliases = ["my_meter"]
        version = 3
        function = 3
        [groups.fast]
        period_ms = 1000
        [[register]]
        address = 7
        type = "u16"
        quantity = "power"
        group = "fast"
        """

    @Test func `a user's meter takes the place of ours, and is found by its other names`() {
        let (catalog, problems) = ProfileCatalog.builtIn.overridden(by: [
            .init(file: "/etc/energyd/profiles/meter.toml", text: Array(Self.meter.utf8))
        ])
        #expect(problems.isEmpty)
        #expect(catalog["eastron_sdm72"]?.version == 3)
        #expect(catalog["my_meter"]?.registers?.registers.map(\.address) == [7])
        #expect(catalog.names == ProfileCatalog.builtIn.names)
        #expect(ProfileCatalog.builtIn["orno_we527"]?.name == "orno_we526")
        #expect(catalog.nearestMeter(to: "my_metre") == "my_meter")
    }

    @Test func `a profile that has the name goes before one that has it as another name`() {
        let own = Self.meter.replacing("eastron_sdm72", with: "pzem_014").replacing("\"my_meter\"", with: "")
        let (catalog, _) = ProfileCatalog.builtIn.overridden(by: [.init(file: "a.toml", text: Array(own.utf8))])
        #expect(ProfileCatalog.builtIn["pzem_014"]?.name == "pzem_016")
        #expect(catalog["pzem_014"]?.version == 3)
        #expect(catalog["pzem_016"]?.name == "pzem_016")
    }

    @Test func `every mistake of a meter's file is told at once, with line and column`() {
        let wrong = Self.meter.replacing("my_meter", with: "My meter")
            .replacing("type = \"u16\"", with: "type = \"u17\"\nscale_register = \"x\"\nform = \"quadrant\"")
            .replacing("period_ms = 1000", with: "period_ms = 1")
        let (catalog, problems) = ProfileCatalog.builtIn.overridden(by: [.init(file: "w.toml", text: Array(wrong.utf8))]
        )
        #expect(catalog["eastron_sdm72"]?.file == nil)
        #expect(
            problems.map(\.description) == [
                "w.toml:3:11: aliases: `My meter` is no name: a–z, 0–9 and _",
                "w.toml:7:13: groups.fast.period_ms: must be 100 to 86400000, not 1",
                "w.toml:10:8: register.type: has no value `u17`; did you mean `u16`?",
                "w.toml:11:18: register.scale_register: must be an integer, not a string",
                "w.toml:12:8: register.form: has no value `quadrant`: four-quadrant, percent-or-ratio",
            ])
    }
}
