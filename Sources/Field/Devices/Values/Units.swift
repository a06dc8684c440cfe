import Metering

/// One spelling of a unit and what it is in the canonical unit of a quantity.
public struct Unit: Hashable, Sendable {
    public let name: String
    public let conversion: Conversion

    fileprivate init(_ name: String, _ numerator: Int64, per denominator: Int64 = 1, offset: Int64 = 0) {
        self.name = name
        conversion = Conversion(scale: Scale(numerator, per: denominator), offset: offset)
    }
}

extension Conversion {
    /// Every unit in which a profile may state `quantity`; the canonical one is the factor 1.
    public static func units(of quantity: Quantity) -> [Unit] {
        switch quantity.unit {
        case "W":
            [
                Unit("W", 1), Unit("kW", 1000), Unit("MW", 1_000_000), Unit("GW", 1_000_000_000),
                Unit("mW", 1, per: 1000), Unit("Watt", 1), Unit("watt", 1),
            ]
        case "VA": [Unit("VA", 1), Unit("kVA", 1000), Unit("mVA", 1, per: 1000)]
        case "var":
            [
                Unit("var", 1), Unit("VAr", 1), Unit("VAR", 1), Unit("kvar", 1000), Unit("kVAr", 1000),
                Unit("kVAR", 1000), Unit("mvar", 1, per: 1000),
            ]
        case "V":
            [
                Unit("V", 1), Unit("mV", 1, per: 1000), Unit("kV", 1000), Unit("MV", 1_000_000),
                Unit("µV", 1, per: 1_000_000), Unit("Volt", 1), Unit("volt", 1),
            ]
        case "A": [Unit("A", 1), Unit("mA", 1, per: 1000), Unit("Ampere", 1), Unit("ampere", 1)]
        case "Hz": [Unit("Hz", 1), Unit("mHz", 1, per: 1000), Unit("kHz", 1000), Unit("MHz", 1_000_000)]
        case "Wh": energyUnits
        case "varh": [Unit("varh", 1), Unit("kvarh", 1000), Unit("Mvarh", 1_000_000)]
        case "%": [Unit("%", 1), Unit("1", 100)]
        case "C": [Unit("C", 1), Unit("°C", 1)] + fahrenheitAndKelvin
        case "m3":
            [
                Unit("m3", 1), Unit("m³", 1), Unit("L", 1, per: 1000), Unit("dm3", 1, per: 1000),
                Unit("ft3", 283_168_466, per: 10_000_000_000), Unit("ft³", 283_168_466, per: 10_000_000_000),
                Unit("CCF", 283_168_466, per: 100_000_000), Unit("MCF", 283_168_466, per: 10_000_000),
            ]
        case "L":
            [
                Unit("L", 1), Unit("m3", 1000), Unit("m³", 1000), Unit("gal", 3_785_411_784, per: 1_000_000_000),
                Unit("ft3", 283_168_466, per: 10_000_000), Unit("ft³", 283_168_466, per: 10_000_000),
                Unit("CCF", 283_168_466, per: 100_000), Unit("MCF", 283_168_466, per: 10_000),
            ]
        case "1": quantity == .powerFactor ? [Unit("1", 1), Unit("%", 1, per: 100)] : [Unit("1", 1)]
        default: [Unit(quantity.unit, 1)]
        }
    }

    private static var energyUnits: [Unit] {
        [
            Unit("Wh", 1), Unit("kWh", 1000), Unit("MWh", 1_000_000), Unit("GWh", 1_000_000_000),
            Unit("TWh", 1_000_000_000_000), Unit("mWh", 1, per: 1000), Unit("Wmin", 1, per: 60),
            Unit("Ws", 1, per: 3600), Unit("J", 1, per: 3600),
            Unit("kJ", 10, per: 36), Unit("MJ", 10_000, per: 36), Unit("GJ", 10_000_000, per: 36),
            // The thermochemical calorie, 4.184 J.
            Unit("cal", 4_184, per: 3_600_000), Unit("kcal", 4_184, per: 3_600), Unit("Mcal", 4_184_000, per: 3_600),
            Unit("Gcal", 4_184_000_000, per: 3_600),
        ]
    }

    private static var fahrenheitAndKelvin: [Unit] {
        [
            Unit("F", 5, per: 9, offset: -32_000), Unit("°F", 5, per: 9, offset: -32_000),
            Unit("K", 1, offset: -273_150),
        ]
    }
}
