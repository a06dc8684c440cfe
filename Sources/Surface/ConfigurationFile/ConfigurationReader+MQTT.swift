import Intake
import MQTT
import Metering
import TOML
import Timekeeping

// The broker: what is heard from it, and what is said back.
extension ConfigurationReader {
    func readMQTT(_ root: inout Section, _ configuration: inout Configuration) {
        var mqtt = root.section("mqtt")
        if let enabled = mqtt.boolean("enabled") { configuration.mqtt.isEnabled = enabled }
        if mqtt.table["host"] != nil, let host = mqtt.required("host") {
            if host.contains("/") || host.contains(" ") {
                mqtt.complain(
                    "host", "is \"\(host)\", but has to be a name or an address alone, such as \"192.168.1.5\"")
            }
            configuration.mqtt.host = host
        } else {
            _ = mqtt.value("host")
        }
        if let port = mqtt.integer("port", 1...65535) { configuration.mqtt.port = Int(port) }
        configuration.mqtt.username = mqtt.string("username").flatMap { $0.isEmpty ? nil : $0 }
        configuration.mqtt.passwordFile = mqtt.string("password_file", maximum: 4096).flatMap { $0.isEmpty ? nil : $0 }
        configuration.mqtt.clientID = mqtt.string("client_id", maximum: 64).flatMap { $0.isEmpty ? nil : $0 }
        if configuration.mqtt.passwordFile != nil, configuration.mqtt.username == nil {
            mqtt.complain("password_file", "needs mqtt.username")
        }
        if let version = mqtt.choice("protocol", [("3.1.1", MQTTOptions.Version.v311), ("5", .v5)]) {
            configuration.mqtt.version = version
        }
        readTLS(&mqtt, &configuration.mqtt)
        readAdmission(&mqtt, &configuration.mqtt.admission)
        readMessages(&mqtt, &configuration)
        mqtt.finish()
    }

    private func readTLS(_ mqtt: inout Section, _ settings: inout Configuration.MQTT) {
        func file(_ key: String) -> String? {
            mqtt.string(key, maximum: 4096).flatMap { $0.isEmpty ? nil : $0 }
        }
        let isOn = mqtt.boolean("tls")
        let tls = MQTTOptions.TLS(
            authorityFile: file("ca_file"), certificateFile: file("certificate_file"), keyFile: file("key_file"))
        if (tls.certificateFile == nil) != (tls.keyFile == nil) {
            let (there, missing) =
                tls.keyFile == nil ? ("certificate_file", "key_file") : ("key_file", "certificate_file")
            mqtt.complain(there, "needs mqtt.\(missing) beside it")
        }
        let isMeant = tls.authorityFile != nil || tls.certificateFile != nil || tls.keyFile != nil
        if isOn == false, isMeant {
            mqtt.complain("tls", "is false, but mqtt.ca_file, certificate_file and key_file are for TLS alone")
        }
        guard isOn ?? isMeant else { return }
        settings.tls = tls
        if mqtt.table["port"] == nil { settings.port = 8883 }
    }

    private func readAdmission(_ mqtt: inout Section, _ admission: inout Admission) {
        if let policy = mqtt.choice("accept", Admission.Policy.allCases.map { ($0.rawValue, $0) }) {
            admission.policy = policy
        }
        for address in mqtt.strings("ignore", maximum: 256) ?? [] {
            guard address.hasPrefix("mqtt:"), address.utf8.count <= Binding.maximumLength else {
                mqtt.complain(
                    "ignore", "holds \"\(address.prefix(64))\", not an address such as \"mqtt:tasmota:bench\"")
                continue
            }
            admission.ignored.append(address)
        }
        if let limit = mqtt.integer("message_limit", 0...1_000_000) { admission.messageLimit = limit }
    }

    func readBridge(_ root: inout Section, _ configuration: inout Configuration) {
        var bridge = root.section("bridge")
        if let enabled = bridge.boolean("enabled") { configuration.bridge.isEnabled = enabled }
        if let topic = levels("topic", &bridge) { configuration.bridge.topic = topic }
        if let interval = bridge.duration("interval", Span.second...Span.hour) {
            configuration.bridge.interval = interval
        }
        let isDiscovered = bridge.boolean("home_assistant") ?? true
        let prefix = levels("home_assistant_topic", &bridge) ?? "homeassistant"
        configuration.bridge.discovery = isDiscovered ? prefix : nil
        bridge.finish()
    }

    /// Levels of a topic that we publish under.
    private func levels(_ key: String, _ section: inout Section) -> String? {
        guard let text = section.string(key, maximum: 64) else { return nil }
        let isGood =
            !text.isEmpty && !text.contains("+") && !text.contains("#") && !text.hasPrefix("$")
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
        if !isGood { section.complain(key, "is \"\(text)\", not levels of a topic such as \"energyd\"") }
        return isGood ? text : nil
    }
}
