import Devices
import Foundation
import Testing

/// Every shipped profile reads what it says it reads.
@Suite struct ContractTests {
    @Test(arguments: ProfileCatalog.builtIn.names)
    func `a shipped profile passes its own cases`(name: String) throws {
        let profile = try #require(ProfileCatalog.builtIn[name])
        #expect(!profile.tests.isEmpty)
        #expect(ProfileCheck.failures(of: profile) == [])
    }

    @Test func `every file of the folder is in the program and is named like its profile`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/Field/Devices/Profiles")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".toml") }
        #expect(files.map { String($0.dropLast(5)) }.sorted() == ProfileCatalog.builtIn.names)
    }

    @Test func `a case that expects something else fails with the place and both sides`() throws {
        let text = """
            kind = "mqtt"
            name = "odd"
            version = 1
            [[topic]]
            pattern = "odd/{device}/power"
            payload = "number"
            field = "power"
            [[field]]
            path = "power"
            quantity = "power"
            unit = "kW"
            [[test]]
            name = "one kilowatt"
            topic = "odd/a/power"
            payload = "1"
            expect = ["total power 1"]
            """
        let profile = try Profile(source: .init(file: "odd.toml", text: Array(text.utf8)))
        #expect(
            ProfileCheck.failures(of: profile) == [
                "odd.toml:12: test `one kilowatt`: missing [total power 1], unexpected [total power 1000]"
            ])
    }
}
