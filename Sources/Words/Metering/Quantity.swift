/// What is measured: the field's standard terms with one canonical unit each.
///
/// `code` is what formats store and never changes its meaning; a code this version does not know is kept and
/// passed on, and prints as `quantity_<code>`.
public struct Quantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Permanent: a code is never given to another quantity.
    public let code: UInt16

    /// Any code, known to this version or not.
    public init(code: UInt16) {
        self.code = code
    }

    /// Nil for a name that is not in the table: names are never invented.
    public init?(name: some StringProtocol) {
        guard let code = Quantity.codes[String(name)] else { return nil }
        self.code = code
    }

    /// How readings of a quantity behave.
    public enum Behaviour: Sendable {
        /// A momentary value, such as power.
        case gauge
        /// A register that rises with use.
        case counter
        /// A register that the device sets back at the end of a local day or month.
        case period
        /// An amount since the device's previous report; never subtracted.
        case delta
        /// A number that names a state.
        case state
    }

    private struct Entry {
        let code: UInt16
        let name: String
        let unit: String
        let behaviour: Behaviour
    }

    private static let table: [Entry] = [
        Entry(code: 1, name: "power", unit: "W", behaviour: .gauge),
        Entry(code: 2, name: "apparent_power", unit: "VA", behaviour: .gauge),
        Entry(code: 3, name: "reactive_power", unit: "var", behaviour: .gauge),
        Entry(code: 4, name: "voltage", unit: "V", behaviour: .gauge),
        Entry(code: 5, name: "current", unit: "A", behaviour: .gauge),
        Entry(code: 6, name: "frequency", unit: "Hz", behaviour: .gauge),
        Entry(code: 7, name: "power_factor", unit: "1", behaviour: .gauge),
        Entry(code: 8, name: "energy_import", unit: "Wh", behaviour: .counter),
        Entry(code: 9, name: "energy_export", unit: "Wh", behaviour: .counter),
        Entry(code: 10, name: "energy_total", unit: "Wh", behaviour: .counter),
        Entry(code: 11, name: "energy_net", unit: "Wh", behaviour: .gauge),
        Entry(code: 12, name: "energy_import_today", unit: "Wh", behaviour: .period),
        Entry(code: 13, name: "energy_export_today", unit: "Wh", behaviour: .period),
        Entry(code: 14, name: "energy_import_yesterday", unit: "Wh", behaviour: .period),
        Entry(code: 15, name: "energy_export_yesterday", unit: "Wh", behaviour: .period),
        Entry(code: 16, name: "energy_import_month", unit: "Wh", behaviour: .period),
        Entry(code: 17, name: "energy_export_month", unit: "Wh", behaviour: .period),
        Entry(code: 18, name: "energy_import_delta", unit: "Wh", behaviour: .delta),
        Entry(code: 19, name: "energy_export_delta", unit: "Wh", behaviour: .delta),
        Entry(code: 20, name: "reactive_energy_import", unit: "varh", behaviour: .counter),
        Entry(code: 21, name: "reactive_energy_export", unit: "varh", behaviour: .counter),
        Entry(code: 22, name: "production_power", unit: "W", behaviour: .gauge),
        Entry(code: 23, name: "production_energy", unit: "Wh", behaviour: .counter),
        Entry(code: 24, name: "production_energy_today", unit: "Wh", behaviour: .period),
        Entry(code: 25, name: "battery_power", unit: "W", behaviour: .gauge),
        Entry(code: 26, name: "battery_charge_energy", unit: "Wh", behaviour: .counter),
        Entry(code: 27, name: "battery_discharge_energy", unit: "Wh", behaviour: .counter),
        Entry(code: 28, name: "battery_soc", unit: "%", behaviour: .gauge),
        Entry(code: 29, name: "temperature", unit: "C", behaviour: .gauge),
        Entry(code: 30, name: "gas", unit: "m3", behaviour: .counter),
        Entry(code: 31, name: "water", unit: "L", behaviour: .counter),
        Entry(code: 32, name: "tariff", unit: "1", behaviour: .state),
        Entry(code: 33, name: "switch", unit: "1", behaviour: .state),
        Entry(code: 34, name: "available", unit: "1", behaviour: .state),
        Entry(code: 64, name: "gateway_bus_requests", unit: "1", behaviour: .counter),
        Entry(code: 65, name: "gateway_bus_errors", unit: "1", behaviour: .counter),
        Entry(code: 66, name: "gateway_broker_connected", unit: "1", behaviour: .state),
        Entry(code: 67, name: "gateway_messages", unit: "1", behaviour: .counter),
        Entry(code: 68, name: "gateway_messages_rejected", unit: "1", behaviour: .counter),
        Entry(code: 69, name: "gateway_disk_free", unit: "B", behaviour: .gauge),
        Entry(code: 70, name: "gateway_disk_written", unit: "B", behaviour: .counter),
        Entry(code: 71, name: "gateway_clock_offset", unit: "s", behaviour: .gauge),
        Entry(code: 72, name: "gateway_clock_synchronized", unit: "1", behaviour: .state),
        Entry(code: 73, name: "gateway_uplink_lag", unit: "s", behaviour: .gauge),
        Entry(code: 80, name: "gateway_store_failed", unit: "1", behaviour: .state),
        Entry(code: 81, name: "gateway_store_waiting", unit: "B", behaviour: .gauge),
        Entry(code: 82, name: "gateway_readings_dropped", unit: "1", behaviour: .counter),
    ]

    /// Dense, since the behaviour is asked for with every reading.
    private static let byCode: [Entry?] = {
        var entries = [Entry?](repeating: nil, count: Int(table.map(\.code).max() ?? 0) + 1)
        for entry in table { entries[Int(entry.code)] = entry }
        return entries
    }()
    private var entry: Entry? { Int(code) < Quantity.byCode.count ? Quantity.byCode[Int(code)] : nil }
    private static let codes = [String: UInt16](uniqueKeysWithValues: table.map { ($0.name, $0.code) })

    /// Every quantity of this version, in the order of their codes.
    public static var all: [Quantity] { table.map { Quantity(code: $0.code) } }

    /// The name in topics, files and answers.
    public var name: String { entry?.name ?? "quantity_\(code)" }
    /// The canonical unit; empty for a code this version does not know.
    public var unit: String { entry?.unit ?? "" }
    /// `gauge` for a code this version does not know: never booked.
    public var behaviour: Behaviour { entry?.behaviour ?? .gauge }
    public var description: String { name }

    public static func < (a: Quantity, b: Quantity) -> Bool {
        a.code < b.code
    }

    public static let power = Quantity(code: 1)
    public static let apparentPower = Quantity(code: 2)
    public static let reactivePower = Quantity(code: 3)
    public static let voltage = Quantity(code: 4)
    public static let current = Quantity(code: 5)
    public static let frequency = Quantity(code: 6)
    public static let powerFactor = Quantity(code: 7)
    public static let energyImport = Quantity(code: 8)
    public static let energyExport = Quantity(code: 9)
    public static let energyTotal = Quantity(code: 10)
    public static let energyNet = Quantity(code: 11)
    public static let energyImportToday = Quantity(code: 12)
    public static let energyExportToday = Quantity(code: 13)
    public static let energyImportYesterday = Quantity(code: 14)
    public static let energyExportYesterday = Quantity(code: 15)
    public static let energyImportMonth = Quantity(code: 16)
    public static let energyExportMonth = Quantity(code: 17)
    public static let energyImportDelta = Quantity(code: 18)
    public static let energyExportDelta = Quantity(code: 19)
    public static let productionPower = Quantity(code: 22)
    public static let productionEnergy = Quantity(code: 23)
    public static let batteryPower = Quantity(code: 25)
    public static let batteryChargeEnergy = Quantity(code: 26)
    public static let batteryDischargeEnergy = Quantity(code: 27)
    public static let batterySoC = Quantity(code: 28)
    public static let temperature = Quantity(code: 29)
    public static let gas = Quantity(code: 30)
    public static let water = Quantity(code: 31)
    public static let `switch` = Quantity(code: 33)
    public static let available = Quantity(code: 34)
    public static let brokerConnected = Quantity(code: 66)
    public static let busErrors = Quantity(code: 65)
    public static let busRequests = Quantity(code: 64)
    public static let messages = Quantity(code: 67)
    public static let messagesRejected = Quantity(code: 68)
    public static let diskFree = Quantity(code: 69)
    public static let diskWritten = Quantity(code: 70)
    public static let clockSynchronized = Quantity(code: 72)
    /// 1 while the disk takes nothing and readings wait in memory.
    public static let storeFailed = Quantity(code: 80)
    public static let storeWaiting = Quantity(code: 81)
    public static let readingsDropped = Quantity(code: 82)
}
