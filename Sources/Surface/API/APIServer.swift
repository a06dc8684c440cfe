import APITypes
import Hummingbird
import JSONText
import Logging
import NIOCore
import ServiceLifecycle

/// The one HTTP interface, on a Unix socket. Runs until the service group stops it.
public struct APIServer: Service {
    private let home: any HomeView & BusView
    private let socketPath: String
    private let logger: Logger
    private let onReady: @Sendable () async -> Void

    /// `onReady` is called once the socket accepts connections.
    public init(
        home: any HomeView & BusView, socketPath: String, logger: Logger, onReady: @escaping @Sendable () async -> Void
    ) {
        self.home = home
        self.socketPath = socketPath
        self.logger = logger
        self.onReady = onReady
    }

    /// Serves until the task is cancelled or the service group asks for an end.
    public func run() async throws {
        let onReady = onReady
        let application = Application(
            router: APIServer.router(home),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: socketPath)),
            onServerRunning: { _ in await onReady() },
            eventLoopGroupProvider: .singleton,
            logger: logger)
        try await application.run()
    }

    /// Every route in one table.
    public static func router(_ home: any HomeView & BusView) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        let routes = Routes(home: home)
        router.get("/healthz") { _, _ in Response(status: .ok) }
        router.get("/v1/status") { _, _ in Routes.answer(await routes.home.status()) }
        router.get("/v1/devices") { _, _ in Routes.answer(list: try await routes.home.devices()) }
        router.get("/v1/readings") { request, _ in try await routes.readings(request) }
        router.get("/v1/readings/follow") { request, _ in try await routes.follow(request) }
        router.get("/v1/usage") { request, _ in try await routes.usage(request) }
        Routes.addHistory(router, routes)
        Routes.addData(router, routes)
        addBilling(to: router, routes)
        Routes.addBuses(home, to: router)
        Routes.addStore(router, routes)
        return router
    }
}

/// Turns every error into `application/problem+json`; what is not a `Problem` is our own failure and is logged.
struct ProblemMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return ProblemMiddleware.response(problem)
        } catch let error as any HTTPResponseError {
            let status = Int(error.status.code)
            let detail =
                status == 404 ? "there is nothing at \(request.uri.path)" : "the request failed: \(error.status)"
            return ProblemMiddleware.response(
                Problem(status: status, title: error.status.reasonPhrase, detail: detail))
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return ProblemMiddleware.response(.failed("\(error)"))
        }
    }

    static func response(_ problem: Problem) -> Response {
        var json = JSONWriter()
        problem.encode(to: &json)
        return Response(
            status: .init(code: problem.status), headers: [.contentType: "application/problem+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}
