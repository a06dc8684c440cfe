import Devices
import Foundation
import Metering
import Testing

/// Every shipped profile reads what it says it reads.
@Suite struct ContractTests {
    @Test(arguments: ProfileCatalog.builtIn.names)
    func `a shipped profile passes its own cases`(name: String) throws {
        let profile = try #require(Shipped.catalog[name])
        #expect(!profile.tests.isEmpty)
        #expect(ProfileCheck.failures(of: profile) == [])
    }

    private static let meters = Shipped.catalog.profiles.filter { $0.registers != nil }

    /// What the cases of a meter's profile give, as `channel quantity`.
    private static func given(by profile: Profile) -> Set<String> {
        Set(profile.tests.flatMap(\.expected).map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
    }

    @Test(arguments: meters.map(\.name))
    func `recorded blocks have a value for every register of a meter`(name: String) throws {
        let profile = try #require(Shipped.catalog[name])
        let map = try #require(profile.registers)
        let given = Self.given(by: profile)
        // Strings beyond the recorded two, and counters of an Iskra that its settings make something else.
        let spared: Set<String> = ["dc3", "dc4"]
        let chosen: Set<String> = ["reactive_energy_import", "reactive_energy_export"]
        for register in map.registers where !spared.contains(register.channel.name) {
            if name.hasPrefix("iskra"), chosen.contains(register.quantity.name) { continue }
            #expect(given.contains("\(register.channel) \(register.quantity)"))
        }
    }

    @Test(arguments: meters.map(\.name))
    func `a meter's requests keep its limits and fetch every register whole`(name: String) throws {
        let map = try #require(Shipped.catalog[name]?.registers)
        let limits = map.limits
        for block in map.blocks() + map.contextBlocks {
            #expect(block.count <= limits.registers && block.count <= RegisterBlock.maximumCount)
            #expect(Int(block.address) % limits.alignment == 0 && block.count % limits.alignment == 0)
            #expect(Int(block.address) + block.count <= 0x10000)
            if limits.window > 0 {
                #expect(Int(block.address) / limits.window == (Int(block.address) + block.count - 1) / limits.window)
            }
        }
        for register in map.registers where !register.isFallback {
            let end = Int(register.address) + register.type.words
            #expect(
                map.blocks().contains { block in
                    block.function == register.function && block.address <= register.address
                        && end <= Int(block.address) + block.count && block.group == register.group
                }, "\(register.address)")
        }
    }

    @Test(arguments: meters.map(\.name))
    func `a register that a meter's profile leaves out is not one that it reads`(name: String) throws {
        let map = try #require(Shipped.catalog[name]?.registers)
        guard map.sunSpec == nil else { return }
        for unused in map.unused {
            #expect(!map.registers.contains { $0.address == unused.address }, "\(unused)")
            #expect(!unused.what.isEmpty)
        }
    }

    @Test func `names and other names of profiles are told apart`() {
        let names = ProfileCatalog.builtIn.profiles.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        #expect(Self.meters.count >= 80)
        let listed = [
            "eastron_sdm630", "carlogavazzi_em340", "schneider_iem3155", "abb_b23", "janitza_umg96rm",
            "siemens_pac2200", "orno_we516", "chint_dtsu666", "finder_7m38", "inepro_pro380", "hager_ecr380d",
            "socomec_countis_e24", "iskra_wm3", "sunspec_103", "solaredge_meter", "fronius_meter", "sma_inverter",
            "growatt_tlx", "huawei_meter", "victron_grid", "acrel_adl400", "pzem_016",
        ]
        #expect(listed.filter { ProfileCatalog.builtIn[$0]?.name != $0 } == [])
    }

    @Test func `a shipped case means the same when all profiles are in use`() {
        let all = Shipped.catalog.profiles
        for profile in all where profile.messages != nil {
            #expect(ProfileCheck.failures(of: profile, among: all) == [])
        }
    }

    @Test func `every file of the folder is in the program and is named like its profile`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/Field/Devices/Profiles")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".toml") }
        #expect(files.map { String($0.dropLast(5)) }.sorted() == ProfileCatalog.builtIn.names)
        for source in ProfileCatalog.builtInSources {
            #expect(try Data(contentsOf: folder.appendingPathComponent(source.file)) == Data(source.text))
        }
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
