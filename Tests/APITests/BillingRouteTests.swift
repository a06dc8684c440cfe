import JSONScanner
import Testing

/// What has to do with money, over the real server.
extension RouteTests {
    @Test func `bills come under the tariffs in force, under one by name, and under those of a file`() async throws {
        try await serve { socket in
            let inForce = try await ask(socket, "/v1/bills")
            #expect(
                inForce.text
                    == #"[{"from":"2026-02-02T02:40:00Z","to":"2026-02-03T02:40:00Z","tariff":"basic","currency":"EUR","#
                    + #""lines":[{"kind":"energy","label":"Energy, basic","quantity":"2","unit":"kWh","price":"0.3","#
                    + #""amount":"0.60"}],"total":"0.60","coverage":0.0416}]"#)
            #expect(try await ask(socket, "/v1/bills?tariff=night").text.contains(#""tariff":"night""#))
            #expect(try await ask(socket, "/v1/bills?tariff=dya").status == 404)
            let file = try await ask(socket, "/v1/bills?file=a.toml", method: "POST", body: Array("[[tariff]]".utf8))
            #expect(file.text.contains(#""tariff":"a.toml of 10 bytes""#))
            let both = try await ask(socket, "/v1/bills?tariff=night", method: "POST", body: [])
            #expect(both.status == 400 && both.text.contains("tariff does not go with a file"))
            let long = try await ask(
                socket, "/v1/bills", method: "POST", body: [UInt8](repeating: 0x20, count: (1 << 20) + 1))
            #expect(long.status == 413 && long.text.contains("longer than 1048576 bytes"))
        }
    }

    @Test func `a tariff says all that it has, in words`() async throws {
        try await serve { socket in
            let text = try await ask(socket, "/v1/tariffs").text
            #expect(
                text
                    == #"[{"name":"night","model":"time of use","currency":"EUR","valid_from":"2026-02-02T03:40:00+01:00","#
                    + #""valid_to":null,"in_force":true,"candidate":false,"import":"0.3","export":null,"#
                    + #""windows":[{"name":"low","when":"mon-fri holidays 00:00-06:00 22:00-24:00","import":"0.2","#
                    + #""export":null}],"levies":[{"name":"VAT","percent":"19","on":"energy standing demand levies"}],"#
                    + #""rounding":"half-even"}]"#)
        }
    }

    @Test func `price lists are listed, shown and imported`() async throws {
        try await serve { socket in
            let lists = try await ask(socket, "/v1/prices").text
            #expect(
                lists
                    == #"[{"name":"spot","currency":"EUR","from":"2026-02-02T02:40:00Z","to":null,"place":null,"state":"ok"}]"#
            )
            let prices = try await ask(socket, "/v1/prices?list=spot").text
            #expect(
                prices
                    == #"[{"from":"2026-02-02T03:40:00+01:00","to":"2026-02-02T04:40:00+01:00","price":"-0.01","#
                    + #""currency":"EUR"}]"#)
            let taken = try await ask(
                socket, "/v1/prices?list=spot&per=MWh", method: "POST", body: Array("time,price\n".utf8))
            #expect(taken.text.hasPrefix(#"{"list":"spot","prices":11,"new":1,"#))
            #expect(try await ask(socket, "/v1/prices", method: "POST", body: [1]).status == 400)
            #expect(try await ask(socket, "/v1/prices?since=2026-01-01T00:00:00Z").status == 400)
        }
    }

    @Test func `a comparison has both spans and the change in per cent`() async throws {
        try await serve { socket in
            let answer = try await ask(socket, "/v1/usage/compare?this=week&to=last-year")
            let rows = Array(try JSONDocument(bytes: answer.body).root.elements)
            #expect(rows.count == 2)
            #expect(rows[0]["device"]?.string() == "week lastYear")
            #expect(rows[0]["change_percent"]?.numberText.map { String(decoding: $0, as: UTF8.self) } == "-33.3")
            #expect(rows[1]["import_wh"]?.isNull == true && rows[1]["change_percent"]?.isNull == true)
            #expect(try await ask(socket, "/v1/usage/compare?this=hour").status == 400)
            #expect(try await ask(socket, "/v1/usage/compare?to=2025").status == 400)
        }
    }
}
