import Billing
import ConfigurationFile
import Foundation
import Logging
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping
import Usage

@testable import Gateway

/// A home's store in a directory of its own and the pipeline over it: log, History, Usage and ledger as the daemon has
/// them, with a clock that the test moves. Made and used by one task.
final class HomeWorld {
    static let start = Timestamp(seconds: 1_774_742_400)  // 2026-03-29T00:00:00Z, a slot's start

    let directory: URL
    private let clock: ManualClock
    private let configuration: Configuration
    private var store: HomeStore?
    private(set) var pipeline: Pipeline

    init(_ configuration: Configuration = Configuration()) async throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("gateway-\(UUID().uuidString)")
        clock = ManualClock(wall: HomeWorld.start)
        self.configuration = configuration
        let opened = try HomeWorld.open(directory, configuration, clock)
        (store, pipeline) = (opened.store, opened.pipeline)
        await pipeline.start()
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private static func open(
        _ directory: URL, _ configuration: Configuration, _ clock: ManualClock
    ) throws -> (store: HomeStore, pipeline: Pipeline) {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = try HomeStore(
            directory: directory.path, configuration: configuration, clock: clock, logger: logger)
        return (store, try Pipeline(opening: PipelineParts(store, clock, logger)))
    }

    static func id(_ number: UInt64) -> DeviceID { DeviceID(high: 7, low: 100 + number) }

    static func device(
        _ number: UInt64, role: DeviceRole = .load, watts: Int64? = 3_700, counters: [Counter] = []
    ) -> Device {
        Device(
            id: id(number), name: "d\(number)", role: role, family: "test", ratingWatts: watts, counters: counters,
            validFrom: Timestamp(seconds: 0))
    }

    func append(_ record: Record) throws { _ = try store?.facts.append([record]) }

    /// One reading, `seconds` after `start`; it comes when the clock says.
    func read(_ seconds: Int64, _ value: Int64, device: UInt64, _ quantity: Quantity) throws {
        guard let store else { return }
        let key = SeriesKey(device: HomeWorld.id(device), channel: .total, quantity: quantity)
        let reading = Reading(
            series: try store.facts.number(for: key), time: HomeWorld.start + 1000 * seconds,
            received: clock.now().wall, value: value, flags: [])
        try append(.readings([reading]))
    }

    /// The clock goes on to so many seconds after `start`.
    func wait(until seconds: Int64) {
        let ahead = HomeWorld.start + 1000 * seconds - clock.now().wall
        if ahead > 0 { clock.advance(by: ahead) }
    }

    /// As the API reads it.
    func historyReading() throws -> GatewayHome.HistoryReading? {
        guard let store else { return nil }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return GatewayHome.HistoryReading(store.history, clock: clock, logger: logger)
    }

    func tick() async { await pipeline.tick() }

    /// Stops and starts again; `cleanly` or as if the process had been killed after a flush.
    func restart(cleanly: Bool) async throws {
        if cleanly { await pipeline.close() } else { await pipeline.tick() }
        store?.place.release()
        store = nil
        let opened = try HomeWorld.open(directory, configuration, clock)
        (store, pipeline) = (opened.store, opened.pipeline)
        await pipeline.start()
    }

    /// What the API would tell of all slots.
    func rows() async throws -> [UsageRow] {
        try await pipeline.rows(
            by: .slot, from: HomeWorld.start - Span.day, to: HomeWorld.start + 30 * Span.day, zone: .utc)
    }

    func decisions() async throws -> [Decision] {
        try await pipeline.decisions(
            from: HomeWorld.start - Span.day, until: HomeWorld.start + 30 * Span.day, device: nil, limit: 10_000)
    }
}
