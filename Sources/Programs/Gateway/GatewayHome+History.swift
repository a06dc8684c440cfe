import API
import APITypes
import Billing
import History
import Metering
import Timekeeping

/// The home's past as the API shows it.
struct GatewayHistory: HistoryView {
    let home: GatewayHome

    func series(_ filter: SeriesFilter) async throws -> [HistorySeries] {
        try home.check(filter.device)
        return home.history.latestAll()
            .map { HistorySeries(key: $0.key, device: home.name($0.key.device)) }
            .filter { filter.matches(device: $0.device, channel: $0.key.channel, quantity: $0.key.quantity) }
            .sorted {
                ($0.device, $0.key.channel, $0.key.quantity) < ($1.device, $1.key.channel, $1.key.quantity)
            }
    }

    func step(points: Int, from: Timestamp, to: Timestamp) -> Int64 {
        HistoryStep.fitting(from: from, to: to, maximumBuckets: points)
    }

    func rows(
        _ series: HistorySeries, from: Timestamp, to: Timestamp, step: Int64?, limit: Int, into page: inout HistoryRows
    ) async throws -> Timestamp? {
        try await home.reading.rows(series.key, from: from, to: to, step: step, limit: limit, into: &page)
    }
}

extension GatewayHome {
    var past: (any HistoryView)? { GatewayHistory(home: self) }
}

extension GatewayHome.HistoryReading {
    /// Ends a query of steps when a page is full.
    private struct PageIsFull: Error {
        let next: Timestamp
    }

    func rows(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, step: Int64?, limit: Int, into page: inout HistoryRows
    ) throws -> Timestamp? {
        let damaged = history.statistics.damagedBlocks
        defer { if history.statistics.damagedBlocks > damaged { complain() } }
        guard let step else { return try points(key, from: from, to: to, limit: limit, into: &page) }
        do {
            try history.downsample(key, from: from, to: to, step: step) { bucket in
                guard page.count < limit else { throw PageIsFull(next: bucket.start) }
                page.bucket(
                    bucket.start, min: bucket.min, average: bucket.average, max: bucket.max, last: bucket.last,
                    count: bucket.count)
            }
        } catch let full as PageIsFull {
            return full.next
        }
        return nil
    }

    /// Raw values. A page ends with a stretch, so that no block is decoded for two pages, and it is short: who asked
    /// takes it in while the next is made.
    private func points(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, limit: Int, into page: inout HistoryRows
    ) throws -> Timestamp? {
        let enough = 2_000
        var next: Timestamp?
        try history.columns(key, from: from, to: to) { times, values in
            let count = min(times.count, limit - page.count)
            page.points(.init(rebasing: times[..<count]), .init(rebasing: values[..<count]))
            if count < times.count {
                next = Timestamp(milliseconds: times[count])
            } else if page.count >= enough, page.count < limit, let last = times.last {
                next = Timestamp(milliseconds: last + 1)
            }
            return next == nil
        }
        return next
    }
}

extension GatewayHome.HistoryReading {
    /// Rows of usage with what the roll-ups say about their power. Energy does not wait for it: what cannot be read is
    /// left out.
    func powers(beside rows: [UsageRow], devices: [Device]) -> [UsageRow] {
        var rows = rows
        let damaged = history.statistics.damagedBlocks
        defer { if history.statistics.damagedBlocks > damaged { complain() } }
        RowPowers.fill(&rows, devices: devices) { key, span, body in
            guard history.latest(key) != nil else { return }
            do {
                try history.downsample(key, from: span.from, to: span.to, step: Slot.length) { bucket in
                    body(
                        SlotPower(
                            slot: Slot(containing: bucket.start), least: bucket.min, mean: bucket.average,
                            greatest: bucket.max))
                }
            } catch {
                complain(of: error)
            }
        }
        return rows
    }
}
