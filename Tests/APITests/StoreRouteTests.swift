import API
import APITypes
import Disk
import Exchange
import Synchronization
import Testing
import Timekeeping
import Upkeep

/// A store whose answers are known beforehand.
struct FixedStore: StoreView {
    struct Broken: Error, CustomStringConvertible { let description = "the card is gone" }

    var pieces: [[UInt8]] = [Array("one\n".utf8), Array("two\n".utf8)]
    /// Piece at which the disk fails.
    var breaksAt: Int?
    /// What its export could not read.
    var damage = ExportDamage()

    private func stream() -> Pieces {
        let next = Atomic<Int>(0)
        return { [pieces, breaksAt] in
            let number = next.add(1, ordering: .relaxed).oldValue
            if number == breaksAt { throw Broken() }
            return number < pieces.count ? pieces[number] : nil
        }
    }

    func storeFigures() async throws -> StoreAnswer {
        let empty = StateDirectory("/nowhere/at/all")
        return StoreAnswer(
            directory: empty.path, figures: try StoreFigures(empty, fileSystem: LocalFileSystem(), isLive: false),
            measuredPerDay: 32e9 / 365)
    }

    func export(
        _ filter: SeriesFilter, since: Timestamp?, until: Timestamp?, format: ExchangeFormat
    ) async throws -> ExportStream {
        if let device = filter.device, device != "washer" { throw Problem.notFound("no device is called \(device)") }
        return ExportStream(next: stream(), damage: { [damage] in damage })
    }

    func importReadings(_ lines: [UInt8], isRehearsal: Bool) async throws -> ImportAnswer {
        var answer = ImportOutcome()
        answer.taken = isRehearsal ? 0 : lines.count { $0 == 0x0A }
        answer.refused = 1
        answer.refusals = [ImportOutcome.Refusal(line: 2, reason: "is \"odd\"")]
        answer.newDevices = ["washer"]
        return ImportAnswer(answer)
    }

    func backup() async throws -> Pieces { stream() }
}

@Suite(.timeLimit(.minutes(1))) struct StoreRouteTests {
    private let routes = RouteTests()

    private func serve(_ store: FixedStore?, _ body: (String) async throws -> Void) async throws {
        var home = FixedHome()
        home.store = store
        try await routes.serve(home, body)
    }

    @Test func `an export and a backup come whole, piece by piece`() async throws {
        try await serve(FixedStore()) { socket in
            let export = try await routes.ask(socket, "/v1/store/export?format=csv&device=washer")
            #expect(export.status == 200)
            #expect(export.type?.hasPrefix("text/csv") == true)
            #expect(export.text == "one\ntwo\n")
            let backup = try await routes.ask(socket, "/v1/store/backup")
            #expect(backup.type == "application/x-tar")
            #expect(backup.text == "one\ntwo\n")
        }
    }

    @Test func `an export that left out damaged blocks says so behind its last byte`() async throws {
        let places = ["/var/lib/energyd/history/raw/7.blk at byte 60: the block is damaged", "…"]
        try await serve(FixedStore(damage: ExportDamage(blocks: 5, places: places))) { socket in
            let export = try await routes.ask(socket, "/v1/store/export")
            #expect(export.status == 200 && export.text == "one\ntwo\n")
            func values(_ name: String) -> [String] {
                export.fields.filter { $0.name.lowercased() == name }.map(\.value)
            }
            #expect(values("energyd-damaged-blocks") == ["5"])
            #expect(values("energyd-damaged-block") == places)
        }
        try await serve(FixedStore()) { socket in
            let export = try await routes.ask(socket, "/v1/store/export")
            #expect(!export.fields.contains { $0.name.lowercased().hasPrefix("energyd-") })
        }
    }

    @Test func `an export that fails on the way is no whole answer`() async throws {
        try await serve(FixedStore(breaksAt: 1)) { socket in
            await #expect(throws: (any Error).self) { try await routes.ask(socket, "/v1/store/export") }
        }
    }

    @Test func `lines of an import are counted and refused by their number`() async throws {
        try await serve(FixedStore()) { socket in
            let answer = try await routes.ask(
                socket, "/v1/store/import", method: "POST", body: Array("a\nb\nc\n".utf8))
            #expect(answer.status == 200)
            #expect(
                answer.text
                    == #"{"taken":3,"known":0,"differing":0,"older":0,"refused":1,"#
                    + #""refusals":[{"line":2,"reason":"is \"odd\""}],"new_devices":["washer"]}"#)
            let rehearsal = try await routes.ask(
                socket, "/v1/store/import?dry_run=1", method: "POST", body: Array("a\n".utf8))
            #expect(rehearsal.text.hasPrefix(#"{"taken":0,"#))
            let tooLarge = try await routes.ask(
                socket, "/v1/store/import", method: "POST", body: [UInt8](repeating: 0x0A, count: 9 << 20))
            #expect(tooLarge.status == 413)
        }
    }

    @Test func `figures tell the wear that a year means`() async throws {
        try await serve(FixedStore()) { socket in
            let answer = try await routes.ask(socket, "/v1/store")
            #expect(answer.status == 200)
            #expect(answer.text.contains(#""written_bytes_per_day":87671233,"#), "\(answer.text)")
            #expect(answer.text.contains(#""fills_of_32_gb_per_year":1,"#), "\(answer.text)")
            #expect(answer.text.contains(#""percent_of_rating_per_year":0.109,"#), "\(answer.text)")
        }
    }

    @Test func `mistakes are told`() async throws {
        try await serve(FixedStore()) { socket in
            for (path, status) in [
                ("/v1/store/export?format=xml", 400), ("/v1/store/export?device=wsher", 404), ("/v1/store?x=1", 400),
                ("/v1/store/export?since=2026-02-02T00:00:00Z&until=2026-02-01T00:00:00Z", 400),
            ] {
                let answer = try await routes.ask(socket, path)
                #expect(answer.status == status, "\(path)")
                #expect(answer.type == "application/problem+json", "\(path)")
            }
        }
        try await serve(nil) { socket in
            let answer = try await routes.ask(socket, "/v1/store")
            #expect(answer.status == 404)
        }
    }
}
