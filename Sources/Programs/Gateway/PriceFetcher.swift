import API
import APITypes
import Billing
import Disk
import Glibc
import HTTPClient
import Logging
import Metering
import Modbus
import Prices
import Records
import ServiceLifecycle
import Threads
import Timekeeping

/// Looks at price lists where the configuration says, at their intervals, and puts what is new into the log: a replay
/// then finds the prices that there were. Blocks on a thread of its own, never on the cooperative pool.
actor PriceFetcher {
    private struct Source {
        let source: PriceSource
        /// Monotonic, ms.
        var due: Int64 = 0
        var failures = 0
        var trouble: String?
        var told: String?
        var last: Timestamp?
    }

    /// After a failure it tries again after one minute, two, four, …, at most so often before the next regular look.
    private static let firstPause: Int64 = Span.minute
    private static let maximumRetries = 5
    private static let timeout = 30_000

    private nonisolated let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var sources: [Source]
    private let pipeline: Pipeline
    private let sink: LogSink
    private let zone: Zone
    private let clock: any Clock
    private let logger: Logger
    private let client = HTTPClient()

    init(
        _ sources: [PriceSource], pipeline: Pipeline, sink: LogSink, zone: Zone, clock: any Clock, logger: Logger
    ) {
        self.sources = sources.filter { $0.place != nil }.map { Source(source: $0) }
        self.pipeline = pipeline
        self.sink = sink
        self.zone = zone
        self.clock = clock
        self.logger = logger
    }

    deinit {
        executor.stop()
    }

    /// How each list is doing.
    var stages: [StageStatus] {
        sources.map { source in
            let state: StageStatus.State = source.trouble != nil ? .failed : source.last == nil ? .waiting : .ok
            return StageStatus(name: "prices \(source.source.name)", state: state, detail: Self.text(source))
        }
    }

    /// One sentence about a list; nil for one that is not looked at.
    func state(of list: String) -> String? {
        sources.first { $0.source.name == list }.map(Self.text)
    }

    private static func text(_ source: Source) -> String {
        if let trouble = source.trouble { return trouble }
        return source.last.map { "read at \($0.rfc3339(milliseconds: .never))" } ?? "not read yet"
    }

    /// Looks at every list that is due; returns the ms until the next one is.
    func round() async -> Int64 {
        for i in sources.indices where sources[i].due <= clock.now().monotonic { await look(at: i) }
        let next = sources.map(\.due).min() ?? .max
        return max(Span.second, next - clock.now().monotonic)
    }

    private func look(at i: Int) async {
        let source = sources[i].source
        do {
            let bytes = try fetch(source)
            let runs = try PriceReader(layout: source.layout, zone: zone)
                .runs(bytes, list: source.name, currency: source.currency)
            let news = await pipeline.news(in: runs)
            if !news.isEmpty { sink.append(news.map(Record.prices)) }
            sources[i].failures = 0
            sources[i].trouble = nil
            sources[i].last = clock.now().wall
            sources[i].due = clock.now().monotonic + source.interval
            if sources[i].told != nil {
                logger.notice("the price list can be read again", metadata: ["list": "\(source.name)"])
                sources[i].told = nil
            }
        } catch {
            failed(i, "\(error)")
        }
    }

    private func failed(_ i: Int, _ reason: String) {
        let source = sources[i].source
        sources[i].failures += 1
        sources[i].trouble = reason
        let retry = sources[i].failures <= PriceFetcher.maximumRetries
        let pause = retry ? PriceFetcher.firstPause << Int64(sources[i].failures - 1) : source.interval
        if !retry { sources[i].failures = 0 }
        sources[i].due = clock.now().monotonic + min(pause, source.interval)
        // A list that is away for days says so once.
        guard sources[i].told != reason else { return }
        sources[i].told = reason
        logger.warning("the price list cannot be read", metadata: ["list": "\(source.name)", "reason": "\(reason)"])
    }

    private func fetch(_ source: PriceSource) throws -> [UInt8] {
        switch source.place {
        case nil: return []
        case .file(let path):
            guard let bytes = try AtomicFile.read(path, limit: PriceReader.maximumBytes, in: LocalFileSystem()) else {
                throw PriceProblem("there is no file \(path)")
            }
            return bytes
        case .url(let text):
            let today = zone.day(containing: clock.now().wall)
            let url = PriceSource.address(text, today: today)
            let answer = try client.send(
                HTTPRequest(
                    url: url, headers: [("Accept", "application/json, text/csv")], timeout: PriceFetcher.timeout,
                    maximumBodyBytes: PriceReader.maximumBytes))
            guard answer.status == 200 else { throw PriceProblem("\(url) answers with status \(answer.status)") }
            return answer.body
        }
    }
}

private struct PriceProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Keeps the fetcher going until the gateway stops.
struct PriceService: Service {
    let fetcher: PriceFetcher

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let pause = await fetcher.round()
                do { try await Task.sleep(for: .milliseconds(pause)) } catch { return }
            }
        }
    }
}
