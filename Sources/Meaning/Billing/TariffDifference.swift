import Metering

// What a changed tariff changed, for people: a line for each part that is another, such as `import 0.3215 -> 0.3415`.
extension TariffChange {
    /// Empty where there was no tariff before, or is none after.
    public var differences: [String] {
        guard let before, let after else { return [] }
        let (old, new) = (before.parts, after.parts)
        let labels = old.map(\.label) + new.map(\.label).filter { label in !old.contains { $0.label == label } }
        return labels.compactMap { label in
            let a = old.first { $0.label == label }?.text ?? "none"
            let b = new.first { $0.label == label }?.text ?? "none"
            return a == b ? nil : "\(label) \(a) -> \(b)"
        }
    }
}

extension Tariff {
    /// Each part under the name that its configuration gives it. Of parts with one label a later one has a number.
    fileprivate var parts: [(label: String, text: String)] {
        var parts: [(label: String, text: String)] = [
            ("name", name), ("currency", currency.code), ("import", "\(importPrice)"),
            ("rounding", "\(rounding)"),
        ]
        func add(_ label: String, _ text: String) {
            let same = parts.count { $0.label == label || $0.label.hasPrefix(label + " (") }
            parts.append((same == 0 ? label : "\(label) (\(same + 1))", text))
        }
        if let exportPrice { add("export", "\(exportPrice)") }
        if !tiers.isEmpty {
            let texts = tiers.map { "\($0.price)" + ($0.upTo.map { " up to \(Thousandths.text($0)) Wh" } ?? "") }
            add(tiersPerDay ? "tiers a day" : "tiers", texts.joined(separator: ", "))
        }
        for window in windows {
            for (kind, price) in [("import", window.importPrice), ("export", window.exportPrice)] {
                if let price { add("\(window.label) \(kind)", "\(price)") }
            }
            add("\(window.label) times", window.times.text)
        }
        if let dynamic { add("dynamic", dynamic.text) }
        if let feedIn {
            let rule = "\(feedIn.negative) when negative" + (feedIn.negativeList.map { " in \($0)" } ?? "")
            add("feed_in", [feedIn.dynamic?.text, rule].compactMap { $0 }.joined(separator: ", "))
        }
        for charge in standing { add(charge.label, "\(charge.amount) per \(charge.per.name)") }
        for demand in demands {
            add(
                demand.label.isEmpty ? "demand" : demand.label,
                "\(demand.price) per kW and \(demand.per.name), at least \(Thousandths.text(demand.minimum)) W, "
                    + demand.times.text)
        }
        for levy in levies {
            let text =
                switch levy.kind {
                case .perKilowattHour(let price): "\(price) per kWh, \(levy.times.text)"
                case .percent(let rate): "\(rate) % on \(levy.base.names)"
                }
            add(levy.label, text)
        }
        if !holidays.isEmpty { add("holidays", holidays.map { "\($0)" }.joined(separator: " ")) }
        return parts
    }
}

extension DynamicPrice {
    fileprivate var text: String {
        "\(factor) × \(list) + \(surcharge)" + (fallsBack ? ", else the fixed price" : "")
    }
}

extension Levy.Base {
    fileprivate var names: String {
        let all: [(Levy.Base, String)] = [
            (.energy, "energy"), (.standing, "standing"), (.demand, "demand"), (.levies, "levies"),
            (.export, "export"),
        ]
        return all.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

extension TariffTimes {
    /// Such as `mon-fri 07:00-10:00 17:00-20:00 jan-mar oct-dec`.
    fileprivate var text: String {
        if self == .always { return "always" }
        let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays"]
        let monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        func clock(_ quarter: Int) -> String {
            let minutes = quarter % 4 * 15
            return (quarter < 40 ? "0" : "") + "\(quarter / 4):" + (minutes == 0 ? "00" : "\(minutes)")
        }
        var parts: [String] = []
        if days != TariffTimes.allDays {
            // A holiday is no day of the week.
            parts += TariffTimes.runs(7) { days >> $0 & 1 != 0 }.map { TariffTimes.span($0, dayNames) }
            if days >> 7 != 0 { parts.append(dayNames[7]) }
        }
        if quarters != TariffTimes.allQuarters {
            parts += TariffTimes.runs(96) { quarters >> UInt128($0) & 1 != 0 }
                .map { "\(clock($0.lowerBound))-\(clock($0.upperBound))" }
        }
        if months != TariffTimes.allMonths {
            parts += TariffTimes.runs(12) { months >> $0 & 1 != 0 }.map { TariffTimes.span($0, monthNames) }
        }
        return parts.joined(separator: " ")
    }

    private static func span(_ run: Range<Int>, _ names: [String]) -> String {
        run.count == 1 ? names[run.lowerBound] : "\(names[run.lowerBound])-\(names[run.upperBound - 1])"
    }

    /// The stretches of `0 ..< count` in which `holds` is true.
    private static func runs(_ count: Int, _ holds: (Int) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for i in 0..<count where holds(i) {
            if let last = runs.last, last.upperBound == i {
                runs[runs.count - 1] = last.lowerBound..<(i + 1)
            } else {
                runs.append(i..<(i + 1))
            }
        }
        return runs
    }
}
