import APITypes
import Metering
import Records
import Testing
import Timekeeping

@testable import Gateway

/// Pages of raw values as the API asks for them, out of files and the head.
@Suite(.timeLimit(.minutes(2))) struct HistoryPagesTests {
    private static let count = 5_000
    private static let key = SeriesKey(device: HomeWorld.id(1), channel: .total, quantity: .power)

    /// Values at 10 s, sealed as time goes on: stretches of up to two hours.
    private func world() async throws -> HomeWorld {
        let world = try await HomeWorld()
        try world.append(.device(HomeWorld.device(1)))
        for i in 0..<Self.count {
            world.wait(until: Int64(i) * 10)
            try world.read(Int64(i) * 10, Int64(i) * 1_005, device: 1, .power)
            if i % 100 == 99 { await world.tick() }
        }
        await world.tick()
        return world
    }

    private static func row(_ i: Int) -> String {
        "[\((HomeWorld.start + Int64(i) * 10_000).milliseconds),\(Thousandths.text(Int64(i) * 1_005))]"
    }

    @Test func `pages of any length have every value once and know where they end`() async throws {
        let world = try await world()
        let reading = try #require(try world.historyReading())
        let expected = (0..<Self.count).map(Self.row)
        let end = HomeWorld.start + Span.day
        for limit in [1_000, 719, 720, 721, 1_999, 2_000, 2_160, 2_161, 4_999, 5_000, 5_001, 10_000] {
            var rows: [String] = []
            var from: Timestamp? = HomeWorld.start
            var page = HistoryRows()
            while let begin = from {
                page.removeAll()
                from = try await reading.rows(Self.key, from: begin, to: end, step: nil, limit: limit, into: &page)
                #expect(page.count <= limit)
                // A page that is full says whether there are more; one that is not may be followed by an empty one.
                if page.count == limit { #expect((from != nil) == (rows.count + limit < Self.count), "limit \(limit)") }
                if page.count > 0 {
                    let text = String(decoding: page.bytes, as: UTF8.self)
                    rows += text.dropLast().split(separator: "],").map { $0 + "]" }
                }
                if from == begin { break }
            }
            #expect(rows == expected, "limit \(limit)")
        }
        withExtendedLifetime(world) {}  // its files go with it
    }

    @Test func `a long answer comes in pages of some two thousand rows, each ending with a block`() async throws {
        let world = try await world()
        let reading = try #require(try world.historyReading())
        var page = HistoryRows()
        let next = try await reading.rows(
            Self.key, from: HomeWorld.start, to: HomeWorld.start + Span.day, step: nil, limit: 10_000, into: &page)
        #expect((2_000..<3_000).contains(page.count))
        let more = try #require(next)
        var following = HistoryRows()
        _ = try await reading.rows(
            Self.key, from: more, to: HomeWorld.start + Span.day, step: nil, limit: 1, into: &following)
        #expect(String(decoding: following.bytes, as: UTF8.self) == Self.row(page.count))
        withExtendedLifetime(world) {}  // its files go with it
    }
}
