import JSONText
import Timekeeping

/// How a stage of the gateway is doing.
public struct StageStatus: JSONEncodable {
    /// `waiting`: for something outside, such as a broker; it goes on by itself.
    public enum State: String, Sendable {
        case ok, waiting, failed
    }

    /// `mqtt`, `modbus tcp://…`, `log`, `history`, `ledger`, `clock`.
    public var name: String
    public var state: State
    /// One sentence a user can act on.
    public var detail: String

    public init(name: String, state: State, detail: String) {
        self.name = name
        self.state = state
        self.detail = detail
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("name", text: name)
            $0.field("state", text: state.rawValue)
            $0.field("detail", text: detail)
        }
    }
}

/// `GET /v1/status`: the gateway at a glance.
public struct StatusAnswer: JSONEncodable {
    public var gateway: String
    public var version: String
    public var home: String
    public var zone: String
    /// When this run began, and the gateway's clock.
    public var started: Timestamp
    public var now: Timestamp
    public var devices: Int
    public var series: Int
    /// Next offset of topic `facts`, and the offset below which all is on disk.
    public var end: UInt64
    public var durable: UInt64
    /// Readings taken in since start, and messages refused.
    public var readings: UInt64
    public var rejected: UInt64
    /// In the order in which a reading travels.
    public var stages: [StageStatus]

    public init(
        gateway: String, version: String, home: String, zone: String, started: Timestamp, now: Timestamp,
        devices: Int, series: Int, end: UInt64, durable: UInt64, readings: UInt64, rejected: UInt64,
        stages: [StageStatus]
    ) {
        self.gateway = gateway
        self.version = version
        self.home = home
        self.zone = zone
        self.started = started
        self.now = now
        self.devices = devices
        self.series = series
        self.end = end
        self.durable = durable
        self.readings = readings
        self.rejected = rejected
        self.stages = stages
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("gateway", text: gateway)
            $0.field("version", text: version)
            $0.field("home", text: home)
            $0.field("zone", text: zone)
            $0.field("started", text: started.rfc3339())
            $0.field("now", text: now.rfc3339())
            $0.field("devices", number: devices)
            $0.field("series", number: series)
            $0.field("log_end", number: end)
            $0.field("log_durable", number: durable)
            $0.field("readings", number: readings)
            $0.field("rejected", number: rejected)
            $0.field("stages", list: stages)
        }
    }
}
