import Metering
import Timekeeping

/// The live messages of a house, in the order in which its devices would send them.
///
/// Each device speaks every `interval`, each at a second of its own; the grid meter does not speak, it is read.
public struct HouseFeed: Sendable {
    public private(set) var house: House
    /// Whole seconds, at least 1.
    public let interval: Int64

    /// Per plug: whether the broker has it online, and its shown counter at the last report.
    private var online: [Bool]
    private var reported: [Int64]

    public init(_ house: House, intervalSeconds: Int64) {
        self.house = house
        interval = max(1, intervalSeconds)
        online = house.plugs.map { !$0.isSilent }
        reported = house.plugs.map { $0.load.energy.milliwattHours }
    }

    /// What is sent when the connection comes up: who is there.
    public func greeting() -> [HouseMessage] {
        house.plugs.indices.map { availability(house.plugs[$0].device, online[$0]) }
            + [availability(house.devices[1], true)]
    }

    /// What the broker says once the house is gone.
    public func farewell() -> [HouseMessage] {
        house.devices.filter { $0.transport != .modbus }.map { availability($0, false) }
    }

    /// Lives on second by second up to `end`, and returns everything said on the way.
    public mutating func advance(to end: Timestamp) -> [HouseMessage] {
        var messages: [HouseMessage] = []
        while end - house.time >= Span.second {
            house.advance(to: house.time + Span.second)
            for index in house.plugs.indices { speak(plug: index, &messages) }
            if isDue(0), let object = house.energyObject(of: 1) {
                messages.append(HouseMessage(topic: "energy/\(house.devices[1].name)", payload: object))
            }
        }
        return messages
    }

    /// What a device's own message or, once it is gone, its last will says.
    private func availability(_ device: HouseDevice, _ online: Bool) -> HouseMessage {
        device.transport == .tasmota
            ? HouseMessage(topic: "tele/\(device.name)/LWT", payload: online ? "Online" : "Offline", retain: true)
            : HouseMessage(
                topic: "energy/\(device.name)/available", payload: online ? "online" : "offline", retain: true)
    }

    private func isDue(_ place: Int) -> Bool {
        (house.time.secondsFloor + Int64(place)) % interval == 0
    }

    private mutating func speak(plug index: Int, _ messages: inout [HouseMessage]) {
        let plug = house.plugs[index]
        let name = plug.device.name
        if plug.isSilent == online[index] {
            online[index] = !plug.isSilent
            messages.append(availability(plug.device, online[index]))
        }
        guard !plug.isSilent, isDue(index + 1) else { return }
        switch plug.device.transport {
        case .tasmota:
            let used = plug.load.energy.milliwattHours
            let period = (used - reported[index]) / 1000
            reported[index] += period * 1000
            messages.append(house.tasmotaState(plug: index))
            messages.append(house.tasmotaSensor(plug: index, period: period))
        case .energyObject:
            guard let object = house.energyObject(of: House.firstPlug + index) else { return }
            messages.append(HouseMessage(topic: "energy/\(name)", payload: object))
        case .energyNumber:
            let watts = Thousandths.text(plug.load.milliwatts)
            messages.append(HouseMessage(topic: "energy/\(name)/total/power", payload: watts))
        case .modbus: break
        }
    }
}
