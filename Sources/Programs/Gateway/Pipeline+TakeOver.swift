import Logging
import Metering
import ReadingLog
import Records

// What waited in memory while there was no state directory, put where it belongs.
extension Pipeline {
    /// Appends what waited. Devices that this home knows already, by where they are heard or by their name, keep their
    /// identity; settings are left out, since a start says what holds.
    func takeOver(_ waiting: WaitingRecords) throws {
        var identities: [DeviceID: DeviceID] = [:]
        for record in waiting.records {
            guard case .device(let device) = record, identities[device.id] == nil else { continue }
            identities[device.id] = known(device)?.id ?? device.id
        }
        for record in waiting.records {
            switch record {
            case .readings(let readings):
                let moved = try readings.compactMap { reading -> Reading? in
                    guard var key = waiting.key(for: reading.series) else { return nil }
                    key.device = identities[key.device] ?? key.device
                    var reading = reading
                    reading.series = try facts.number(for: key)
                    return reading
                }
                if !moved.isEmpty { try facts.append([.readings(moved)]) }
            case .device(var device):
                guard identities[device.id] == device.id else { continue }
                device.parent = device.parent.map { identities[$0] ?? $0 }
                try facts.append([.device(device)])
            case .command(let command): try facts.append([.command(renamed(command, identities))])
            case .settings: continue
            default: try facts.append([record])
            }
        }
        tick()
    }

    private func known(_ device: Device) -> Device? {
        let places = Set(device.bindings.map(\.address))
        let candidates = devices.values.sorted { $0.id < $1.id }
        return candidates.first { $0.bindings.contains { places.contains($0.address) } }
            ?? candidates.first { $0.name == device.name }
    }

    /// Arguments name a device by its identity, alone or before a slash.
    private func renamed(_ command: Command, _ identities: [DeviceID: DeviceID]) -> Command {
        var command = command
        for i in command.arguments.indices {
            let value = command.arguments[i].value
            let end = value.firstIndex(of: "/") ?? value.endIndex
            guard let id = DeviceID(value[..<end]), let new = identities[id] else { continue }
            command.arguments[i].value = "\(new)\(value[end...])"
        }
        return command
    }
}
