import API
import APITypes
import Disk
import Exchange
import Glibc
import History
import Intake
import Metering
import Modbus
import ReadingLog
import Records
import Timekeeping
import Upkeep

extension GatewayHome {
    var store: (any StoreView)? { GatewayStore(home: self) }
}

/// The store of a running gateway, as the API looks after it. Each piece of work has a thread of its own, and there are
/// never more than `StoreWork.maximum` of them.
struct GatewayStore: StoreView {
    let home: GatewayHome

    private let fileSystem = LocalFileSystem()

    /// A store that is not there has no figures, and nothing to be written out.
    private func directory() throws(Problem) -> StateDirectory {
        if let absence = home.pipeline.parts.place.absence {
            throw Problem(status: 503, title: "No state directory", detail: absence.reason)
        }
        return StateDirectory(home.upkeep.directory)
    }

    func storeFigures() async throws -> StoreAnswer {
        let directory = try directory()
        let fileSystem = fileSystem
        let work = try StoreWork(home.upkeep.limit)
        var figures = try await work.run {
            try StoreFigures(directory, fileSystem: fileSystem, isLive: true)
        }
        figures.series = home.facts.dictionary.count
        return StoreAnswer(
            directory: directory.path, figures: figures,
            measuredPerDay: ProcessWrites.perDay(since: home.started, now: home.clock.now().wall))
    }

    func export(
        _ filter: SeriesFilter, since: Timestamp?, until: Timestamp?, format: ExchangeFormat
    ) async throws -> ExportStream {
        _ = try directory()
        let work = try StoreWork(home.upkeep.limit)
        // What was heard up to now is in it.
        await home.pipeline.tick()
        let selection = ExportSelection(device: filter.device, channel: filter.channel, quantity: filter.quantity)
        let series: [(key: SeriesKey, device: String)]
        do throws(ExportSelection.Nothing) {
            series = try selection.series(home.history, log: home.facts.dictionary.entries.map(\.key)) {
                home.intake.device($0)?.name
            }
        } catch {
            let device = filter.device.flatMap { home.intake.device(named: $0) == nil ? $0 : nil }
            throw Problem.notFound(device.map { "no device is called \($0)" } ?? error.description)
        }
        let end = min(until ?? Timestamp.validRange.upperBound, Timestamp.validRange.upperBound)
        await work.begin(
            HistoryExport(
                home.history, series: series, since: since ?? Timestamp.validRange.lowerBound, until: end,
                format: format))
        return ExportStream(next: { try await work.nextOfExport() }, damage: { await work.exportDamage() })
    }

    func backup() async throws -> Pieces {
        let directory = try directory()
        let work = try StoreWork(home.upkeep.limit)
        // As little as possible to do again after a restore.
        await home.pipeline.tick()
        await home.pipeline.checkpoint()
        let logs = [("log/facts/0/", home.facts), ("log/slots/0/", home.pipeline.slots)]
        await work.begin(
            BackupOrder(
                directory: directory, fileSystem: fileSystem, gateway: home.gateway, created: home.clock.now().wall,
                version: home.version
            ) { path in
                for (place, log) in logs {
                    guard let active = log.activeFile, path == place + active.name else { continue }
                    return Int64(active.durableBytes)
                }
                return nil
            })
        return { try await work.nextOfBackup() }
    }

    func importReadings(_ lines: [UInt8], isRehearsal: Bool) async throws -> ImportAnswer {
        _ = try directory()
        let work = try StoreWork(home.upkeep.limit)
        // What was taken in before is known to History, so that the same lines again change nothing.
        await home.pipeline.tick()
        let home = home
        let outcome = try await work.run { () throws -> ImportOutcome in
            var importing = ReadingImport(
                home: RunningHome(home: home), isRehearsal: isRehearsal, retention: home.upkeep.retention,
                now: home.clock.now().wall)
            return try importing.take(lines)
        }
        if outcome.taken > 0, !isRehearsal { await home.pipeline.tick() }
        return ImportAnswer(outcome)
    }
}

/// What the gateway's own looking after its store needs to know.
struct GatewayUpkeep: Sendable {
    let directory: String
    /// How far back History keeps readings, in ms.
    let retention: Int64
    let limit = StoreWork.Limit()
}

/// Bytes that this process has had written to the disk, by the kernel's count.
enum ProcessWrites {
    /// Below that a start's own writes would be taken for every day's.
    private static let minimum = Span.hour

    static func perDay(since started: Timestamp, now: Timestamp) -> Double? {
        let elapsed = now - started
        guard elapsed >= minimum, let bytes = total() else { return nil }
        return Double(bytes) * Double(Span.day) / Double(elapsed)
    }

    private static func total() -> Int64? {
        guard let text = try? AtomicFile.read("/proc/self/io", limit: 4096, in: LocalFileSystem()) else { return nil }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        return lines.first { $0.hasPrefix("write_bytes: ") }.flatMap { Int64($0.dropFirst(13)) }
    }
}
