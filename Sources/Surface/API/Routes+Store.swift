import APITypes
import Exchange
import Hummingbird
import NIOCore
import Timekeeping
import Upkeep

/// The store: figures, export, import, backup.
extension Routes {
    /// Bytes of lines that one request may bring.
    static let maximumImport = 8 << 20

    static func addStore(_ router: Router<BasicRequestContext>, _ routes: Routes) {
        router.get("/v1/store") { request, _ in
            _ = try Query(request, known: [])
            return Routes.answer(try await routes.store().storeFigures())
        }
        router.get("/v1/store/export") { request, _ in try await routes.export(request) }
        router.post("/v1/store/import") { request, _ in try await routes.importReadings(request) }
        router.get("/v1/store/backup") { request, _ in
            _ = try Query(request, known: [])
            return try await Routes.stream(try await routes.store().backup(), type: "application/x-tar")
        }
    }

    private func store() throws(Problem) -> any StoreView {
        guard let store = home.store else { throw .notFound("this home has no store") }
        return store
    }

    private func export(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["device", "channel", "quantity", "since", "until", "format"])
        let name = query.text("format") ?? ExchangeFormat.csv.rawValue
        guard let format = ExchangeFormat(rawValue: name) else {
            throw Problem.badRequest("format=\(name) is not csv, jsonl, influx or prometheus")
        }
        let (since, until) = try query.span()
        let export = try await store().export(try query.filter(), since: since, until: until, format: format)
        let type =
            switch format {
            case .csv: "text/csv; charset=utf-8; header=present"
            case .jsonl: "application/x-ndjson"
            case .influx: "text/plain; charset=utf-8"
            case .prometheus: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        return try await Routes.stream(export.next, type: type, damage: export.damage)
    }

    private func importReadings(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["dry_run"])
        let isRehearsal = try query.flag("dry_run")
        let store = try store()
        guard let body = try? await request.body.collect(upTo: Routes.maximumImport) else {
            throw Problem(
                status: 413, title: "Too large",
                detail: "more than \(Routes.maximumImport >> 20) MiB of lines in one request; send them in parts")
        }
        return Routes.answer(try await store.importReadings(Array(body.readableBytesView), isRehearsal: isRehearsal))
    }

    /// A failure at the beginning is a problem that is told; one on the way ends the connection before the end of the
    /// body, so that nobody takes a part for the whole. What could not be read is known at the end only: it is in the
    /// fields that follow the body, `Energyd-Damaged-Blocks` how many and `Energyd-Damaged-Block` the first of them.
    private static func stream(
        _ pieces: @escaping StoreView.Pieces, type: String,
        damage: @escaping @Sendable () async -> ExportDamage = { ExportDamage() }
    ) async throws -> Response {
        let first = try await pieces()
        let body = ResponseBody { writer in
            if let first { try await writer.write(ByteBuffer(bytes: first)) }
            while let piece = try await pieces() { try await writer.write(ByteBuffer(bytes: piece)) }
            let damage = await damage()
            guard damage.blocks > 0 else { return try await writer.finish(nil) }
            var fields = Response(status: .ok).headers
            fields.append(.init(name: .init("Energyd-Damaged-Blocks")!, value: "\(damage.blocks)"))
            for place in damage.places { fields.append(.init(name: .init("Energyd-Damaged-Block")!, value: place)) }
            try await writer.finish(fields)
        }
        return Response(status: .ok, headers: [.contentType: type], body: body)
    }
}
