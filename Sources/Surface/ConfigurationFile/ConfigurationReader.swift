import Devices
import Intake
import Metering
import Modbus
import TOML
import Timekeeping

/// Reads the merged table into a `Configuration`; one function a section.
struct ConfigurationReader {
    let problems: Problems
    /// Nil: profile names are not checked.
    let profileNames: [String]?
    /// Where names, bindings, buses and so on were first taken, by their kind: two of one are a mistake.
    private var taken: [String: [String: TOMLPlace?]] = [:]
    /// Where each device's parent is stated.
    private var places: [String: TOMLPlace?] = [:]

    init(problems: Problems, profileNames: [String]?) {
        self.problems = problems
        self.profileNames = profileNames
    }

    mutating func read(_ table: TOMLTable) -> Configuration {
        var configuration = Configuration()
        var root = Section(table, name: "", place: nil, problems: problems)
        readHome(&root, &configuration)
        readMQTT(&root, &configuration)
        readBridge(&root, &configuration)
        readStore(&root, &configuration)
        var profiles = root.section("profiles")
        if let directories = profiles.paths("directories", maximum: 16) {
            configuration.profileDirectories = directories
        }
        profiles.finish()
        var log = root.section("log")
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        if let level = log.choice("level", levels.map { ($0, $0) }) { configuration.logLevel = level }
        log.finish()
        for section in root.sections("modbus", maximum: 64) {
            if let bus = readBus(section) { configuration.buses.append(bus) }
        }
        for section in root.sections("device", maximum: 1024) {
            if let device = readDevice(section) { configuration.devices.append(device) }
        }
        readTariffs(&root, &configuration)
        root.finish()
        checkParents(configuration.devices)
        return configuration
    }

    /// Complains when `value` was taken before; `what` says in the complaint what it is.
    mutating func take(_ value: String, as kind: String, of section: Section, _ key: String, _ what: String) {
        if let first = taken[kind, default: [:]][value] {
            let place = first.map { " at \($0)" } ?? ""
            section.complain(key, "\(what), already taken\(place)")
        } else {
            taken[kind, default: [:]][value] = .some(section.place(of: key))
        }
    }

    private func readHome(_ root: inout Section, _ configuration: inout Configuration) {
        var home = root.section("home")
        if let name = home.string("name", maximum: 64) { configuration.home.name = name }
        if let zone = home.string("zone", maximum: 64) {
            do {
                _ = try ZoneDirectory().zone(named: zone)
                configuration.home.zone = zone
            } catch {
                home.complain("zone", "cannot be used: \(error)")
            }
        }
        readBillingDay(&home, &configuration)
        home.finish()
    }

    private func readStore(_ root: inout Section, _ configuration: inout Configuration) {
        var store = root.section("store")
        if let interval = store.duration("flush_interval", 0...(10 * Span.minute)) {
            configuration.store.flushInterval = interval
        }
        if let budget = store.size("log_budget", (16 << 20)...(1 << 42)) { configuration.store.logBudget = budget }
        if let days = store.integer("history_days", 1...36_500) { configuration.store.historyDays = days }
        if let budget = store.size("history_budget", (16 << 20)...(1 << 42)) {
            configuration.store.historyBudget = budget
        }
        store.finish()
    }

    /// Names are what people type, so no two devices may have the same, and none one that stands for something else.
    mutating func readName(_ section: inout Section, as kind: String) -> String? {
        guard let name = section.required("name", maximum: Device.maximumNameLength) else { return nil }
        if DeviceRegistry.reservedNames.contains(name) {
            let reserved = DeviceRegistry.reservedNames.sorted().joined(separator: ", ")
            section.complain("name", "is \"\(name)\", which no device may have: \(reserved) stand for themselves")
        }
        take(name, as: kind, of: section, "name", "is \"\(name)\"")
        return name
    }

    private mutating func readDevice(_ given: Section) -> DeclaredDevice? {
        var section = given
        let name = readName(&section, as: "name of a device")
        var device = DeclaredDevice(name: name ?? "")
        if let binding = section.string("binding", maximum: Binding.maximumLength) {
            bind(binding, to: &device, section, "binding")
        }
        for binding in section.strings("bindings", maximum: Device.maximumBindings - 1) ?? [] {
            bind(binding, to: &device, section, "bindings")
        }
        let roles: [DeviceRole] = [.load, .grid, .solar, .battery]
        device.role = section.choice("role", roles.map { ($0.name, $0) })
        device.parent = section.string("parent", maximum: Device.maximumNameLength)
        device.ratingWatts = section.integer("rating", 1...10_000_000)
        device.model = section.string("model", maximum: 128)
        section.finish()
        if let name { places[name] = section.place(of: "parent") }
        return name == nil ? nil : device
    }

    private mutating func bind(_ address: String, to device: inout DeclaredDevice, _ section: Section, _ key: String) {
        let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let isKnown = parts.count == 3 && ["mqtt", "modbus", "replay"].contains(parts[0]) && !parts[2].isEmpty
        guard isKnown, address.utf8.count <= Binding.maximumLength else {
            section.complain(
                key,
                "is \"\(address.prefix(64))\", not an address such as \"mqtt:tasmota:plug_washer\", "
                    + "as devices shows it")
            return
        }
        take(address, as: "binding", of: section, key, "is \"\(address)\"")
        device.bindings.append(Binding(address: address))
    }

    /// A device cannot be behind itself, however many are between.
    private func checkParents(_ devices: [DeclaredDevice]) {
        let parents = Dictionary(devices.map { ($0.name, $0.parent) }, uniquingKeysWith: { first, _ in first })
        for device in devices {
            var ancestor = device.parent
            for _ in devices.indices {
                guard let name = ancestor else { break }
                if name == device.name {
                    problems.add(places[name] ?? nil, "device.parent leads from \"\(name)\" back to itself")
                    break
                }
                ancestor = parents[name] ?? nil
            }
        }
    }
}
