import Devices
import Metering
import Testing

@Suite struct PlausibilityTests {
    @Test(
        arguments: [
            (Quantity.power, 1_000_000_000, true), (.power, 1_000_000_001, false), (.power, -1_000_000_001, false),
            (.voltage, 1_000_001, false), (.current, -10_000_000, true), (.current, 10_000_001, false),
            (.frequency, 0, true), (.frequency, 39_999, false), (.frequency, 70_000, true), (.frequency, 70_001, false),
            (.energyImport, 0, true), (.energyImport, -1, false), (.energyImport, 1_000_000_000_000_000, true),
            (.energyImport, 1_000_000_000_000_001, false), (.energyNet, -5, true), (.powerFactor, 1_011, false),
            (.temperature, 150_001, false), (.tariff, 7_000, true), (.power, .min, false),
        ] as [(Quantity, Int64, Bool)])
    func `a value outside of the limits is rejected`(quantity: Quantity, value: Int64, isOK: Bool) {
        #expect((Plausibility.check(quantity, value) == .ok) == isOK)
    }

    @Test func `a power factor a hair above one is one`() {
        #expect(Plausibility.check(.powerFactor, 1_010) == .clamped(1000))
        #expect(Plausibility.check(.powerFactor, -1_001) == .clamped(-1000))
        #expect(Plausibility.check(.powerFactor, 1_000) == .ok)
    }

    @Test func `a rejection says what the limits are`() {
        guard case .reject(let reason) = Plausibility.check(.voltage, 2_301_000) else {
            Issue.record("accepted")
            return
        }
        #expect(reason.description == "voltage of 2301 V is outside -1000 … 1000")
    }
}

extension Quantity {
    fileprivate static let tariff = Quantity(code: 32)
}
