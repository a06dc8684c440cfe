import Devices
import Intake
import Metering
import Modbus
import TOML
import Timekeeping

/// `[[modbus]]`: buses and the devices behind them.
extension ConfigurationReader {
    mutating func readBus(_ given: Section) -> Configuration.Bus? {
        var section = given
        var bus: Configuration.Bus?
        if let text = section.required("bus") {
            do {
                bus = Configuration.Bus(address: try BusAddress(text))
            } catch {
                section.complain("bus", "is \"\(text)\": \(error)")
            }
        }
        // Two connections to one line would talk over each other.
        if let bus {
            // Two speeds of one line are one line.
            let line = if case .rtu(let path, _, _, _) = bus.address { path } else { "\(bus.address)" }
            take(line, as: "bus", of: section, "bus", "is \"\(bus.address)\"")
        }
        let options = readOptions(&section)
        if let address = bus?.address, case .tcp = address, section.table["rs485"] != nil {
            section.complain("rs485", "is for serial lines, and this bus is \(address)")
        }
        let devices = section.sections("device", maximum: 247)
        if devices.isEmpty, section.table["device"] == nil {
            problems.add(section.place, "modbus has no device: add [[modbus.device]]")
        }
        for device in devices {
            let kind = "unit of \(bus.map { "\($0.address)" } ?? "")"
            if let device = readBusDevice(device, units: kind) { bus?.devices.append(device) }
        }
        section.finish()
        bus?.options = options
        return bus
    }

    private func readOptions(_ section: inout Section) -> ModbusOptions {
        let usual = ModbusOptions()
        let timeout = section.duration("timeout", 50...Span.minute).map(Int.init)
        let floor = section.duration("timeout_floor", 1...Span.minute).map(Int.init)
        if let floor, floor > timeout ?? usual.responseTimeout {
            section.complain("timeout_floor", "is more than timeout")
        }
        let pause = section.duration("pause", 0...(10 * Span.second)).map(Int.init)
        let retries = section.integer("retries", 0...10).map(Int.init)
        let quarantine = section.duration("quarantine", Span.second...Span.hour).map(Int.init)
        let switchesRS485 = section.boolean("rs485")
        return ModbusOptions(
            responseTimeout: timeout ?? usual.responseTimeout, timeoutFloor: floor ?? usual.timeoutFloor,
            pause: pause ?? usual.pause, retries: retries ?? usual.retries,
            quarantine: quarantine ?? usual.quarantine, switchesRS485: switchesRS485 ?? usual.switchesRS485)
    }

    private mutating func readBusDevice(_ given: Section, units: String) -> Configuration.BusDevice? {
        var section = given
        let name = readName(&section, as: "name of a modbus.device")
        let unit = section.integer("unit", 0...255) ?? 1
        take(String(unit), as: units, of: section, "unit", "is \(unit)")
        let profile = section.required("profile")
        let interval = section.duration("interval", 100...Span.day) ?? 10 * Span.second
        if let profile, let profileNames, !profileNames.contains(profile) {
            let hint = nearest(profile, among: profileNames).map { "; did you mean \"\($0)\"?" } ?? ""
            section.complain("profile", "is \"\(profile)\", which is not a known profile of a Modbus meter\(hint)")
        }
        let pause = section.duration("pause", 0...(10 * Span.second))
        let context = RegisterContext(
            currentRatio: ratio("ct", &section), voltageRatio: ratio("pt", &section),
            isInverted: section.boolean("invert") ?? false)
        section.finish()
        guard let name, let profile else { return nil }
        return Configuration.BusDevice(
            name: name, unit: UInt8(unit), profile: profile, interval: interval, pause: pause, context: context)
    }

    /// Of transformers: `"200/5"`, or `"40"`.
    private func ratio(_ key: String, _ section: inout Section) -> Scale? {
        guard let text = section.string(key, maximum: 32) else { return nil }
        guard let scale = Scale(text: text), scale.numerator > 0 else {
            section.complain(key, "is \"\(text)\", not a ratio above 0 such as \"40\" or \"200/5\"")
            return nil
        }
        return scale
    }
}
