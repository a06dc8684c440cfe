import API
import APITypes
import Billing
import History
import Intake
import Ledger
import Metering
import ReadingLog
import Records
import Timekeeping
import Usage

/// Corrections as the API gives them: names to identities on the way in, and back on the way out.
struct GatewayData: DataView {
    let home: GatewayHome

    /// Decisions and readings this far from the instant that is explained.
    private static let nearby = Span.hour
    private static let shownReadings = 10

    func anomalies(since: Timestamp, until: Timestamp, device: String?, limit: Int) async throws -> [DecisionAnswer] {
        let device = try device.map { try identity($0) }
        let found = try await home.pipeline.decisions(from: since, until: until, device: device, limit: limit)
        return found.map { DecisionAnswer(decision: $0, deviceName: home.name($0.series.device)) }
    }

    func explain(_ series: String, at time: Timestamp) async throws -> ExplanationAnswer {
        let key = try seriesKey(series)
        let (from, to) = (time - GatewayData.nearby, time + GatewayData.nearby)
        let before = try await home.reading.newest([key], from: from, to: time, limit: GatewayData.shownReadings)
        let after = try await home.reading.oldest(key, from: time, to: to, limit: GatewayData.shownReadings)
        let decisions = try await home.pipeline.decisions(from: from, until: to, device: key.device, limit: 100)
        let slots = try await home.pipeline.slots(of: key.device, key.channel, around: time)
        let name = home.name(key.device)
        let corrections = await home.pipeline.corrections.filter {
            $0.device == key.device && ($0.channel ?? key.channel) == key.channel && $0.from <= to && $0.to >= from
        }
        let commands = try await commands().filter { command in
            corrections.contains { $0.id.description == command.id }
        }
        return ExplanationAnswer(
            series: "\(name)/\(key.channel)/\(key.quantity)", time: time,
            readings: (before.map(\.point) + after).map {
                ReadingAnswer(
                    device: name, channel: key.channel, quantity: key.quantity, time: $0.time, received: $0.time,
                    value: $0.value, flags: [])
            },
            decisions: decisions.filter { $0.series.channel == key.channel }.reversed().map {
                DecisionAnswer(decision: $0, deviceName: name)
            },
            commands: commands,
            slots: slots.flatMap { slot in
                changes(CorrectionEffect.Change(before: slot, after: slot), all: true)
            })
    }

    func audit(limit: Int) async throws -> [CommandAnswer] {
        Array(try await commands().suffix(limit).reversed())
    }

    func correct(_ request: CorrectionRequest, preview: Bool) async throws -> EffectAnswer {
        let command = try command(request)
        do {
            let effect =
                preview
                ? try await home.pipeline.preview(command, zone: home.zone)
                : try await home.pipeline.give(command, zone: home.zone)
            return try await answer(effect, id: preview ? nil : command.id.description)
        } catch let error as CorrectionError {
            throw request.kind == .undo
                ? Problem.notFound(error.description) : Problem.badRequest("the correction: \(error)")
        }
    }

    private func answer(_ effect: CorrectionEffect, id: String?) async throws -> EffectAnswer {
        var answer = EffectAnswer(
            id: id, slots: effect.slots.flatMap { changes($0, all: false) }, bills: effect.bills)
        let before = await home.pipeline.cost(of: effect.slots.compactMap(\.before), zone: home.zone)
        let after = await home.pipeline.cost(of: effect.slots.map(\.after), zone: home.zone)
        answer.costBefore = before?.amount
        answer.costAfter = after?.amount
        answer.currency = after?.currency ?? before?.currency
        return answer
    }

    private func changes(_ change: CorrectionEffect.Change, all: Bool) -> [EffectAnswer.Change] {
        let flows: [(String, KeyPath<SlotUsage, Int64?>)] = [
            ("import", \.imported), ("export", \.exported), ("produced", \.produced), ("charged", \.charged),
            ("discharged", \.discharged),
        ]
        return flows.compactMap { name, flow in
            let (before, after) = (change.before?[keyPath: flow], change.after[keyPath: flow])
            guard before != nil || after != nil, all || before != after else { return nil }
            return EffectAnswer.Change(
                slot: change.after.slot, device: home.name(change.after.device), channel: change.after.channel,
                flow: name, before: before, after: after, quality: change.after.quality)
        }
    }

    // MARK: Commands

    private func commands() async throws -> [CommandAnswer] {
        let given = try await home.pipeline.commands(limit: 10_000)
        let inactive = Set(await home.pipeline.corrections.filter { !$0.isActive }.map(\.id))
        return given.compactMap { dated in
            let command = dated.command
            guard [.correct, .replace, .undo].contains(command.verb) else { return nil }
            return CommandAnswer(
                id: command.id.description, verb: "\(command.verb)", actor: command.actor, time: dated.time,
                active: !inactive.contains(command.id),
                arguments: command.arguments.map { ($0.name, shown($0)) })
        }
    }

    /// An argument with the names that people know.
    private func shown(_ argument: Command.Argument) -> String {
        switch argument.name {
        case "device": return DeviceID(argument.value).map { home.name($0) } ?? argument.value
        case "series":
            guard let slash = argument.value.firstIndex(of: "/"), let id = DeviceID(argument.value[..<slash]) else {
                return argument.value
            }
            return home.name(id) + argument.value[slash...]
        default: return argument.value
        }
    }

    private func command(_ request: CorrectionRequest) throws -> Command {
        var generator = SystemRandomNumberGenerator()
        let id = CommandID(using: &generator)
        let now = home.clock.now().wall
        var arguments: [Command.Argument] = []
        for name in CorrectionRequest.names(request.kind) where name != "actor" {
            guard let value = request.members[name] else { continue }
            switch name {
            case "series":
                let key = try seriesKey(value)
                arguments.append(.init(name: name, value: "\(key.device)/\(key.channel)/\(key.quantity)"))
            case "device": arguments.append(.init(name: name, value: "\(try identity(value))"))
            case "id": arguments.append(.init(name: "command", value: value))
            default: arguments.append(.init(name: name, value: value))
            }
        }
        if request.kind == .replace, request.members["last"] != nil || request.members["first"] != nil {
            try complete(&arguments, request)
        }
        arguments.append(.init(name: "decided", value: now.rfc3339()))
        let verb: Command.Verb =
            switch request.kind {
            case .correct: .correct
            case .replace: .replace
            case .undo: .undo
            }
        return Command(id: id, actor: request.members["actor"] ?? "api", verb: verb, arguments: arguments)
    }

    /// The register whose ends are told, where the device has only one.
    private func complete(_ arguments: inout [Command.Argument], _ request: CorrectionRequest) throws {
        let device = try identity(request.members["device"] ?? "")
        let registers = energySeries(of: device).filter {
            $0.quantity.behaviour != .gauge && (request.members["channel"] ?? $0.channel.name) == $0.channel.name
                && (request.members["quantity"] ?? $0.quantity.name) == $0.quantity.name
        }
        guard registers.count == 1, let only = registers.first else {
            let names = registers.map { "\($0.channel)/\($0.quantity)" }.joined(separator: ", ")
            throw Problem.badRequest(
                "the first and last value are of one register: say which with channel and quantity (\(names))")
        }
        arguments.removeAll { ["channel", "quantity"].contains($0.name) }
        arguments.append(.init(name: "channel", value: only.channel.name))
        arguments.append(.init(name: "quantity", value: only.quantity.name))
    }

    // MARK: Names

    private func identity(_ name: String) throws -> DeviceID {
        try home.check(name)
        guard let device = home.intake.device(named: name) else {
            throw Problem.notFound("no device is called \(name)")
        }
        return device.id
    }

    private func energySeries(of device: DeviceID) -> [SeriesKey] {
        home.facts.dictionary.entries.map(\.key)
            .filter { $0.device == device && UsageState.counts($0.quantity) }
            .sorted()
    }

    /// `device`, `device/channel` or `device/channel/quantity`; what is left out must be plain.
    private func seriesKey(_ text: String) throws -> SeriesKey {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let device = try identity(parts[0])
        let known = energySeries(of: device)
        let matching = known.filter {
            parts.count <= 3 && (parts.count < 2 || parts[1] == $0.channel.name)
                && (parts.count < 3 || parts[2] == $0.quantity.name)
        }
        // Where a counter counts, a power beside it only says how the energy is shared out.
        let counters = matching.filter { $0.quantity.behaviour != .gauge }
        let wanted = counters.count == 1 ? counters : matching
        guard wanted.count == 1, let only = wanted.first else {
            let names = known.map { "\(parts[0])/\($0.channel)/\($0.quantity)" }.joined(separator: ", ")
            throw Problem.notFound(
                wanted.isEmpty
                    ? "\(text) is no series of energy or power; \(parts[0]) has \(names.isEmpty ? "none" : names)"
                    : "\(text) may be any of \(names): name one")
        }
        return only
    }
}

extension GatewayHome {
    var data: (any DataView)? { GatewayData(home: self) }
}

extension GatewayHome.HistoryReading {
    /// The oldest `limit` values of `from ..< to`.
    func oldest(_ key: SeriesKey, from: Timestamp, to: Timestamp, limit: Int) throws -> [HistoryPoint] {
        var found: [HistoryPoint] = []
        try history.range(key, from: from, to: to, limit: limit) { found.append($0) }
        return found
    }
}

extension Pipeline {
    /// What slots cost each on its own device, at the prices of their time; nil where nothing has a price.
    func cost(of slots: [SlotUsage], zone: Zone) -> (amount: Decimal, currency: Currency)? {
        let ordered = slots.sorted { ($0.slot, $0.device, $0.channel) < ($1.slot, $1.device, $1.channel) }
        guard let first = ordered.first, let last = ordered.last else { return nil }
        let rows = UsageTable.rows(
            slots: ordered, devices: Array(devices.values), settings: settings, zone: zone, by: .day,
            from: first.slot.start, to: last.slot.end, prices: prices)
        var sum: (amount: Decimal, currency: Currency)?
        for row in rows where row.device != HomeBalance.home && row.device != HomeBalance.unmetered {
            guard let cost = row.cost, let currency = row.currency else { continue }
            guard let known = sum else {
                sum = (cost, currency)
                continue
            }
            guard known.currency == currency else { return nil }
            sum = (known.amount + cost, currency)
        }
        return sum
    }
}
