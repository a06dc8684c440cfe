import Devices
import Intake
import MQTT
import Metering
import Modbus
import Prices
import Timekeeping

/// All that `energyd.toml` and its companions can say, checked; what they do not say has its default here.
package struct Configuration: Sendable {
    /// `[home]`
    package struct Home: Sendable {
        package var name = "home"
        /// Nil: the system's zone.
        package var zone: String?
        /// The day of the month on which billing periods begin.
        package var billingDay = BillingDay.first
    }

    /// `[mqtt]`: one broker.
    package struct MQTT: Sendable {
        package var isEnabled = true
        package var host = "127.0.0.1"
        package var port = 1883
        package var username: String?
        /// A path, or the name of a systemd credential.
        package var passwordFile: String?
        /// Nil: made of the gateway's identity.
        package var clientID: String?
        /// What messages do not say themselves.
        package var settings = MessageSettings()
        /// What `[[mqtt.mapping]]` says, as a profile that comes before all others.
        package var mapping: Profile?
        package var version = MQTTOptions.Version.v311
        /// Nil: in the clear.
        package var tls: MQTTOptions.TLS?
        /// Who is heard; the configured devices are not in it yet.
        package var admission = Admission()
    }

    /// `[bridge]`: what is said back to the broker.
    package struct Bridge: Hashable, Sendable {
        package var isEnabled = true
        /// The first level of our own topics.
        package var topic = "energyd"
        /// Milliseconds between two values of one series.
        package var interval: Int64 = 10 * Span.second
        /// Nil: no discovery. Else the first level of its topics.
        package var discovery: String? = "homeassistant"
    }

    /// A line or a gateway, and the devices behind it.
    package struct Bus: Sendable {
        package var address: BusAddress
        package var options = ModbusOptions()
        package var devices: [BusDevice] = []
    }

    /// `[[modbus.device]]`
    package struct BusDevice: Sendable {
        package var name: String
        package var unit: UInt8
        package var profile: String
        /// Milliseconds between two reads of the fast registers.
        package var interval: Int64
        /// Milliseconds of silence after its answers; nil: what its profile says.
        package var pause: Int64?
        /// What its owner says of its transformers.
        package var context = RegisterContext()
    }

    /// `[store]`
    package struct Store: Sendable {
        /// Milliseconds; 0: every batch.
        package var flushInterval: Int64 = 10 * Span.second
        /// Bytes of the ring of facts, and of all history together.
        package var logBudget: Int64 = 1 << 30
        package var historyDays: Int64 = 30
        package var historyBudget: Int64 = 1 << 30
    }

    package var home = Home()
    package var mqtt = MQTT()
    package var bridge = Bridge()
    package var buses: [Bus] = []
    package var devices: [DeclaredDevice] = []
    /// In the order of `validFrom`.
    package var tariffs: [Tariff] = []
    /// Tariffs that are not in force: for comparison only.
    package var candidates: [Tariff] = []
    package var priceSources: [PriceSource] = []
    package var store = Store()
    /// A later one overrides an earlier one, and both what is built in.
    package var profileDirectories = ["/usr/share/energyd/profiles", "/etc/energyd/profiles"]
    package var logLevel = "info"

    package init() {}

    /// Whom the broker's messages may come from, with the configured devices.
    package var admission: Admission {
        var admission = mqtt.admission
        admission.listed = Set(devices.map(\.name) + devices.flatMap { $0.bindings.map(\.address) })
        return admission
    }

    /// The settings record that this configuration amounts to.
    package func settings(zone: String, validFrom: Timestamp) -> HomeSettings {
        HomeSettings(
            name: home.name, zone: zone, tariffs: tariffs, validFrom: validFrom, billingDay: home.billingDay)
    }
}
