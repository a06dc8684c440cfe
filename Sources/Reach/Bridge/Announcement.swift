import JSONText
import Metering

/// How Home Assistant is told of a device: one retained message with all its sensors (device-based MQTT discovery).
struct Announcement {
    /// What Home Assistant calls a quantity.
    struct Sensor {
        let deviceClass: String
        let stateClass: String
        /// Nil where Home Assistant's class has none.
        let unit: String?
    }

    let options: BridgeOptions
    let device: Device
    let availabilityTopic: String
    /// Series of the device that were published at least once, with their topics, in order.
    let series: [(key: SeriesKey, topic: String)]

    static func identity(_ device: DeviceID) -> String { "energyd_\(device)" }

    static func topic(_ options: BridgeOptions, _ identity: String) -> String? {
        options.discovery.map { "\($0)/device/\(identity)/config" }
    }

    /// Nil for what Home Assistant has no class for, or what falls by its nature: it stays a plain topic.
    static func sensor(for quantity: Quantity) -> Sensor? {
        switch quantity.name {
        case "power", "production_power", "battery_power": Sensor("power", "measurement", "W")
        case "apparent_power": Sensor("apparent_power", "measurement", "VA")
        case "reactive_power": Sensor("reactive_power", "measurement", "var")
        case "voltage": Sensor("voltage", "measurement", "V")
        case "current": Sensor("current", "measurement", "A")
        case "frequency": Sensor("frequency", "measurement", "Hz")
        case "power_factor": Sensor("power_factor", "measurement", nil)
        case "temperature": Sensor("temperature", "measurement", "°C")
        case "battery_soc": Sensor("battery", "measurement", "%")
        case "energy_import", "energy_export", "production_energy", "battery_charge_energy",
            "battery_discharge_energy":
            Sensor("energy", "total_increasing", "Wh")
        case "gas": Sensor("gas", "total_increasing", "m³")
        case "water": Sensor("water", "total_increasing", "L")
        default: nil
        }
    }

    /// The message's text; nil while there is nothing to show.
    func payload() -> [UInt8]? {
        let sensors = series.compactMap { entry in
            Announcement.sensor(for: entry.key.quantity).map { (entry.key, entry.topic, $0) }
        }
        guard !sensors.isEmpty else { return nil }
        let identity = Announcement.identity(device.id)
        var json = JSONWriter()
        json.object { json in
            json.key("device")
            json.object { json in
                json.key("identifiers")
                json.array { $0.text(identity) }
                json.field("name", text: device.name)
                if !device.model.isEmpty { json.field("model", text: device.model) }
                json.field("via_device", text: "energyd_\(options.gateway)")
            }
            options.origin(&json)
            json.key("availability")
            json.array { json in
                for topic in [options.stateTopic, availabilityTopic] { json.object { $0.field("topic", text: topic) } }
            }
            json.field("availability_mode", text: "all")
            json.key("components")
            json.object { json in
                for (key, topic, sensor) in sensors {
                    let object = "\(key.channel)_\(key.quantity)"
                    json.key(text: object)
                    json.object { json in
                        json.field("platform", text: "sensor")
                        json.field("unique_id", text: "\(identity)_\(object)")
                        json.field("name", text: Announcement.title(key))
                        json.field("device_class", text: sensor.deviceClass)
                        json.field("state_class", text: sensor.stateClass)
                        if let unit = sensor.unit { json.field("unit_of_measurement", text: unit) }
                        json.field("state_topic", text: topic)
                    }
                }
            }
        }
        return json.take()
    }

    /// `Power`, `Voltage L1`
    private static func title(_ key: SeriesKey) -> String {
        let words = key.quantity.name.split(separator: "_").joined(separator: " ")
        let title = words.prefix(1).uppercased() + words.dropFirst()
        return key.channel == .total ? title : "\(title) \(key.channel.name.uppercased())"
    }
}

extension Announcement.Sensor {
    fileprivate init(_ deviceClass: String, _ stateClass: String, _ unit: String?) {
        self.init(deviceClass: deviceClass, stateClass: stateClass, unit: unit)
    }
}

extension BridgeOptions {
    /// The gateway's own announcement, which the devices' point to.
    func gatewayAnnouncement() -> Publication? {
        let identity = "energyd_\(gateway)"
        guard let topic = Announcement.topic(self, identity) else { return nil }
        var json = JSONWriter()
        json.object { json in
            json.key("device")
            json.object { json in
                json.key("identifiers")
                json.array { $0.text(identity) }
                json.field("name", text: "energyd \(home)")
                json.field("sw_version", text: version)
            }
            origin(&json)
            json.key("components")
            json.object { json in
                json.key("connection")
                json.object { json in
                    json.field("platform", text: "binary_sensor")
                    json.field("unique_id", text: "\(identity)_connection")
                    json.field("name", text: "Connection")
                    json.field("device_class", text: "connectivity")
                    json.field("entity_category", text: "diagnostic")
                    json.field("state_topic", text: stateTopic)
                    json.field("payload_on", text: "online")
                    json.field("payload_off", text: "offline")
                }
            }
        }
        return Publication(topic: topic, payload: json.take(), isConfirmed: true)
    }

    fileprivate func origin(_ json: inout JSONWriter) {
        json.key("origin")
        json.object { json in
            json.field("name", text: "energyd")
            json.field("sw_version", text: version)
        }
    }
}
