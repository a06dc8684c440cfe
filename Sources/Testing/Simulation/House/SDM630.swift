import Metering

/// The registers of an Eastron SDM630 as the house's grid meter fills them: 32-bit floats, high word first, read with
/// function 4 from unit 1. What no register is at reads as 0.
public enum SDM630 {
    public static let unit: UInt8 = 1
    /// Words of the image; address 0 is its first.
    public static let wordCount = 0x178
    /// Registers that one request may ask for.
    public static let maximumCount = 80

    /// The meter's input registers at this instant.
    public static func inputRegisters(_ house: House) -> [UInt16] {
        inputRegisters(house.meter, house.supply)
    }

    static func inputRegisters(_ meter: GridMeter, _ supply: Supply) -> [UInt16] {
        var image = Image()
        var amperes: [Int64] = []
        var betweenLines: Int64 = 0
        for phase in 0..<3 {
            let registers = meter.phases[phase]
            let next = 2 * phase
            amperes.append(milliamperes(registers, supply.millivolts[phase]))
            image.set(0x00 + next, thousandths: supply.millivolts[phase])
            image.set(0x06 + next, thousandths: amperes[phase])
            image.setPowers(registers, active: 0x0C + next, step: 6)
            image.set(0x15A + next, value: kilowattHours(registers.importMilliwattHours))
            image.set(0x160 + next, value: kilowattHours(registers.exportMilliwattHours))
            image.set(
                0x166 + next, value: kilowattHours(registers.importMilliwattHours + registers.exportMilliwattHours))
            let lineToLine = lineToLine(supply.millivolts[phase], supply.millivolts[(phase + 1) % 3])
            betweenLines += lineToLine
            image.set(0xC8 + next, thousandths: lineToLine)
        }
        image.set(0x2A, thousandths: supply.millivolts.reduce(0, +) / 3)
        image.set(0x2E, thousandths: amperes.reduce(0, +) / 3)
        image.set(0x30, thousandths: amperes.reduce(0, +))
        image.setPowers(meter.total, active: 0x34, step: 4)
        image.set(0x46, thousandths: supply.millihertz)
        image.set(0x48, value: kilowattHours(meter.total.importMilliwattHours))
        image.set(0x4A, value: kilowattHours(meter.total.exportMilliwattHours))
        image.set(0x4C, value: kilowattHours(meter.reactive.milliwattHours))
        image.set(0xCE, thousandths: betweenLines / 3)
        image.set(0xE0, thousandths: neutral(amperes))
        image.set(0x156, value: kilowattHours(meter.total.importMilliwattHours + meter.total.exportMilliwattHours))
        image.set(0x158, value: kilowattHours(meter.reactive.milliwattHours))
        return image.words
    }

    /// The readings that a gateway gets from those registers, to the same thousandth.
    static func readings(_ meter: GridMeter, _ supply: Supply) -> [HouseReading] {
        var readings = [
            HouseReading(.power, read(meter.total.milliwatts)),
            HouseReading(.energyImport, readEnergy(meter.total.importMilliwattHours)),
            HouseReading(.energyExport, readEnergy(meter.total.exportMilliwattHours)),
            HouseReading(.frequency, read(supply.millihertz)),
        ]
        for phase in 0..<3 {
            let channel = Channel.phase(phase + 1)
            let registers = meter.phases[phase]
            let current = milliamperes(registers, supply.millivolts[phase])
            readings.append(HouseReading(.power, read(registers.milliwatts), channel: channel))
            readings.append(HouseReading(.voltage, read(supply.millivolts[phase]), channel: channel))
            readings.append(HouseReading(.current, read(current), channel: channel))
            readings.append(
                HouseReading(.energyImport, readEnergy(registers.importMilliwattHours), channel: channel))
            readings.append(
                HouseReading(.energyExport, readEnergy(registers.exportMilliwattHours), channel: channel))
        }
        return readings
    }

    private static func kilowattHours(_ milliwattHours: Int64) -> Float { Float(Double(milliwattHours) / 1_000_000) }

    private static func read(_ thousandths: Int64) -> Int64 {
        Thousandths.from(Double(Float(Double(thousandths) / 1000))) ?? 0
    }

    private static func readEnergy(_ milliwattHours: Int64) -> Int64 {
        Thousandths.from(Double(kilowattHours(milliwattHours)), scale: Scale(1000)) ?? 0
    }

    private static func milliamperes(_ registers: GridMeter.Registers, _ millivolts: Int64) -> Int64 {
        FixedPoint.divideRounded(registers.millivoltamperes * 1000, millivolts)
    }

    /// Two phases stand 120° apart.
    private static func lineToLine(_ a: Int64, _ b: Int64) -> Int64 {
        FixedPoint.squareRoot(a * a + b * b + a * b)
    }

    /// What three currents, 120° apart, leave in the neutral.
    private static func neutral(_ amperes: [Int64]) -> Int64 {
        let (a, b, c) = (amperes[0], amperes[1], amperes[2])
        return FixedPoint.squareRoot(a * a + b * b + c * c - a * b - b * c - c * a)
    }

    private struct Image {
        var words = [UInt16](repeating: 0, count: SDM630.wordCount)

        mutating func set(_ address: Int, value: Float) {
            words[address] = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
            words[address + 1] = UInt16(truncatingIfNeeded: value.bitPattern)
        }

        mutating func set(_ address: Int, thousandths: Int64) {
            set(address, value: Float(Double(thousandths) / 1000))
        }

        /// Active, apparent and reactive power, power factor and phase angle, `step` words apart.
        mutating func setPowers(_ registers: GridMeter.Registers, active: Int, step: Int) {
            let apparent = registers.millivoltamperes
            // Its sign is the direction of the active power; without a load it shows 1.
            let factor = apparent == 0 ? 1000 : min(max(registers.milliwatts * 1000 / apparent, -1000), 1000)
            set(active, thousandths: registers.milliwatts)
            set(active + step, thousandths: apparent)
            set(active + 2 * step, thousandths: registers.millivars)
            if step == 4 {
                // The totals stand at 34, 38, 3C, 3E and 42, not evenly.
                set(0x3E, thousandths: factor)
                set(0x42, thousandths: SDM630.angle(cosine: factor))
            } else {
                set(active + 3 * step, thousandths: factor)
                set(active + 4 * step, thousandths: SDM630.angle(cosine: factor))
            }
        }
    }

    /// Thousandths of a degree within 0…180 whose cosine is nearest to `cosine` (permille), by bisection.
    private static func angle(cosine: Int64) -> Int64 {
        var (low, high): (Int64, Int64) = (0, 180_000)
        while high - low > 1 {
            let middle = (low + high) / 2
            if FixedPoint.cosine(middle) > cosine * 1000 { low = middle } else { high = middle }
        }
        return high
    }
}
