import Foundation
import Simulation
import Testing

/// Bills through the daemon: the same as a replay's, under tariffs as people have them.
@Suite(.timeLimit(.minutes(3)))
struct BillTests {
    /// In force on the day of 25 hours, with windows in the hour that comes twice.
    private static let timeOfUse = """

        [[tariff]]
        name = "zeit"
        valid_from = "2025-10-26T00:00:00+02:00"
        import = "0.3391"
        export = "0.0811"
        [[tariff.window]]
        name = "night"
        hours = "22:00-05:00"
        import = "0.2177"
        [[tariff.window]]
        name = "noon"
        days = "weekend"
        hours = ["11:00-14:30"]
        import = "0.2555"
        [[tariff.standing]]
        name = "Grundpreis"
        amount = "12.90"
        per = "month"
        [[tariff.demand]]
        name = "Leistung"
        price = "2.5"
        per = "month"
        [[tariff.levy]]
        name = "Stromsteuer"
        per_kwh = "0.0205"
        [[tariff.levy]]
        name = "USt"
        percent = 19

        """

    private static let dynamic = """

        [[tariff]]
        name = "dynamisch"
        valid_from = "2025-10-01T00:00:00+02:00"
        [tariff.dynamic]
        prices = "spot"
        surcharge = "0.018"
        [[tariff.levy]]
        name = "USt"
        percent = 19

        """

    /// Every hour from the day before the house's to the day after.
    private static func prices() -> String {
        let first = AutumnHouse.start - 86_400
        return (0..<72).map { "{\"start\":\(first + Int64($0) * 3600),\"price\":\($0 % 7 * 31 - 20)}" }
            .joined(separator: ",")
    }

    private func publish(_ home: TestHome) async throws -> String {
        let house = AutumnHouse()
        let publisher = try await Publisher(home)
        for meter in house.meters { try await publisher.publish(meter) }
        let file = home.directory + "/facts.jsonl"
        try (house.meters.flatMap(\.lines).joined(separator: "\n") + "\n")
            .write(toFile: file, atomically: false, encoding: .utf8)
        try await home.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
        try await home.awaitImport("boiler", since: house.since, milliwattHours: house.boilerImport)
        return file
    }

    private func replayed(_ home: TestHome, _ file: String, _ more: String...) async throws -> [Row] {
        let outcome = try await Programs.run(
            Programs.energyctl, ["replay", "--config", home.configuration, "-o", "json", file] + more,
            in: home.directory)
        #expect(outcome.code == 0, "\(outcome.errors)")
        return try Row.list(outcome.output, "cost")
    }

    /// Bills without what only the daemon tells.
    private func billed(_ home: TestHome) async throws -> [Row] {
        try await home.rows("bill", "list", "--since", utc(AutumnHouse.start)).map { row in
            Row(row.members.filter { $0.key != "coverage" })
        }
    }

    @Test func `the daemon's bill under a tariff by time of use is the replay's`() async throws {
        try await withHome(configuration: Self.timeOfUse) { home in
            _ = try await home.startDaemon()
            let file = try await publish(home)
            let bills = try await billed(home)
            #expect(bills == (try await replayed(home, file)))
            let bill = try #require(bills.first)
            #expect(bill["from"] == "2025-10-01T00:00:00+02:00" && bill["to"] == "2025-11-01T00:00:00+01:00")
            for kind in ["energy", "export", "standing", "demand", "levy", "tax"] {
                #expect(bill["lines"].contains("{\"kind\":\"\(kind)\""), "\(bill)")
            }
            let shown = try await home.energyctl("bill", "show", "2025-10")
            #expect(shown.code == 0 && shown.output.contains("Energy, zeit, night"), "\(shown)")
            #expect(shown.output.contains("USt, zeit") && shown.output.contains("19 %"))
            #expect(try await home.energyctl("bill", "show", "2024-01").code == 4)

            let compared = try await home.rows("tariff", "compare", "basic", "zeit", "--since", utc(AutumnHouse.start))
            #expect(compared.map { $0["tariff"] } == ["in force", "basic", "zeit"])
            #expect(compared[2]["total"] == bill["total"] && compared[2]["difference"] == "0.00")
            let own = home.directory + "/flat.toml"
            try "[[tariff]]\nname = \"x\"\nimport = 1\n".write(toFile: own, atomically: false, encoding: .utf8)
            let flat = try await home.rows("tariff", "compare", own, "--since", utc(AutumnHouse.start))
            #expect(Double(flat[1]["total"]).map { abs($0 - Double(AutumnHouse().gridImport) / 1e6) < 0.0051 } == true)

            // A tariff whose list has no prices is not the cheapest.
            let listed = home.directory + "/listed.toml"
            let dynamic = "[[tariff]]\nname = \"x\"\n[tariff.dynamic]\nprices = \"nowhere\"\n"
            try dynamic.write(toFile: listed, atomically: false, encoding: .utf8)
            let unpriced = try await home.energyctl(
                "tariff", "compare", listed, "--since", utc(AutumnHouse.start))
            #expect(unpriced.code == 0 && unpriced.errors.contains("has no price"), "\(unpriced.errors)")
            let last = unpriced.output.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("difference") && last.hasSuffix(" -"), "\(unpriced.output)")
            for path in [["bill"], ["tariff"], ["tariff", "prices"]] {
                let help = try await Programs.run(Programs.energyctl, path + ["--help"], in: home.directory)
                #expect(help.code == 0 && help.output.contains("(default)"), "\(path)")
            }

            let chart = try await home.energyctl("usage", "--chart", "--since", utc(AutumnHouse.start))
            #expect(chart.code == 0 && chart.output.contains("##") && !chart.output.contains("\u{1B}"))
            #expect(chart.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        }
    }

    @Test func `prices that are fetched stay, and a replay with them gives the same bill`() async throws {
        var served = ""
        try await withHome { home in
            served = home.directory + "/served.json"
            let server = try PriceServer(serving: served)
            defer { server.stop() }
            try "{\"data\":[\(Self.prices())]}".write(toFile: served, atomically: true, encoding: .utf8)
            let list = """

                [[prices]]
                name = "spot"
                url = "http://127.0.0.1:\(server.port)/day/{today}"
                per = "MWh"

                """
            try home.configure(Self.dynamic + list)
            let daemon = try await home.startDaemon()
            try await home.awaitStage("prices spot", "ok")
            let file = try await publish(home)
            var bills: [Row] = []
            try await eventually("prices are durable") {
                bills = try await billed(home)
                return bills.first?["lines"].contains("dynamic") == true && bills.first?["unpriced_import_wh"] == ""
            }
            let prices = try await home.energyctl(
                "tariff", "prices", "show", "spot", "--since", utc(AutumnHouse.start - 86_400), "-o", "csv")
            #expect(prices.code == 0 && prices.output.split(separator: "\n").count > 50, "\(prices.errors)")
            let csv = home.directory + "/spot.csv"
            try prices.output.write(toFile: csv, atomically: false, encoding: .utf8)
            #expect(bills == (try await replayed(home, file, "--prices", "spot=\(csv)")))
            // The list is away, the daemon starts again: what it knew it knows.
            #expect(await daemon.stop() == .exited(code: 0))
            try FileManager.default.removeItem(atPath: served)
            _ = try await home.startDaemon()
            try await home.awaitStage("prices spot", "failed")
            #expect(try await billed(home) == bills)
        }
    }

    @Test func `imported prices are taken in once, and a price that is changed is told and prices the past anew`()
        async throws
    {
        try await withHome(configuration: Self.dynamic) { home in
            let daemon = try await home.startDaemon()
            _ = try await publish(home)
            let before = try #require(try await billed(home).first)
            // Nothing is known of the list: no energy is free.
            #expect(before["unpriced_import_wh"] == wattHours(AutumnHouse().gridImport) && before["total"] == "0.00")
            let file = home.directory + "/prices.json"
            try "[\(Self.prices())]".write(toFile: file, atomically: false, encoding: .utf8)
            let first = try await home.energyctl(
                "tariff", "prices", "import", file, "--list", "spot", "--per", "MWh", "-o", "json")
            #expect(try Row.one(first.output)["new"] == "72", "\(first)")
            let again = try await home.energyctl(
                "tariff", "prices", "import", file, "--list", "spot", "--per", "MWh", "-o", "json")
            #expect(try Row.one(again.output)["new"] == "0")
            let priced = try #require(try await billed(home).first)
            #expect(priced["unpriced_import_wh"] == "" && priced["total"] != "0.00")
            let wrong = try await home.energyctl("tariff", "prices", "import", home.configuration, "--list", "spot")
            #expect(wrong.code == 2 && wrong.errors.contains("the prices cannot be read"), "\(wrong)")

            #expect(await daemon.stop() == .exited(code: 0))
            let changed = Self.dynamic.replacingOccurrences(of: "0.018", with: "0.118")
            try home.configure(changed)
            let next = try await home.startDaemon()
            #expect(next.log.contains("prices changed") && next.log.contains("a bill is priced anew"), "\(next.log)")
            #expect(next.log.contains("0.018 -> ") && next.log.contains("0.118"), "\(next.log)")
            let dearer = try #require(try await billed(home).first)
            #expect(try #require(Double(dearer["total"])) > (try #require(Double(priced["total"]))))
        }
    }

    @Test func `a home that moves keeps the days that it had`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            _ = try await publish(home)
            let since = utc(AutumnHouse.start)
            let before = try await home.rows("usage", "--by", "day", "--since", since)
            #expect(await daemon.stop() == .exited(code: 0))
            let text = try String(contentsOfFile: home.configuration, encoding: .utf8)
            try text.replacingOccurrences(of: "Europe/Berlin", with: "America/New_York")
                .write(toFile: home.configuration, atomically: false, encoding: .utf8)
            let next = try await home.startDaemon()
            #expect(next.log.contains("the home has another zone"))
            #expect(try await home.status()["zone"] == "America/New_York")
            #expect(try await home.rows("usage", "--by", "day", "--since", since) == before)
        }
    }
}
