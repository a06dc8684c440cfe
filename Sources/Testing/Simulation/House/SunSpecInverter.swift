import Metering

/// The house's inverter as a SunSpec device: holding registers from 40000 on, with the marker, the common model 1, an
/// inverter of three phases (model 103) and the end of the chain. What a model names and the house does not have
/// reads as "not implemented".
///
/// Source: SunSpec Device Information Model Specification, and its definitions of the models 1 and 103.
public enum SunSpecInverter {
    public static let address = 40_000
    /// Registers of the whole chain.
    public static let wordCount = 2 + 68 + 52 + 2
    /// Where model 103 stands: its id.
    public static let inverterModel = address + 2 + 68

    /// The inverter's holding registers at this instant, from `address` on.
    public static func holdingRegisters(_ house: House) -> [UInt16] {
        marker + common + inverter(house) + end
    }

    private static let marker: [UInt16] = [0x5375, 0x6E53]
    private static let end: [UInt16] = [0xFFFF, 0]

    /// Model 1 with its padding: 66 registers.
    private static var common: [UInt16] {
        [1, 66] + text("energysim", words: 16) + text("Roof 6k", words: 16) + text("", words: 8)
            + text("1.0", words: 8) + text("7E57-0001", words: 16) + [0x8000, 0x8000]
    }

    private static func inverter(_ house: House) -> [UInt16] {
        let photovoltaics = house.photovoltaics
        var words = [UInt16](repeating: 0xFFFF, count: 52)
        (words[0], words[1]) = (103, 50)
        var amperes: Int64 = 0
        for phase in 0..<3 {
            let volts = house.supply.millivolts[phase]
            let milliamperes = FixedPoint.divideRounded(photovoltaics.milliwatts(phase: phase) * 1000, volts)
            amperes += milliamperes
            words[3 + phase] = hundredths(milliamperes)
            words[10 + phase] = UInt16(clamping: FixedPoint.divideRounded(volts, 100))
        }
        words[2] = hundredths(amperes)
        words[6] = scale(-2)
        words[13] = scale(-1)
        (words[14], words[15]) = (UInt16(clamping: FixedPoint.divideRounded(photovoltaics.milliwatts, 1000)), scale(0))
        (words[16], words[17]) = (hundredths(house.supply.millihertz), scale(-2))
        // Points of signed type say so with 8000.
        for index in [18, 20, 22, 31, 33, 34, 35, 36, 19, 21, 23, 28, 30, 32, 37] { words[index] = 0x8000 }
        let wattHours = UInt32(truncatingIfNeeded: photovoltaics.milliwattHours / 1000)
        words[24] = UInt16(truncatingIfNeeded: wattHours >> 16)
        words[25] = UInt16(truncatingIfNeeded: wattHours)
        words[26] = scale(0)
        // MPPT while the sun shines, else sleeping.
        words[38] = photovoltaics.milliwatts > 0 ? 4 : 2
        // No events.
        for index in 40..<52 { words[index] = 0 }
        return words
    }

    private static func hundredths(_ thousandths: Int64) -> UInt16 {
        UInt16(clamping: FixedPoint.divideRounded(thousandths, 10))
    }

    private static func scale(_ exponent: Int16) -> UInt16 { UInt16(bitPattern: exponent) }

    /// Two characters to a word, filled up with NUL.
    private static func text(_ text: String, words: Int) -> [UInt16] {
        var bytes = Array(text.utf8.prefix(words * 2))
        bytes += [UInt8](repeating: 0, count: words * 2 - bytes.count)
        return stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    }
}
