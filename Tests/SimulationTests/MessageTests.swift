import Foundation
import Metering
import Simulation
import Testing
import Timekeeping

private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

@Suite struct MessageTests {
    /// Key order and spelling are those of the firmware's energy driver; values are this seed's.
    @Test func `a SENSOR message is what the firmware prints`() throws {
        var house = house(seed: 2)
        house.advance(to: midsummer + 8 * Span.hour)
        let message = house.tasmotaSensor(plug: 0, period: 4)
        #expect(message.topic == "tele/fridge/SENSOR")
        #expect(!message.retain)
        let shape =
            #/
            \{"Time":"2026-06-15T10:00:00","ENERGY":\{"TotalStartTime":"2023-01-07T19:02:11","Total":\d+\.\d{3},
            "Yesterday":\d+\.\d{3},"Today":\d+\.\d{3},"Period":4,"Power":\d+,"ApparentPower":\d+,
            "ReactivePower":\d+,"Factor":\d\.\d{2},"Voltage":\d{3},"Current":\d+\.\d{3}\}\}
            /#
        #expect(message.payload.wholeMatch(of: shape) != nil, "\(message.payload)")
        let energy = try #require(try object(message.payload)["ENERGY"] as? [String: Any])
        let total = try #require(energy["Total"] as? Double)
        let shown = try #require(house.plugs[0].shownMilliwattHours)
        #expect(Int64((total * 1000).rounded()) == shown / 1000)
        #expect(!house.tasmotaSensor(plug: 0, period: nil).payload.contains("Period"))
    }

    @Test func `every message of a live day is valid, and counters only rise`() throws {
        var feed = HouseFeed(house(seed: 6, faults: .seeded), intervalSeconds: 60)
        var last: [String: Int64] = [:]
        var topics: Set<String> = []
        for greeting in feed.greeting() {
            #expect(greeting.retain && greeting.payload.lowercased() == "online")
        }
        let messages = feed.advance(to: midsummer + Span.day)
        var periods: Int64 = 0
        for message in messages {
            topics.insert(message.topic)
            if message.topic.hasSuffix("/LWT") || message.topic.hasSuffix("/available") {
                #expect(["online", "offline"].contains(message.payload.lowercased()) && message.retain)
            } else if message.topic.hasSuffix("/power") {
                #expect(DecimalText(message.payload) != nil)
            } else {
                let json = try object(message.payload)
                if message.topic == "tele/fridge/SENSOR" {
                    let energy = try #require(json["ENERGY"] as? [String: Any])
                    periods += try #require(energy["Period"] as? Int64)
                }
                if message.topic == "energy/pv" {
                    let total = try #require(json["total"] as? [String: Any])
                    let yield = Int64(try #require(total["production_energy"] as? Double))
                    #expect(yield >= last["pv"] ?? 0)
                    last["pv"] = yield
                }
            }
        }
        #expect(topics.contains("tele/fridge/STATE") && topics.contains("energy/dehumidifier"))
        #expect(topics.contains("energy/aquarium/total/power"))
        let truth = feed.house.truth(from: midsummer, to: midsummer + Span.day)
        let fridge = truth.filter { $0.device == "fridge" }.reduce(0) { $0 + $1.imported }
        #expect(abs(periods * 1000 - fridge) < 40_000, "the periods of a day sum to what was used")
        #expect(feed.farewell().allSatisfy { $0.payload.lowercased() == "offline" && $0.retain })
    }

    @Test func `a plug that goes silent is said to be offline, then online`() {
        let fault = Fault(
            device: "fridge", effect: .silent, from: midsummer + 100_000, until: midsummer + 200_000)
        var feed = HouseFeed(house(seed: 6, faults: .script([fault])), intervalSeconds: 10)
        let said = feed.advance(to: midsummer + 300_000).filter { $0.topic == "tele/fridge/LWT" }
        #expect(said.map(\.payload) == ["Offline", "Online"])
    }

    @Test func `history is hours of timed objects that a gateway can take`() throws {
        let start = midsummer + 20 * Span.minute
        var history = HouseHistory(
            house(seed: 6, plugs: 4, start: start), until: midsummer + 6 * Span.hour, intervalSeconds: 60)
        var samples: [String: Int] = [:]
        var hours = 0
        var latest = start
        while let messages = history.nextHour() {
            hours += 1
            for message in messages {
                #expect(message.payload.utf8.count <= 256 * 1024)
                let list = try #require(
                    try JSONSerialization.jsonObject(with: Data(message.payload.utf8)) as? [[String: Any]])
                samples[message.topic, default: 0] += list.count
                let first = try Timestamp(rfc3339: try #require(list.first?["time"] as? String))
                #expect(first > latest - Span.hour)
                latest = max(latest, try Timestamp(rfc3339: try #require(list.last?["time"] as? String)))
                #expect(list.allSatisfy { $0["total"] is [String: Any] })
            }
        }
        #expect(hours == 6)
        #expect(latest == midsummer + 6 * Span.hour)
        #expect(samples["energy/grid"] == 340 && samples["energy/fridge"] == 340 && samples.count == 6)
        #expect(history.house.time == midsummer + 6 * Span.hour)
    }

    @Test func `a replay line carries one reading`() throws {
        var house = house(seed: 6)
        house.advance(to: midsummer + Span.hour)
        var text = ""
        house.appendReplayLines(of: 0, to: &text)
        let lines = text.split(separator: "\n")
        #expect(lines.count == house.readings(of: 0).count)
        let line = try object(String(lines[1]))
        #expect(line["time"] as? String == "2026-06-15T01:00:00Z")
        #expect(line["device"] as? String == "grid")
        #expect(line["channel"] as? String == "total")
        #expect(line["quantity"] as? String == "energy_import")
        #expect(line["value"] is Double)
    }

    @Test func `truth is JSON with null for what a device does not have`() throws {
        var house = house(seed: 6, plugs: 1)
        house.advance(to: midsummer + 30 * Span.minute)
        let lines = house.truth(from: midsummer, to: house.time).map(\.jsonLine)
        #expect(lines.count == 8)
        for line in lines { _ = try object(line) }
        let fridge = try object(try #require(lines.first { $0.contains("fridge") }))
        #expect(fridge["export_wh"] is NSNull && fridge["import_wh"] is Double)
    }
}
