import Metering
import Timekeeping

/// Which device is heard where. Discovers devices, gives them their permanent identity once, and says which descriptors
/// have to go into the log. Pure: time and randomness come with the calls.
///
/// A device that is heard at a second place under the same last part of its address (`mqtt:energy:washer` and
/// `mqtt:tasmota:washer`) is the same device with two bindings: that is how its history enters on one topic and its
/// live readings on another. The configuration can bind otherwise.
public struct DeviceRegistry: Sendable {
    /// A home with more is refused, so that a device that invents names cannot fill the memory.
    public static let maximumDevices = 4096
    /// Names that mean something else in answers: the home's sum, what no device explains, the gateway's own health.
    public static let reservedNames: Set<String> = ["home", "unmetered", "gateway"]

    public private(set) var devices: [DeviceID: Device] = [:]
    private var byBinding: [String: DeviceID] = [:]
    private var byName: [String: DeviceID] = [:]
    private let declared: [String: DeclaredDevice]
    private let declaredByBinding: [String: String]

    /// `known` in the order they were logged; a later descriptor replaces an earlier one of the same device.
    public init(known: [Device] = [], declared: [DeclaredDevice] = []) {
        self.declared = Dictionary(declared.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.declaredByBinding = Dictionary(
            declared.flatMap { device in device.bindings.map { ($0.address, device.name) } },
            uniquingKeysWith: { first, _ in first })
        for device in known { insert(device) }
    }

    /// The device that people call so.
    public func device(named name: String) -> Device? {
        byName[name].flatMap { devices[$0] }
    }

    /// The device that is heard there.
    public func device(boundTo address: String) -> Device? {
        byBinding[address].flatMap { devices[$0] }
    }

    /// The device heard at `address`; `changed` are the descriptors that are new and must be logged before its
    /// readings. Nil when the home has too many devices.
    public mutating func resolve(
        _ address: String, as description: Description, at time: Timestamp,
        using generator: inout some RandomNumberGenerator
    ) -> (id: DeviceID, changed: [Device])? {
        if let id = byBinding[address], let device = devices[id] {
            return (id, refresh(device, with: description, at: time))
        }
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
            id: DeviceID(using: &generator), name: unused(name, description), family: description.family,
            bindings: [Binding(address: address)], validFrom: time)
        device.role = description.role ?? (name == "grid" ? .grid : .load)
        complete(&device, with: description)
        apply(declared[device.name], to: &device)
        device.parent = parent(of: device)
        insert(device)
        return (device.id, [device] + adopt(at: time))
    }

    /// Brings every known device in line with the configuration; returns the descriptors that changed.
    public mutating func reconcile(at time: Timestamp) -> [Device] {
        let before = devices
        rename()
        let ids = devices.keys.sorted()
        // Roles first: which device is the grid meter decides who is behind it.
        for id in ids {
            guard var device = devices[id] else { continue }
            apply(declared[device.name], to: &device)
            insert(device)
        }
        for id in ids {
            guard var device = devices[id] else { continue }
            device.parent = parent(of: device)
            insert(device)
        }
        return ids.compactMap { id in
            guard var device = devices[id], device != before[id] else { return nil }
            device.validFrom = time
            insert(device)
            return device
        }
    }

    /// Gives devices the names that the configuration has for their bindings. All old names are given up before the
    /// first new one is taken, so that two devices can change names.
    private mutating func rename() {
        var wanted: [(device: Device, name: String)] = []
        for device in devices.values.sorted(by: { $0.id < $1.id }) {
            let name = device.bindings.compactMap { declaredByBinding[$0.address] }.first
            if let name, name != device.name { wanted.append((device, name)) }
        }
        for (device, _) in wanted { byName[device.name] = nil }
        for (var device, name) in wanted {
            // A name that another device bears for good is not taken from it.
            device.name = byName[name] == nil ? name : byName[device.name] == nil ? device.name : unused(device.name)
            insert(device)
        }
    }

    private func joins(_ device: Device, _ address: String) -> Bool {
        // Nothing that is heard elsewhere speaks for the gateway.
        guard device.role != .gateway, device.bindings.count < Device.maximumBindings else { return false }
        if declaredByBinding[address] == device.name { return true }
        let family = DeviceRegistry.family(of: address)
        return !device.bindings.contains { DeviceRegistry.family(of: $0.address) == family }
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

    /// A profile may have learned since the device was logged: a new version of it says other things of its counters,
    /// and a later message may give away that it is an inverter.
    private mutating func refresh(
        _ device: Device, with description: Description, at time: Timestamp
    ) -> [Device] {
        guard description.profile == device.profile else { return [] }
        var updated = device
        for counter in description.counters {
            guard let i = updated.counters.firstIndex(where: { $0.quantity == counter.quantity }) else { continue }
            updated.counters[i] = counter
        }
        complete(&updated, with: description)
        apply(declared[updated.name], to: &updated)
        guard updated != device else { return [] }
        updated.validFrom = time
        insert(updated)
        return [updated]
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
    }

    /// The declared parent, if it is known by now: parents come from the configuration alone. Nil also where a chain of
    /// parents would lead back to the device.
    private func parent(of device: Device) -> DeviceID? {
        guard let name = declared[device.name]?.parent else { return nil }
        let grid = name == "grid" ? devices.values.lazy.filter { $0.role == .grid }.map(\.id).min() : nil
        guard let parent = byName[name] ?? grid else { return nil }
        var ancestor: DeviceID? = parent
        for _ in 0...devices.count {
            guard let id = ancestor else { return parent }
            if id == device.id { return nil }
            ancestor = devices[id]?.parent
        }
        return nil
    }

    /// Devices whose declared parent has just appeared.
    private mutating func adopt(at time: Timestamp) -> [Device] {
        var changed: [Device] = []
        for name in declared.keys.sorted() {
            guard let id = byName[name], var device = devices[id] else { continue }
            let parent = parent(of: device)
            guard parent != device.parent else { continue }
            device.parent = parent
            device.validFrom = time
            insert(device)
            changed.append(device)
        }
        return changed
    }

    private mutating func insert(_ device: Device) {
        if let old = devices[device.id] {
            if byName[old.name] == device.id { byName[old.name] = nil }
            for binding in old.bindings where byBinding[binding.address] == device.id {
                byBinding[binding.address] = nil
            }
        }
        devices[device.id] = device
        byName[device.name] = device.id
        for binding in device.bindings { byBinding[binding.address] = device.id }
    }

    private func unused(_ name: String, _ description: Description? = nil) -> String {
        let isReserved = DeviceRegistry.reservedNames.contains(name) && description?.role != .gateway
        guard isReserved || byName[name] != nil else { return name }
        var number = 2
        while byName["\(name)_\(number)"] != nil { number += 1 }
        return "\(name)_\(number)"
    }
}
