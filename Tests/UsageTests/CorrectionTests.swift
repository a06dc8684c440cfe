import Metering
import Records
import Testing
import Timekeeping

@testable import Usage

/// 10 Wh a minute for two hours, from 5000 Wh; `change` makes of it what went wrong.
private func afternoon(
    minutes: Int64 = 120, _ change: (Int64, Int64) -> Int64? = { $1 }
) -> Meters {
    var meters = Meters()
    meters.add(Meters.device(1))
    for minute in 0...minutes {
        if let wh = change(minute, 5000 + 10 * minute) { meters.read(60 * minute, wh * 1000) }
    }
    meters.settle()
    return meters
}

struct CorrectionTests {
    @Test func `a spike that was booked goes when its reading is dropped, and comes back when that is undone`() throws {
        var meters = afternoon { minute, wh in minute == 50 ? wh + 45 : wh }
        let before = meters.slots()
        // 45 Wh too many, and the step back is lost as a reset.
        #expect(meters.kinds == [.suspect, .reset])
        #expect(meters.sum() == 1_235_000)
        try meters.decide(.drop, from: 50 * 60, to: 50 * 60 + 1)
        #expect(meters.sum() == 1_200_000)
        #expect(meters.slots().allSatisfy { $0.imported == 150_000 && $0.quality == .measured })
        #expect(try meters.undo(1).count == 1)
        #expect(meters.sum() == 1_235_000)
        #expect(meters.slots().map(\.imported) == before.map(\.imported))
        // And live readings go on from there.
        meters.read(121 * 60, 6_210_000)
        meters.settle()
        #expect(meters.sum() == 1_245_000)
    }

    @Test func `a step that was quarantined is booked once a person accepts it`() throws {
        var meters = afternoon { minute, wh in minute >= 60 ? wh + 800 : wh }
        #expect(meters.kinds == [.quarantined, .newSegment])
        #expect(meters.sum() == 1_190_000)
        try meters.decide(.accept, from: 60 * 60)
        #expect(meters.sum() == 2_000_000)
        #expect(meters.slots()[4].imported == 150_000)
        #expect(meters.slots()[3].imported == 950_000)
        meters.read(121 * 60, 7_010_000)
        meters.settle()
        #expect(meters.sum() == 2_010_000)
    }

    @Test func `a quarantined step can be accepted while it still is held`() throws {
        var meters = afternoon(minutes: 61) { minute, wh in minute >= 60 ? wh + 800 : wh }
        #expect(meters.kinds == [.quarantined])
        try meters.decide(.accept, from: 60 * 60)
        meters.read(62 * 60, 6_420_000)
        meters.settle()
        #expect(meters.sum() == 1_420_000)
        #expect(meters.kinds == [.quarantined])
    }

    @Test func `an amount stands in place of what was counted, in its slots only`() throws {
        var meters = afternoon()
        try meters.decide(.amount(100_001), from: 1800, to: 3600)
        #expect(meters.slots().map(\.imported).prefix(5) == [150_000, 150_000, 50_000, 50_001, 150_000])
        #expect(meters.slots()[2].quality == .estimated)
        #expect(meters.slots()[2].estimated == 50_000)
        try meters.undo(1)
        #expect(meters.sum() == 1_200_000)
        #expect(meters.slots()[2].quality == .measured)
    }

    @Test func `an amount fills a time of which nothing is known`() throws {
        var meters = afternoon()
        try meters.decide(.amount(400_000), from: 10_800, to: 14_400)
        #expect(meters.sum() == 1_600_000)
        #expect(meters.slots().count == 12)
        try meters.undo(1)
        #expect(meters.sum() == 1_200_000)
    }

    @Test func `a replaced meter loses nothing when the old one's end and the new one's start are known`() throws {
        // Away for ten minutes; the new one began at 100 Wh and shows 120 Wh when it is heard first.
        let change = { (minute: Int64, wh: Int64) -> Int64? in
            minute < 60 ? wh : minute < 70 ? nil : 120 + 10 * (minute - 70)
        }
        var meters = afternoon(change)
        #expect(meters.kinds == [.suspect, .reset])
        #expect(meters.sum() == 590_000 + 500_000)
        try meters.decide(.segment(last: 5_605_000, first: 100_000), from: 65 * 60)
        #expect(meters.sum() == 605_000 + 20_000 + 500_000)
        #expect(meters.decisions.filter { $0.kind == .corrected }.isEmpty)
    }

    @Test func `a replacement told before the new meter is heard needs no confirmation`() throws {
        var meters = afternoon(minutes: 60)
        try meters.decide(.segment(last: nil, first: nil), nil, from: 3601)
        for minute in Int64(61)...70 { meters.read(60 * minute, 9_000_000 + 10_000 * minute) }
        meters.settle()
        #expect(meters.kinds == [.corrected])
        #expect(meters.sum() == 600_000 + 90_000)
    }

    @Test func `a reset that a person marks books no step`() throws {
        // The register was set back and then rose again above where it had been, before anybody looked.
        var meters = afternoon { minute, wh in minute < 60 ? wh : minute < 100 ? nil : wh + 700 }
        #expect(meters.sum() == 1_900_000)
        try meters.decide(.segment(last: nil, first: nil), from: 80 * 60)
        #expect(meters.sum() == 590_000 + 200_000)
    }

    @Test func `the same command twice has one effect, and none after it was undone`() throws {
        var meters = afternoon()
        try meters.decide(.amount(0), from: 0, to: 900)
        try meters.decide(.amount(0), from: 0, to: 900)
        #expect(meters.state.knownCorrections.count == 1)
        try meters.undo(1)
        try meters.decide(.amount(0), from: 0, to: 900)
        #expect(meters.sum() == 1_200_000)
        try meters.undo(7)
        #expect(meters.state.commandsRefused == 1)
    }

    @Test(arguments: [
        ["series": "x", "from": "2026-03-29T00:00:00Z", "to": "2026-03-29T00:15:00Z", "action": "drop"],
        ["from": "2026-03-29T00:00:00Z", "to": "2026-03-29T00:15:00Z", "action": "drop"],
        ["from": "2026-03-29T00:15:00Z", "to": "2026-03-29T00:00:00Z", "action": "drop"],
        ["from": "2026-03-29T00:00:01Z", "to": "2026-03-29T00:15:00Z", "value": "1"],
        ["from": "2026-03-29T00:00:00Z", "to": "2026-03-29T00:15:00Z", "value": "-1"],
        ["from": "2026-03-29T00:00:00Z", "to": "2026-03-29T00:15:00Z", "value": "1", "action": "drop"],
        ["from": "2020-03-29T00:00:00Z", "to": "2026-03-29T00:15:00Z", "action": "drop"],
        ["from": "2026-03-29T00:00:00Z", "to": "2026-03-29T00:15:00Z", "value": "1e99"],
        ["from": "yesterday", "to": "2026-03-29T00:15:00Z", "action": "drop"],
    ])
    func `a command that cannot be meant so is refused and counted`(arguments: [String: String]) {
        var meters = Meters()
        var all = arguments.map { Command.Argument(name: $0.key, value: $0.value) }
        if arguments["series"] == nil, arguments["from"] != "2026-03-29T00:00:00Z" || arguments["action"] != "drop" {
            all.append(Command.Argument(name: "series", value: "\(Meters.id(1))/total/energy_import"))
        }
        meters.apply(.command(Command(id: CommandID(high: 0, low: 1), actor: "", verb: .correct, arguments: all)))
        #expect(meters.state.commandsRefused == 1)
        #expect(meters.state.knownCorrections.isEmpty)
    }

    @Test func `a correction and its record say the same`() throws {
        let time = Timestamp(seconds: Meters.start)
        let actions: [(Correction.Action, Quantity?)] = [
            (.drop, .energyImport), (.accept, .power), (.amount(1_234_567), .energyExport),
            (.segment(last: nil, first: nil), nil), (.segment(last: nil, first: nil), .energyImport),
            (.segment(last: 5_000, first: nil), .energyImport), (.segment(last: nil, first: 7), .energyImport),
        ]
        for (action, quantity) in actions {
            var end = time + 900_000
            if case .segment = action { end = time }
            let correction = Correction(
                id: CommandID(high: 3, low: 4), device: Meters.id(1), channel: quantity.map { _ in .total },
                quantity: quantity, from: time, to: end, action: action)
            let command = correction.command(actor: "me", decided: time, reason: "why")
            #expect(try Correction(command) == correction)
        }
    }

    @Test func `corrections are kept within a bound, those undone going first`() throws {
        var meters = afternoon(minutes: 2)
        for i in 1...UInt64(UsageLimits.maximumCorrections) + 1 {
            let correction = Correction(
                id: CommandID(high: 0, low: i), device: Meters.id(9), channel: .total, quantity: .energyImport,
                from: Timestamp(seconds: 0), to: Timestamp(seconds: 900), action: .drop)
            meters.apply(
                .command(correction.command(actor: "", decided: Timestamp(seconds: 0), reason: nil)))
        }
        #expect(meters.state.knownCorrections.count == UsageLimits.maximumCorrections)
        #expect(meters.state.commandsRefused == 1)
        try meters.undo(1)
        try meters.decide(.drop, from: 0, to: 60, id: 5000)
        #expect(meters.state.knownCorrections.count == UsageLimits.maximumCorrections)
        #expect(meters.state.knownCorrections.last?.id.low == 5000)
    }
}
