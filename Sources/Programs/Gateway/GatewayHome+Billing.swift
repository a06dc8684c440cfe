import API
import APITypes
import Billing
import ConfigurationFile
import Metering
import Prices
import Records
import Timekeeping

extension GatewayHome {
    private var billingDay: BillingDay { configuration.home.billingDay }

    func bills(since: Timestamp?, until: Timestamp?, under choice: TariffChoice) async throws -> [BillAnswer] {
        let now = clock.now().wall
        let to = min(until ?? now + Slot.length, now + Slot.length)
        func period(_ time: Timestamp) -> Period {
            Grouping.bill.period(containing: time, zone: zone, billingDay: billingDay)
        }
        let from = period(since ?? now - 335 * Span.day).from
        // Whole periods, or what there is of the running one: a part of a bill is no bill.
        let end = until == nil ? to : min(period(to - 1).to, now + Slot.length)
        guard from < end else { throw Problem.badRequest("since is not before until") }
        let settings = try settings(under: choice)
        return try await pipeline.bills(from: from, to: end, zone: zone, under: settings)
            .map { BillAnswer(bill: $0, tellsCoverage: true) }
    }

    /// Nil: those in force.
    private func settings(under choice: TariffChoice) throws -> [HomeSettings]? {
        var tariffs: [Tariff]
        switch choice {
        case .inForce: return nil
        case .named(let name):
            let all = configuration.tariffs + configuration.candidates
            tariffs = all.filter { $0.name == name }
            guard !tariffs.isEmpty else {
                var names: [String] = []
                for tariff in all where !names.contains(tariff.name) { names.append(tariff.name) }
                let known = names.isEmpty ? "none is configured" : "there are \(names.joined(separator: ", "))"
                throw Problem.notFound("no tariff is called \(name); \(known)")
            }
            tariffs.sort { $0.validFrom < $1.validFrom }
        case .file(let bytes, let name):
            do {
                tariffs = try TariffFile(bytes: bytes, file: name).tariffs
            } catch {
                throw Problem.badRequest("\(error)")
            }
        }
        // As if it had always been there.
        tariffs[0].validFrom = Timestamp(milliseconds: 0)
        return [
            HomeSettings(
                name: homeName, zone: zone.name, tariffs: tariffs, validFrom: Timestamp(milliseconds: 0),
                billingDay: billingDay)
        ]
    }

    func tariffs() async throws -> [TariffAnswer] {
        let now = clock.now().wall
        let versions = configuration.tariffs
        let inForce = versions.lastIndex { $0.validFrom <= now }
        func answer(_ tariff: Tariff, _ to: Timestamp?, inForce: Bool, candidate: Bool) -> TariffAnswer {
            TariffAnswer(
                tariff: tariff, validTo: to, isInForce: inForce, isCandidate: candidate,
                fromOffset: zone.offset(at: tariff.validFrom), toOffset: to.map { zone.offset(at: $0) } ?? 0)
        }
        return versions.enumerated().map { i, tariff in
            let next = i + 1 < versions.count ? versions[i + 1].validFrom : nil
            return answer(tariff, next, inForce: i == inForce, candidate: false)
        } + configuration.candidates.map { answer($0, nil, inForce: false, candidate: true) }
    }

    func priceLists() async throws -> [PriceListAnswer] {
        let book = await pipeline.prices
        let sources = configuration.priceSources
        let names = Set(book.names + sources.map(\.name)).sorted()
        var answers: [PriceListAnswer] = []
        for name in names {
            let source = sources.first { $0.name == name }
            let bounds = book.bounds(of: name)
            let place: String? =
                switch source?.place {
                case .url(let text), .file(let text): text
                case nil: nil
                }
            answers.append(
                PriceListAnswer(
                    name: name, currency: (book.currency(of: name) ?? source?.currency)?.code, from: bounds?.from.start,
                    to: bounds?.to.start, place: place, state: await prices?.state(of: name)))
        }
        return answers
    }

    func prices(list: String, since: Timestamp?, until: Timestamp?) async throws -> [PriceAnswer] {
        let book = await pipeline.prices
        guard let currency = book.currency(of: list), let bounds = book.bounds(of: list) else {
            let known = book.names.isEmpty ? "none has any yet" : "there are \(book.names.joined(separator: ", "))"
            throw Problem.notFound("no prices are known of a list called \(list); \(known)")
        }
        let from = since ?? zone.start(of: zone.day(containing: clock.now().wall))
        var slot = max(Slot(containing: from), bounds.from)
        let end = min(until.map { Slot(containing: $0 + (Slot.length - 1)) } ?? bounds.to, bounds.to)
        var answers: [PriceAnswer] = []
        while slot < end {
            defer { slot = slot.next }
            guard let price = book.price(list, at: slot) else { continue }
            if let last = answers.last, last.to == slot.start, last.price == price, slot.start - last.from < Span.hour {
                answers[answers.count - 1].to = slot.end
            } else {
                answers.append(
                    PriceAnswer(
                        from: slot.start, to: slot.end, offset: zone.offset(at: slot.start), price: price,
                        currency: currency))
            }
        }
        return answers
    }

    func take(_ given: PriceImport) async throws -> PriceImportAnswer {
        let source = configuration.priceSources.first { $0.name == given.list }
        let text = given.currency ?? source?.currency.code ?? configuration.tariffs.last?.currency.code ?? "EUR"
        guard let currency = Currency(text) else {
            throw Problem.badRequest("currency=\(text) is not a code such as EUR, USD or GBP")
        }
        if let source, source.currency != currency {
            throw Problem.badRequest("the list \(given.list) is configured in \(source.currency), not in \(currency)")
        }
        var layout = source?.layout ?? PriceLayout()
        if let per = given.per {
            guard let unit = PriceUnit(rawValue: per) else {
                throw Problem.badRequest(
                    "per=\(per) is not \(PriceUnit.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            layout.unit = unit
        }
        layout.time = given.time ?? layout.time
        layout.price = given.price ?? layout.price
        let runs: [PriceRun]
        do throws(PriceError) {
            runs = try PriceReader(layout: layout, zone: zone).runs(given.text, list: given.list, currency: currency)
        } catch {
            throw Problem.badRequest("the prices cannot be read: \(error)")
        }
        let news = await pipeline.news(in: runs)
        sink.append(news.map(Record.prices))
        // Whoever imports asks for a bill next.
        await pipeline.tick()
        let first = runs.map(\.first).min() ?? Slot(index: 0)
        let end = runs.map(\.end).max() ?? first
        return PriceImportAnswer(
            list: given.list, prices: runs.reduce(0) { $0 + $1.prices.count },
            new: news.reduce(0) { $0 + $1.prices.count }, from: first.start, to: end.start)
    }

    func compare(
        _ period: ComparedPeriod, to other: ComparedTo, device: String?
    ) async throws -> [UsageComparison] {
        if device != "home", device != "unmetered" { try check(device) }
        let shift: ComparedSpans.Shift =
            switch other {
            case .previous: .previous
            case .lastWeek: .weeks(1)
            case .lastMonth: .months(1)
            case .lastYear: .months(12)
            }
        guard let grouping = Grouping(rawValue: period.rawValue),
            let spans = ComparedSpans(grouping, shift, now: clock.now().wall, zone: zone, billingDay: billingDay)
        else { throw Problem.badRequest("a \(period.rawValue) cannot be compared to \(other.rawValue)") }
        let this = try await pipeline.rows(by: nil, from: spans.this.from, to: spans.this.to, zone: zone)
        let that = try await pipeline.rows(by: nil, from: spans.other.from, to: spans.other.to, zone: zone)
        var answers = this.map { row in
            UsageComparison(
                this: row,
                other: that.first { $0.device == row.device && $0.channel == row.channel }
                    ?? row.missing(in: spans.other, zone: zone))
        }
        for row in that where !this.contains(where: { $0.device == row.device && $0.channel == row.channel }) {
            answers.append(UsageComparison(this: row.missing(in: spans.this, zone: zone), other: row))
        }
        return answers.filter { device == nil || ($0.this ?? $0.other)?.name == device }
    }
}

extension Pipeline {
    /// The parts of the runs that say something new.
    func news(in runs: [PriceRun]) -> [PriceRun] { runs.flatMap { prices.news(in: $0) } }
}
