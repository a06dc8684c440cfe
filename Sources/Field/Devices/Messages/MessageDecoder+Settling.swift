import Metering

extension MessageDecoder {
    /// Drops amounts that were counted already, adds the values that are made of others, drops hidden terms.
    func settle(_ route: Route, _ message: inout DecodedMessage) {
        let targets = table(Int(route.tree)).pointee.targets
        // Most messages hold none of these; then nothing is looked at twice.
        guard message.origins.contains(where: { $0.field >= 0 && targets[Int($0.field)].needsSettling }) else { return }
        let family = Int(route.tree) / 2
        let profile = families[family].profile
        let fields = profile.fields
        let device = message.device
        var drops = false
        let count = message.samples.count
        for i in 0..<count {
            let index = Int(message.origins[i].field)
            guard index >= 0 else { continue }
            let once = fields[index].once
            guard fields[index].isHidden || once != nil else { continue }
            if let once {
                let key = once == .time ? message.timeKey : message.origins[i].key
                let sample = message.samples[i]
                if key == 0 || memories[device].isNew(sample.quantity, sample.channel, key: key) { continue }
            }
            drops = true
            message.origins[i].node = -1
        }
        if !profile.combinations.isEmpty { combine(profile, family, count, &message) }
        if drops { message.keep(from: 0) { $0.node >= 0 } }
        if message.samples.isEmpty, message.outcome == .readings { message.outcome = .nothing }
    }

    private func combine(
        _ profile: MessageProfile, _ family: Int, _ count: Int, _ message: inout DecodedMessage
    ) {
        for (number, combination) in profile.combinations.enumerated() {
            var channels: [Channel] = []
            var time = SampleTime.none
            var known: [(term: Int, channel: Channel, value: Int64)] = []
            for i in 0..<count {
                let field = Int(message.origins[i].field)
                guard field >= 0 else { continue }
                for place in terms[family][field] where place.combination == number {
                    let sample = message.samples[i]
                    let channel = combination.channel ?? sample.channel
                    known.append((place.term, channel, sample.value))
                    time = sample.time
                    if !channels.contains(channel) { channels.append(channel) }
                    guard combination.acrossMessages else { continue }
                    if !memories[message.device].keep(
                        sample.value, combination: number, term: place.term, channel: channel)
                    {
                        message.report(.tooManyTerms(maximum: DeviceMemory.maximumTerms), at: "\(channel)")
                    }
                }
            }
            for channel in channels {
                let value = sum(combination) { term in
                    if let heard = known.last(where: { $0.term == term && $0.channel == channel }) {
                        return heard.value
                    }
                    guard combination.acrossMessages else { return nil }
                    return memories[message.device].value(combination: number, term: term, channel: channel)
                }
                guard let value else { continue }
                message.append(
                    Sample(channel: channel, quantity: combination.quantity, value: value, time: time, flags: .derived),
                    DecodedMessage.Origin(node: 0, field: -1, place: 0))
            }
        }
    }

    /// Nil when a term is not known, or the sum does not fit.
    private func sum(_ combination: Combination, _ value: (_ term: Int) -> Int64?) -> Int64? {
        var sum: Int64 = 0
        let needed = combination.plus.count + combination.minus.count
        for term in combination.terms.indices {
            guard let value = value(term) else {
                if term < needed { return nil }
                continue
            }
            let isAdded = term < combination.plus.count
            let (result, overflow) =
                isAdded ? sum.addingReportingOverflow(value) : sum.subtractingReportingOverflow(value)
            if overflow { return nil }
            sum = result
        }
        return sum
    }
}
