/// One device that a house's gateway can see.
public struct HouseDevice: Hashable, Sendable {
    public enum Role: Hashable, Sendable { case gridMeter, inverter, plug }

    /// How its live readings travel. History goes over `energy/<name>` for all of them.
    public enum Transport: Hashable, Sendable {
        /// Registers of an SDM630.
        case modbus
        /// `tele/<name>/SENSOR`, `STATE` and `LWT`.
        case tasmota
        /// `energy/<name>` as JSON.
        case energyObject
        /// `energy/<name>/total/power` as a plain number.
        case energyNumber
    }

    public enum Counter: Hashable, Sendable {
        /// Survives a restart.
        case kept
        /// Starts from 0 at each restart.
        case volatile
        /// Power only.
        case missing
    }

    /// Also the topic's part and the name in the truth.
    public let name: String
    public let role: Role
    public let transport: Transport
    public let counter: Counter

    /// The plugs that come with a house, in the order in which more of them are added.
    static let plugKinds: [LoadKind] = [
        .fridge, .washer, .kettle, .tv, .office, .boiler, .dehumidifier, .aquarium,
    ]

    static let gridMeter = HouseDevice(name: "grid", role: .gridMeter, transport: .modbus, counter: .kept)
    static let inverter = HouseDevice(name: "pv", role: .inverter, transport: .energyObject, counter: .kept)

    /// Plug `index` of a house: `fridge`, …, and from the ninth on `fridge2`, ….
    static func plug(_ index: Int) -> (device: HouseDevice, kind: LoadKind) {
        let kind = plugKinds[index % plugKinds.count]
        let round = index / plugKinds.count
        let transport: Transport
        let counter: Counter
        switch kind {
        case .dehumidifier: (transport, counter) = (.energyObject, .volatile)
        case .aquarium: (transport, counter) = (.energyNumber, .missing)
        default: (transport, counter) = (.tasmota, .kept)
        }
        let name = round == 0 ? kind.rawValue : "\(kind.rawValue)\(round + 1)"
        return (HouseDevice(name: name, role: .plug, transport: transport, counter: counter), kind)
    }
}
