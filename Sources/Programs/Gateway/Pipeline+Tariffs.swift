import Billing
import ConfigurationFile
import Logging
import Metering
import Records
import Timekeeping
import Usage

// What a changed configuration means for the past.
extension Pipeline {
    /// Bills that are told one by one when prices change; the rest is counted.
    private static let maximumTold = 12

    /// The home's zone, with all that its settings have been, and what `configuration` changes told: which spans are
    /// priced anew, and what that makes of the bills.
    func adopt(_ configuration: Configuration, zone current: Zone, at now: Timestamp) -> Zone {
        let zone = joined(current, at: now)
        let new = configuration.settings(zone: current.name, validFrom: now)
        guard let old = settings.last else { return zone }
        for change in TariffChange.between(old, new) { tell(change, zone) }
        if old.billingDay != new.billingDay {
            logger.notice(
                "billing periods begin on another day",
                metadata: ["from": "\(old.billingDay)", "to": "\(new.billingDay)"])
        }
        if old.zone != new.zone {
            logger.notice(
                "the home has another zone; what was before keeps its own",
                metadata: ["from": "\(old.zone)", "to": "\(new.zone)", "since": "\(zone.rfc3339(now))"])
        }
        if !TariffChange.between(old, new).isEmpty { tellBills(old, new, zone, now) }
        return zone
    }

    /// Each version's zone from its `validFrom` on; one that this machine no longer knows counts as the current one.
    private func joined(_ current: Zone, at now: Timestamp) -> Zone {
        var known = [current.name: current]
        func zone(_ name: String) -> Zone {
            if let zone = known[name] { return zone }
            do {
                known[name] = try ZoneDirectory().zone(named: name)
            } catch {
                logger.warning(
                    "a zone that the home had is not known any more; its days are counted in the present one",
                    metadata: ["zone": "\(name)", "reason": "\(error)"])
            }
            return known[name] ?? current
        }
        guard let first = settings.first else { return current }
        let changes = settings.dropFirst().map { (at: $0.validFrom, to: zone($0.zone)) }
        return Zone.joined(zone(first.zone), changes: changes + [(at: now, to: current)])
    }

    private func tell(_ change: TariffChange, _ zone: Zone) {
        let hasBeginning = change.from.milliseconds > 0
        var metadata: Logger.Metadata = [
            "from": "\(hasBeginning ? zone.rfc3339(change.from) : "the beginning")",
            "to": "\(change.to.map { zone.rfc3339($0) } ?? "now on")",
            "before": "\(change.before.map { "\($0.name), \($0.model)" } ?? "none")",
            "after": "\(change.after.map { "\($0.name), \($0.model)" } ?? "none")",
        ]
        let differences = change.differences
        if !differences.isEmpty {
            let rest = differences.count - Pipeline.maximumTold
            let told = differences.prefix(Pipeline.maximumTold).joined(separator: "; ")
            metadata["changes"] = "\(told)\(rest > 0 ? "; and \(rest) more" : "")"
        }
        logger.notice("prices changed", metadata: metadata)
    }

    /// Bills whose total is another under the new prices, the newest first.
    private func tellBills(_ old: HomeSettings, _ new: HomeSettings, _ zone: Zone, _ now: Timestamp) {
        do {
            let beginning = Timestamp.validRange.lowerBound
            // Both under the new billing day, so that they can be told apart by their prices alone.
            var before = old
            before.billingDay = new.billingDay
            let olds = try bills(from: beginning, to: now + Slot.length, zone: zone, under: [before])
            let news = try bills(from: beginning, to: now + Slot.length, zone: zone, under: [new])
            var changed: [(from: Timestamp, before: String, after: String)] = []
            for from in Set((olds + news).map(\.from)).sorted(by: >) {
                let (a, b) = (olds.filter { $0.from == from }, news.filter { $0.from == from })
                if a.map(\.total) == b.map(\.total) { continue }
                changed.append((from, Pipeline.totals(a), Pipeline.totals(b)))
            }
            for bill in changed.prefix(Pipeline.maximumTold) {
                logger.notice(
                    "a bill is priced anew",
                    metadata: [
                        "from": "\(zone.local(at: bill.from).date)", "before": "\(bill.before)",
                        "after": "\(bill.after)",
                    ])
            }
            if changed.count > Pipeline.maximumTold {
                logger.notice(
                    "more bills are priced anew", metadata: ["bills": "\(changed.count - Pipeline.maximumTold)"])
            }
        } catch {
            logger.warning("what the new prices change cannot be told", metadata: ["reason": "\(error)"])
        }
    }

    private static func totals(_ bills: [Bill]) -> String {
        let texts = bills.map { bill in
            let places = bill.currency.places
            return "\(bill.total.text(places: places, minimum: places)) \(bill.currency)"
        }
        return texts.isEmpty ? "no price" : texts.joined(separator: ", ")
    }
}
