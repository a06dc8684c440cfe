import Metering

/// What a value measures, from the words that a device's announcement has for it: a class, a unit, a name.
struct AnnouncedQuantity {
    let quantity: Quantity
    let conversion: Conversion

    /// Why an announced value is not taken.
    enum Problem: Error, Hashable {
        /// Nothing that energyd measures.
        case notMeasured
        /// A class and a unit that contradict each other, or one of them alone that tells too little.
        case contradiction(String)
    }

    /// `deviceClass` as Home Assistant has it, empty where none is stated; `name` may hint at direction and period.
    init(deviceClass: String, unit: String, name: String) throws(Problem) {
        let kind = deviceClass.isEmpty ? AnnouncedQuantity.deviceClass(of: unit) : deviceClass
        guard let quantity = try AnnouncedQuantity.quantity(kind, name.lowercased()) else { throw .notMeasured }
        self.quantity = quantity
        if unit.isEmpty {
            guard kind == "power_factor" else {
                throw .contradiction("names no unit for the class \(kind)")
            }
            conversion = .canonical
            return
        }
        guard let conversion = Conversion(unit: AnnouncedQuantity.spelling(unit), of: quantity) else {
            throw .contradiction("has the unit `\(unit)`, which does not fit the class \(kind)")
        }
        self.conversion = conversion
    }

    private static func spelling(_ unit: String) -> String {
        // The Greek letter in place of the sign, and the other way round.
        unit == "\u{3BC}V" ? "µV" : unit
    }

    /// What a unit alone tells: temperatures and percents may be anything's.
    private static func deviceClass(of unit: String) -> String {
        switch unit {
        case "W", "kW", "MW", "mW": "power"
        case "Wh", "kWh", "MWh": "energy"
        case "V", "mV": "voltage"
        case "A", "mA": "current"
        case "Hz": "frequency"
        case "VA", "kVA": "apparent_power"
        case "var", "VAr", "kvar": "reactive_power"
        default: ""
        }
    }

    /// Nil for a class that is none of ours.
    private static func quantity(_ kind: String, _ name: String) throws(Problem) -> Quantity? {
        switch kind {
        case "power": .power
        case "apparent_power": .apparentPower
        case "reactive_power": .reactivePower
        case "voltage": .voltage
        case "current": .current
        case "frequency": .frequency
        case "power_factor": .powerFactor
        case "temperature": .temperature
        case "gas": .gas
        case "water": .water
        case "battery": .batterySoC
        case "energy": try energy(name)
        default: nil
        }
    }

    /// A class says nothing about direction and period; a name may. Without a hint the direction is not told apart.
    private static func energy(_ name: String) throws(Problem) -> Quantity {
        func says(_ words: String...) -> Bool { words.contains { name.contains($0) } }
        let isExport = says("export", "return", "feed_in", "feedin", "to_grid", "injected", "einspeisung", "lieferung")
        let isImport = says("import", "consum", "delivered", "from_grid", "bezug", "verbrauch")
        if says("yesterday") { return isExport ? .energyExportYesterday : .energyImportYesterday }
        if says("today", "daily", "_day") { return isExport ? .energyExportToday : .energyImportToday }
        if says("monthly", "month") { return isExport ? .energyExportMonth : .energyImportMonth }
        if says("hourly", "weekly", "yearly", "_week", "_year", "_hour") { throw .notMeasured }
        if isExport, isImport { return .energyTotal }
        return isExport ? .energyExport : isImport ? .energyImport : .energyTotal
    }
}

/// Which channel an announced value is, told by its name; and names that stay apart where that tells nothing.
enum AnnouncedChannel {
    /// `power_l2`, `phase_b_voltage`, `current_3`; nil where nothing is told.
    static func hint(_ name: String) -> Channel? {
        let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        for (i, word) in words.enumerated() {
            if word.count == 2, word.hasPrefix("l"), let number = Int(word.dropFirst()), (1...3).contains(number) {
                return .phase(number)
            }
            if word == "phase", i + 1 < words.count {
                switch words[i + 1] {
                case "1", "a", "r": return .phase(1)
                case "2", "b", "s": return .phase(2)
                case "3", "c", "t": return .phase(3)
                default: break
                }
            }
        }
        guard words.count > 1, let number = words.last.flatMap({ Int($0) }), (0...99).contains(number)
        else { return nil }
        return .output(number)
    }

    /// The end of a name as a channel: `mains power` is `mains_power`.
    static func slug(_ name: String) -> Channel? {
        let letters = name.lowercased().utf8.map { byte -> UInt8 in
            let isAllowed = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            return isAllowed ? byte : UInt8(ascii: "_")
        }
        let end = letters.suffix(Channel.maximumLength).drop { $0 == UInt8(ascii: "_") }
        return Channel(String(decoding: end, as: UTF8.self))
    }
}
