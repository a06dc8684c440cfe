import APITypes
import Hummingbird
import NIOCore
import Timekeeping

extension APIServer {
    /// What has to do with money.
    static func addBilling(to router: Router<BasicRequestContext>, _ routes: Routes) {
        router.get("/v1/bills") { request, _ in try await routes.bills(request) }
        router.post("/v1/bills") { request, _ in try await routes.bills(request) }
        router.get("/v1/tariffs") { _, _ in Routes.answer(list: try await routes.home.tariffs()) }
        router.get("/v1/prices") { request, _ in try await routes.prices(request) }
        router.post("/v1/prices") { request, _ in try await routes.takePrices(request) }
        router.get("/v1/usage/compare") { request, _ in try await routes.comparison(request) }
    }
}

extension Routes {
    /// A file of tariffs, and a text of prices.
    private static let maximumTariffs = 1 << 20
    private static let maximumPrices = 8 << 20

    /// Bills under the tariffs in force, under one by its name, or (POST) under those of a file.
    func bills(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["since", "until", "tariff", "file"])
        let (since, until) = try query.span()
        var choice = query.text("tariff").map(TariffChoice.named) ?? .inForce
        if request.method == .post {
            guard query.text("tariff") == nil else { throw Problem.badRequest("tariff does not go with a file") }
            let bytes = try await Routes.body(request, limit: Routes.maximumTariffs)
            choice = .file(bytes, name: query.text("file") ?? "the file")
        }
        return Routes.answer(list: try await home.bills(since: since, until: until, under: choice))
    }

    /// The lists, or the prices of one.
    func prices(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["list", "since", "until"])
        let (since, until) = try query.span()
        guard let list = query.text("list") else {
            guard since == nil, until == nil else { throw Problem.badRequest("since and until need a list") }
            return Routes.answer(list: try await home.priceLists())
        }
        return Routes.answer(list: try await home.prices(list: list, since: since, until: until))
    }

    /// Takes a text of prices in: CSV or JSON.
    func takePrices(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["list", "currency", "time", "price", "per"])
        guard let list = query.text("list"), !list.isEmpty, list.utf8.count <= 64 else {
            throw Problem.badRequest("list is missing: say which list the prices belong to, in at most 64 bytes")
        }
        let bytes = try await Routes.body(request, limit: Routes.maximumPrices)
        return Routes.answer(
            try await home.take(
                PriceImport(
                    list: list, currency: query.text("currency"), time: query.text("time"), price: query.text("price"),
                    per: query.text("per"), text: bytes)))
    }

    func comparison(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["this", "to", "device"])
        let this = query.text("this") ?? ComparedPeriod.month.rawValue
        let to = query.text("to") ?? ComparedTo.previous.rawValue
        guard let period = ComparedPeriod(rawValue: this) else {
            throw Problem.badRequest("this=\(this) is not day, week, month, bill or year")
        }
        guard let other = ComparedTo(rawValue: to) else {
            throw Problem.badRequest("to=\(to) is not previous, last-week, last-month or last-year")
        }
        return Routes.answer(list: try await home.compare(period, to: other, device: query.text("device")))
    }

    private static func body(_ request: Request, limit: Int) async throws -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(status: 413, title: "Too large", detail: "the request is longer than \(limit) bytes")
        }
    }
}
