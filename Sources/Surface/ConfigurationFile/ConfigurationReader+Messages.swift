import Devices
import TOML
import Timekeeping

extension ConfigurationReader {
    /// The part of `[mqtt]` that tells what messages do not say themselves.
    func readMessages(_ mqtt: inout Section, _ configuration: inout Configuration) {
        for text in mqtt.strings("full_topics", maximum: 16) ?? [] {
            if let reason = MessageSettings.problem(ofFullTopic: text) {
                mqtt.complain("full_topics", "holds \"\(text)\", which \(reason)")
            } else {
                configuration.mqtt.settings.fullTopics.append(text)
            }
        }
        if let name = mqtt.string("device_zone", maximum: 64) {
            do { configuration.mqtt.settings.zone = try ZoneDirectory().zone(named: name) } catch {
                mqtt.complain("device_zone", "cannot be used: \(error)")
            }
        }
        configuration.mqtt.settings.bases = texts(&mqtt, "bases") { MessageSettings.problem(ofBase: $0) }
        configuration.mqtt.settings.topics = texts(&mqtt, "topics") { MessageSettings.problem(ofTopic: $0) }
        guard let mappings = mqtt.value("mapping") else { return }
        let (profile, problems) = Profile.mapped(mappings)
        for problem in problems {
            let hint = problem.nearest.map { "; did you mean `\($0)`?" } ?? ""
            mqtt.add(problem.place, "\(problem.key) \(problem.reason)\(hint)")
        }
        configuration.mqtt.mapping = profile
    }

    /// A table of lists of texts, by a profile's name: `bases = { opendtu = ["roof/dtu"] }`.
    private func texts(
        _ section: inout Section, _ key: String, _ problem: (String) -> String?
    ) -> [String: [String]] {
        var table = section.section(key)
        var lists: [String: [String]] = [:]
        for name in table.table.keys.map(\.name) {
            let isOne = table.table[name]?.array == nil
            for text in (isOne ? table.string(name).map { [$0] } : table.strings(name, maximum: 16)) ?? [] {
                if let reason = problem(text) {
                    table.complain(name, "holds \"\(text)\", which \(reason)")
                } else {
                    lists[name, default: []].append(text)
                }
            }
        }
        table.finish()
        return lists
    }
}
