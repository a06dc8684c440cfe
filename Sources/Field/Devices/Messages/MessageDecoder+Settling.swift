import Metering

extension MessageDecoder {
    /// Drops amounts that were counted already, adds the values that are made of others, drops hidden terms.
    func settle(_ route: Route, _ message: inout DecodedMessage) {
        let targets = table(Int(route.tree)).pointee.targets
        // Most messages hold none of these; then nothing is looked at twice.
        guard message.origins.contains(where: { $0.field >= 0 && targets[Int($0.field)].needsSettling }) else { return }
        let table = settling[Int(route.tree) / 2]
        let device = message.device
        var drops = false
        let count = message.samples.count
        for i in 0..<count {
            let index = Int(message.origins[i].field)
            guard index >= 0 else { continue }
            let field = table.fields[index]
            guard field.isHidden || field.once != .no else { continue }
            if field.once != .no {
                let key = field.once == .byTime ? message.timeKey : message.origins[i].key
                let sample = message.samples[i]
                if key == 0 || memories[device].isNew(sample.quantity, sample.channel, key: key) { continue }
            }
            drops = true
            message.origins[i].node = -1
        }
        for number in table.combinations.indices { combine(number, table, count, &message) }
        if drops { message.keep(from: 0) { $0.node >= 0 } }
        if message.samples.isEmpty, message.outcome == .readings { message.outcome = .nothing }
    }

    /// Adds one combination's values, of the first `count` samples and what earlier messages said.
    private func combine(_ number: Int, _ table: SettlingTable, _ count: Int, _ message: inout DecodedMessage) {
        let combination = table.combinations[number]
        // Taken out while it is filled, so that its memory is used again.
        var heard = heardTerms
        heardTerms = []
        defer { heardTerms = heard }
        heard.removeAll(keepingCapacity: true)
        var time = SampleTime.none
        for i in 0..<count {
            let field = Int(message.origins[i].field)
            guard field >= 0 else { continue }
            for place in table.terms(of: field) where place.combination == number {
                let sample = message.samples[i]
                let channel = combination.hasChannel ? combination.channel : sample.channel
                heard.append(HeardTerm(term: Int(place.term), channel: channel, value: sample.value))
                time = sample.time
                guard combination.acrossMessages else { continue }
                if !memories[message.device].keep(
                    sample.value, combination: number, term: Int(place.term), channel: channel)
                {
                    message.report(.tooManyTerms(maximum: DeviceMemory.maximumTerms), at: "\(channel)")
                }
            }
        }
        for i in heard.indices {
            let channel = heard[i].channel
            // Once for each channel, where it comes first.
            if heard[..<i].contains(where: { $0.channel == channel }) { continue }
            guard let value = sum(combination, number, heard, channel, of: message.device) else { continue }
            message.append(
                Sample(channel: channel, quantity: combination.quantity, value: value, time: time, flags: .derived),
                DecodedMessage.Origin(node: 0, field: -1, place: 0))
        }
    }

    /// Nil when a term is not known, or the sum does not fit.
    private func sum(
        _ combination: SettlingTable.CombinationEntry, _ number: Int, _ heard: [HeardTerm], _ channel: Channel,
        of device: Int
    ) -> Int64? {
        var sum: Int64 = 0
        for term in 0..<combination.count {
            var value = heard.last(where: { $0.term == term && $0.channel == channel })?.value
            if value == nil, combination.acrossMessages {
                value = memories[device].value(combination: number, term: term, channel: channel)
            }
            guard let value else {
                if term < combination.needed { return nil }
                continue
            }
            let (result, overflow) =
                term < combination.added ? sum.addingReportingOverflow(value) : sum.subtractingReportingOverflow(value)
            if overflow { return nil }
            sum = result
        }
        return sum
    }
}
