import Metering
import Timekeeping

/// One value as a device of the house shows it: rounded, frozen or behind as the real thing would be.
public struct HouseReading: Hashable, Sendable {
    public var channel: Channel
    public var quantity: Quantity
    /// Thousandths of the quantity's canonical unit.
    public var value: Int64

    init(_ quantity: Quantity, _ value: Int64, channel: Channel = .total) {
        self.channel = channel
        self.quantity = quantity
        self.value = value
    }
}

extension House {
    /// What device `index` of `devices` shows at `time`, total first; empty while it is silent.
    public func readings(of index: Int) -> [HouseReading] {
        switch devices[index].role {
        case .gridMeter: SDM630.readings(meter, supply)
        case .inverter:
            [
                HouseReading(.productionPower, photovoltaics.milliwatts),
                HouseReading(.productionEnergy, photovoltaics.milliwattHours),
            ]
        case .plug: plugReadings(plugs[index - House.firstPlug])
        }
    }

    private func plugReadings(_ plug: Plug) -> [HouseReading] {
        if plug.isSilent { return [] }
        guard plug.device.transport == .tasmota else {
            let power = HouseReading(.power, plug.load.milliwatts)
            guard let shown = plug.shownMilliwattHours else { return [power] }
            return [power, HouseReading(.energyImport, shown)]
        }
        let face = TasmotaFace(plug, supply)
        return [
            HouseReading(.power, face.watts * 1000),
            HouseReading(.energyImport, face.totalWattHours * 1000),
            HouseReading(.voltage, face.volts * 1000),
            HouseReading(.current, face.milliamperes),
        ]
    }
}

extension House {
    /// Readings of device `index` at `time` as JSON lines, as `energyctl replay` takes them; appended to `text`.
    public func appendReplayLines(of index: Int, to text: inout String) {
        let prefix = "{\"time\":\"\(time.rfc3339())\",\"device\":\"\(devices[index].name)\",\"channel\":\""
        for reading in readings(of: index) {
            text += prefix
            text += reading.channel.name
            text += "\",\"quantity\":\"\(reading.quantity.name)\",\"value\":\(Thousandths.text(reading.value))}\n"
        }
    }

    /// `{"time":…,"total":{…},"l1":{…}}`, an object of the topic `energy/<device>`; nil while the device is silent.
    public func energyObject(of index: Int) -> String? {
        let readings = readings(of: index)
        if readings.isEmpty { return nil }
        var text = "{\"time\":\"\(time.rfc3339())\""
        var channel: Channel?
        for reading in readings {
            if reading.channel == channel {
                text += ","
            } else {
                text += (channel == nil ? "," : "},") + "\"\(reading.channel.name)\":{"
                channel = reading.channel
            }
            text += "\"\(reading.quantity.name)\":\(Thousandths.text(reading.value))"
        }
        return text + "}}"
    }
}
