import APITypes
import Hummingbird
import JSONScanner
import Metering
import NIOCore
import Timekeeping

// Counters that went wrong: what was decided, and what a person decides instead.
extension Routes {
    /// A command is a few hundred bytes.
    static let maximumBody = 16 << 10
    private static let maximumAnomalies = 10_000
    private static let defaultAnomalies = 1000

    static func addData(_ router: Router<BasicRequestContext>, _ routes: Routes) {
        router.get("/v1/data/anomalies") { request, _ in try await routes.anomalies(request) }
        router.get("/v1/data/explain") { request, _ in try await routes.explain(request) }
        router.get("/v1/data/audit") { request, _ in try await routes.audit(request) }
        router.post("/v1/data/corrections") { request, _ in try await routes.correct(request, .correct) }
        router.post("/v1/data/undo") { request, _ in try await routes.correct(request, .undo) }
        router.post("/v1/devices/replace") { request, _ in try await routes.correct(request, .replace) }
    }

    private func view() throws(Problem) -> any DataView {
        guard let data = home.data else { throw .notFound("the data of this home cannot be corrected") }
        return data
    }

    private func anomalies(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["since", "until", "device", "limit"])
        let (since, until) = try query.span()
        let limit = try query.integer("limit", 1...Routes.maximumAnomalies) ?? Routes.defaultAnomalies
        let found = try await view().anomalies(
            since: since ?? Timestamp.validRange.lowerBound, until: until ?? Timestamp.validRange.upperBound,
            device: query.text("device"), limit: limit)
        return Routes.answer(list: found)
    }

    private func explain(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["series", "time"])
        guard let series = query.text("series") else {
            throw Problem.badRequest("series is missing: name it as in series=plug/total/energy_import")
        }
        guard let time = try query.time("time") else {
            throw Problem.badRequest("time is missing: say when, as in time=2026-03-01T00:00:00Z")
        }
        return Routes.answer(try await view().explain(series, at: time))
    }

    private func audit(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["limit"])
        let limit = try query.integer("limit", 1...Routes.maximumAnomalies) ?? Routes.defaultAnomalies
        return Routes.answer(list: try await view().audit(limit: limit))
    }

    private func correct(_ request: Request, _ kind: CorrectionRequest.Kind) async throws -> Response {
        let query = try Query(request, known: ["preview"])
        let preview = try query.flag("preview")
        let body = try await Routes.body(request)
        let known = CorrectionRequest.names(kind)
        var members: [String: String] = [:]
        for (name, value) in body {
            guard known.contains(name) else {
                throw Problem.badRequest(
                    "\(name) is no member of this request; it takes \(known.joined(separator: ", "))")
            }
            guard members.updateValue(value, forKey: name) == nil else {
                throw Problem.badRequest("\(name) is given twice")
            }
        }
        return Routes.answer(
            try await view().correct(CorrectionRequest(kind: kind, members: members), preview: preview))
    }

    /// The members of a body that is a JSON object of texts and numbers.
    private static func body(_ request: Request) async throws -> [(name: String, value: String)] {
        let buffer = try await request.body.collect(upTo: maximumBody)
        let document: JSONDocument
        do {
            document = try JSONDocument(bytes: Array(buffer.readableBytesView))
        } catch {
            throw Problem.badRequest("the body is not JSON: \(error)")
        }
        guard document.root.kind == .object else { throw Problem.badRequest("the body is not a JSON object") }
        var members: [(name: String, value: String)] = []
        for member in document.root.members {
            let name = member.key.string() ?? ""
            let number = member.value.numberText.map { String(decoding: $0, as: UTF8.self) }
            guard let value = member.value.string() ?? number else {
                throw Problem.badRequest("\(name) is neither a text nor a number")
            }
            guard value.utf8.count <= 1024 else { throw Problem.badRequest("\(name) is longer than 1,024 bytes") }
            members.append((name, value))
        }
        return members
    }
}
