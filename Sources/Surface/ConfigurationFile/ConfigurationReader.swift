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

    func read(_ table: TOMLTable) -> Configuration {
        var configuration = Configuration()
        var root = Section(table, name: "", place: nil, problems: problems)
        readHome(&root, &configuration)
        readMQTT(&root, &configuration)
        readStore(&root, &configuration)
        var profiles = root.section("profiles")
        if let directories = profiles.strings("directories", maximum: 16) {
            configuration.profileDirectories = directories
        }
        profiles.finish()
        var log = root.section("log")
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        if let level = log.choice("level", levels.map { ($0, $0) }) { configuration.logLevel = level }
        log.finish()
        configuration.buses = root.sections("modbus", maximum: 64).compactMap(readBus)
        configuration.devices = root.sections("device", maximum: 1024).compactMap(readDevice)
        configuration.tariffs = root.sections("tariff", maximum: HomeSettings.maximumTariffs)
            .compactMap(readTariff)
            .enumerated().sorted { ($0.element.validFrom, $0.offset) < ($1.element.validFrom, $1.offset) }.map(
                \.element)
        root.finish()
        checkNames(configuration, root)
        return configuration
    }

    private func readHome(_ root: inout Section, _ configuration: inout Configuration) {
        var home = root.section("home")
        if let name = home.string("name", maximum: 64) { configuration.home.name = name }
        configuration.home.zone = home.string("zone", maximum: 64)
        home.finish()
    }

    private func readMQTT(_ root: inout Section, _ configuration: inout Configuration) {
        var mqtt = root.section("mqtt")
        if let enabled = mqtt.boolean("enabled") { configuration.mqtt.isEnabled = enabled }
        if let host = mqtt.string("host") { configuration.mqtt.host = host }
        if let port = mqtt.integer("port", 1...65535) { configuration.mqtt.port = Int(port) }
        configuration.mqtt.username = mqtt.string("username").flatMap { $0.isEmpty ? nil : $0 }
        configuration.mqtt.passwordFile = mqtt.string("password_file", maximum: 4096).flatMap { $0.isEmpty ? nil : $0 }
        configuration.mqtt.clientID = mqtt.string("client_id", maximum: 64)
        mqtt.finish()
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

    private func readBus(_ given: Section) -> Configuration.Bus? {
        var section = given
        var bus: Configuration.Bus?
        if let text = section.required("bus") {
            do {
                bus = Configuration.Bus(address: try BusAddress(text))
            } catch {
                section.complain("bus", "is \"\(text)\": \(error)")
            }
        }
        let timeout = section.duration("timeout", 50...Span.minute)
        let devices = section.sections("device", maximum: 247).compactMap(readBusDevice)
        section.finish()
        if let timeout { bus?.timeout = timeout }
        bus?.devices = devices
        return bus
    }

    private func readBusDevice(_ given: Section) -> Configuration.BusDevice? {
        var section = given
        let name = section.required("name")
        let unit = section.integer("unit", 0...255) ?? 1
        let profile = section.required("profile")
        let interval = section.duration("interval", 100...(24 * Span.hour)) ?? 10 * Span.second
        if let profile, let profileNames, !profileNames.contains(profile) {
            let hint = nearest(profile, among: profileNames).map { "; did you mean \"\($0)\"?" } ?? ""
            section.complain("profile", "is \"\(profile)\", which is not known\(hint)")
        }
        section.finish()
        guard let name, let profile else { return nil }
        return Configuration.BusDevice(name: name, unit: UInt8(unit), profile: profile, interval: interval)
    }

    private func readDevice(_ given: Section) -> DeclaredDevice? {
        var section = given
        guard let name = section.required("name") else {
            return nil
        }
        var device = DeclaredDevice(name: name)
        if name.isEmpty || name.utf8.count > Device.maximumNameLength {
            section.complain("name", "has to be from 1 to \(Device.maximumNameLength) bytes long")
        }
        if ["home", "unmetered"].contains(name) {
            section.complain("name", "is \"\(name)\", which stands for a sum of devices")
        }
        if let binding = section.string("binding") { device.bindings.append(Binding(address: binding)) }
        for binding in section.strings("bindings", maximum: Device.maximumBindings) ?? [] {
            device.bindings.append(Binding(address: binding))
        }
        let roles: [DeviceRole] = [.load, .grid, .solar, .battery]
        device.role = section.choice("role", roles.map { ($0.name, $0) })
        device.parent = section.string("parent", maximum: Device.maximumNameLength)
        if device.parent == name { section.complain("parent", "is the device itself") }
        device.ratingWatts = section.integer("rating", 1...10_000_000)
        device.model = section.string("model", maximum: 128)
        section.finish()
        return device
    }

    private func readTariff(_ given: Section) -> Tariff? {
        var section = given
        let name = section.string("name", maximum: 64) ?? "tariff"
        let currencyText = section.string("currency") ?? "EUR"
        let currency = Currency(currencyText)
        if currency == nil {
            section.complain("currency", "is \"\(currencyText)\", not a code such as EUR, USD or GBP")
        }
        if section.table["import"] == nil { section.complain("import", "is missing: what a kWh from the grid costs") }
        let price = section.price("import")
        let exportPrice = section.price("export")
        let validFrom = section.time("valid_from") ?? Timestamp(milliseconds: 0)
        section.finish()
        guard let currency, let price else { return nil }
        return Tariff(
            name: name, currency: currency, importPrice: price, exportPrice: exportPrice, validFrom: validFrom)
    }

    /// Names are what people type, so no two devices may have the same.
    private func checkNames(_ configuration: Configuration, _ root: Section) {
        var seen: Set<String> = []
        for device in configuration.devices where !seen.insert(device.name).inserted {
            root.complain("device", "has two tables with the name \"\(device.name)\"")
        }
        var onBus: Set<String> = []
        for device in configuration.buses.flatMap(\.devices) where !onBus.insert(device.name).inserted {
            root.complain("modbus", "has two devices with the name \"\(device.name)\"")
        }
        let currencies = Set(configuration.tariffs.map(\.currency.code))
        if currencies.count > 1 {
            root.complain("tariff", "uses \(currencies.sorted().joined(separator: " and ")); a home has one currency")
        }
    }
}
