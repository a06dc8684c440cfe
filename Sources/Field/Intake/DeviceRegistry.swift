import Metering
import Timekeeping

/// Which device is heard where. Discovers devices, gives them their permanent identity once, and says which descriptors
/// have to go into the log. Pure: time and randomness come with the calls.
///
/// A device that is heard at a second place under the same last part of its address (`mqtt:energy:washer` and
/// `mqtt:tasmota:washer`) is the same device with two bindings: that is how its history enters on one topic and its
/// live readings on another. The configuration can bind otherwise.
package struct DeviceRegistry: Sendable {
    /// A home with more is refused, so that a device that invents names cannot fill the memory.
    package static let maximumDevices = 4096

    package private(set) var devices: [DeviceID: Device] = [:]
    private var byBinding: [String: DeviceID] = [:]
    private var byName: [String: DeviceID] = [:]
    private let declared: [String: DeclaredDevice]
    private let declaredByBinding: [String: String]

    /// `known` in the order they were logged; a later descriptor replaces an earlier one of the same device.
    package init(known: [Device] = [], declared: [DeclaredDevice] = []) {
        self.declared = Dictionary(declared.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.declaredByBinding = Dictionary(
            declared.flatMap { device in device.bindings.map { ($0.address, device.name) } },
            uniquingKeysWith: { first, _ in first })
        for device in known { insert(device) }
    }

    package func device(named name: String) -> Device? {
        byName[name].flatMap { devices[$0] }
    }

    package func device(boundTo address: String) -> Device? {
        byBinding[address].flatMap { devices[$0] }
    }

    /// What a source tells about itself when it is heard.
    package struct Description: Sendable {
        package var family: String
        package var profile: String
        package var profileVersion: UInt32
        package var model: String
        package var role: DeviceRole?
        package var counters: [Counter]
        package var ratingWatts: Int64?

        package init(
            family: String, profile: String = "", profileVersion: UInt32 = 1, model: String = "",
            role: DeviceRole? = nil, counters: [Counter] = [], ratingWatts: Int64? = nil
        ) {
            self.family = family
            self.profile = profile
            self.profileVersion = profileVersion
            self.model = model
            self.role = role
            self.counters = counters
            self.ratingWatts = ratingWatts
        }
    }

    /// The device heard at `address`; `changed` are the descriptors that are new and must be logged before its readings.
    /// Nil when the home has too many devices.
    package mutating func resolve(
        _ address: String, as description: Description, at time: Timestamp,
        using generator: inout some RandomNumberGenerator
    ) -> (id: DeviceID, changed: [Device])? {
        if let id = byBinding[address] { return (id, []) }
        let name = declaredByBinding[address] ?? DeviceRegistry.name(from: address)
        if let id = byName[name], var device = devices[id], joins(device, address) {
            device.bindings.append(Binding(address: address))
            complete(&device, with: description)
            device.validFrom = time
            insert(device)
            return (id, [device])
        }
        guard devices.count < DeviceRegistry.maximumDevices else { return nil }
        var device = Device(
            id: DeviceID(using: &generator), name: unused(name), family: description.family,
            bindings: [Binding(address: address)], validFrom: time)
        device.role = description.role ?? (name == "grid" ? .grid : .load)
        complete(&device, with: description)
        apply(declared[name], to: &device)
        insert(device)
        return (device.id, [device] + adopt(at: time))
    }

    /// Brings every known device in line with the configuration; returns the descriptors that changed.
    package mutating func reconcile(at time: Timestamp) -> [Device] {
        var changed: [Device] = []
        for device in devices.values.sorted(by: { $0.id < $1.id }) {
            var updated = device
            for binding in device.bindings {
                if let name = declaredByBinding[binding.address], name != device.name, byName[name] == nil {
                    updated.name = name
                }
            }
            apply(declared[updated.name], to: &updated)
            if updated != device {
                updated.validFrom = time
                byName[device.name] = nil
                insert(updated)
                changed.append(updated)
            }
        }
        return changed
    }

    private func joins(_ device: Device, _ address: String) -> Bool {
        let family = DeviceRegistry.family(of: address)
        if declared[device.name]?.bindings.contains(Binding(address: address)) == true { return true }
        return device.bindings.count < Device.maximumBindings
            && !device.bindings.contains { DeviceRegistry.family(of: $0.address) == family }
    }

    /// A profile knows more than a plain topic: what is stated is kept, what is open is filled.
    private func complete(_ device: inout Device, with description: Description) {
        if device.profile.isEmpty || !description.profile.isEmpty {
            device.family = description.family
            device.profile = description.profile
            device.profileVersion = description.profileVersion
        }
        if !description.model.isEmpty { device.model = description.model }
        if let role = description.role, device.role == .load { device.role = role }
        if let watts = description.ratingWatts { device.ratingWatts = watts }
        for counter in description.counters where !device.counters.contains(where: { $0.quantity == counter.quantity })
        {
            if device.counters.count < Device.maximumCounters { device.counters.append(counter) }
        }
    }

    private func apply(_ declared: DeclaredDevice?, to device: inout Device) {
        guard let declared else { return }
        if let role = declared.role {
            device.role = role
            // A plug's firmware that reads the home's meter: the plug's rating says nothing then.
            if role != .load, let watts = device.ratingWatts { device.ratingWatts = max(watts, Device.mainFuseWatts) }
        }
        if let watts = declared.ratingWatts { device.ratingWatts = watts }
        if let model = declared.model { device.model = model }
        if let parent = declared.parent {
            let grid = parent == "grid" ? devices.values.filter { $0.role == .grid }.map(\.id).min() : nil
            device.parent = byName[parent] ?? grid
        }
    }

    /// Devices whose declared parent has just appeared.
    private mutating func adopt(at time: Timestamp) -> [Device] {
        var changed: [Device] = []
        for name in declared.keys.sorted() {
            guard let id = byName[name], let device = devices[id] else { continue }
            var updated = device
            apply(declared[name], to: &updated)
            if updated.parent != device.parent {
                updated.validFrom = time
                insert(updated)
                changed.append(updated)
            }
        }
        return changed
    }

    private mutating func insert(_ device: Device) {
        devices[device.id] = device
        byName[device.name] = device.id
        for binding in device.bindings { byBinding[binding.address] = device.id }
    }

    private func unused(_ name: String) -> String {
        guard byName[name] != nil else { return name }
        var number = 2
        while byName["\(name)_\(number)"] != nil { number += 1 }
        return "\(name)_\(number)"
    }

    /// The last part of an address, as far as it fits.
    package static func name(from address: String) -> String {
        let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let last = parts.count == 3 ? parts[2] : Substring(address)
        var name = ""
        for character in last {
            guard name.utf8.count + character.utf8.count <= Device.maximumNameLength - 8 else { break }
            let isControl = character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
            name.append(isControl ? "_" : character)
        }
        return name.isEmpty ? "device" : name
    }

    private static func family(of address: String) -> Substring {
        let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count > 1 ? address[..<parts[1].endIndex] : Substring(address)
    }
}
