import Devices
import Intake
import MQTT
import Metering
import Modbus
import Prices
import Timekeeping

/// All that `energyd.toml` and its companions can say, checked; what they do not say has its default here.
public struct Configuration: Sendable {
    /// `[home]`
    public struct Home: Sendable {
        public var name = "home"
        /// Nil: the system's zone.
        public var zone: String?
        /// The day of the month on which billing periods begin.
        public var billingDay = BillingDay.first
    }

    /// `[mqtt]`: one broker.
    public struct MQTT: Sendable {
        public var isEnabled = true
        public var host = "127.0.0.1"
        public var port = 1883
        public var username: String?
        /// A path, or the name of a systemd credential.
        public var passwordFile: String?
        /// Nil: made of the gateway's identity.
        public var clientID: String?
        /// What messages do not say themselves.
        public var settings = MessageSettings()
        /// What `[[mqtt.mapping]]` says, as a profile that comes before all others.
        public var mapping: Profile?
        public var version = MQTTOptions.Version.v311
        /// Nil: in the clear.
        public var tls: MQTTOptions.TLS?
        /// Who is heard; the configured devices are not in it yet.
        public var admission = Admission()
    }

    /// `[bridge]`: what is said back to the broker.
    public struct Bridge: Hashable, Sendable {
        public var isEnabled = true
        /// The first level of our own topics.
        public var topic = "energyd"
        /// Milliseconds between two values of one series.
        public var interval: Int64 = 10 * Span.second
        /// Nil: no discovery. Else the first level of its topics.
        public var discovery: String? = "homeassistant"
    }

    /// A line or a gateway, and the devices behind it.
    public struct Bus: Sendable {
        public var address: BusAddress
        public var options = ModbusOptions()
        public var devices: [BusDevice] = []
    }

    /// `[[modbus.device]]`
    public struct BusDevice: Sendable {
        public var name: String
        public var unit: UInt8
        public var profile: String
        /// Milliseconds between two reads of the fast registers.
        public var interval: Int64
        /// Milliseconds of silence after its answers; nil: what its profile says.
        public var pause: Int64?
        /// What its owner says of its transformers.
        public var context = RegisterContext()
    }

    /// `[store]`
    public struct Store: Sendable {
        /// Milliseconds; 0: every batch.
        public var flushInterval: Int64 = 10 * Span.second
        /// Bytes of the ring of facts, and of all history together.
        public var logBudget: Int64 = 1 << 30
        public var historyDays: Int64 = 30
        public var historyBudget: Int64 = 1 << 30
    }

    public var home = Home()
    public var mqtt = MQTT()
    public var bridge = Bridge()
    public var buses: [Bus] = []
    public var devices: [DeclaredDevice] = []
    /// In the order of `validFrom`.
    public var tariffs: [Tariff] = []
    /// Tariffs that are not in force: for comparison only.
    public var candidates: [Tariff] = []
    public var priceSources: [PriceSource] = []
    public var store = Store()
    /// A later one overrides an earlier one, and both what is built in.
    public var profileDirectories = ["/usr/share/energyd/profiles", "/etc/energyd/profiles"]
    public var logLevel = "info"

    public init() {}

    /// Whom the broker's messages may come from, with the configured devices.
    public var admission: Admission {
        var admission = mqtt.admission
        admission.listed = Set(devices.map(\.name) + devices.flatMap { $0.bindings.map(\.address) })
        return admission
    }

    /// The settings record that this configuration amounts to.
    public func settings(zone: String, validFrom: Timestamp) -> HomeSettings {
        HomeSettings(
            name: home.name, zone: zone, tariffs: tariffs, validFrom: validFrom, billingDay: home.billingDay)
    }
}
