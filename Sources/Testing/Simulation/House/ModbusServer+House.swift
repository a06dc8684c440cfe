import Modbus

extension ModbusServer {
    /// Adds the house's grid meter, an SDM630, as strict as the real one: function 4, even addresses, even counts, at
    /// most 80 registers a request; anything else is an exception.
    public func addGridMeter(of house: House, unit: UInt8 = SDM630.unit) {
        addUnit(
            unit, holding: 0..<1, input: 0..<SDM630.wordCount,
            rules: ModbusRules(functions: [4], alignment: 2, most: SDM630.maximumCount))
        show(house, unit: unit)
    }

    /// Shows what the house's meter shows now.
    public func show(_ house: House, unit: UInt8 = SDM630.unit) {
        setWords(unit: unit, function: .input, address: 0, words: SDM630.inputRegisters(house))
    }

    /// Adds the house's inverter, a SunSpec device: function 3 where its chain is, an exception
    /// elsewhere.
    public func addInverter(of house: House, unit: UInt8) {
        let chain = SunSpecInverter.address..<SunSpecInverter.address + SunSpecInverter.wordCount
        addUnit(unit, holding: chain, input: 0..<1, rules: ModbusRules(functions: [3]))
        showInverter(of: house, unit: unit)
    }

    /// Shows what the house's inverter shows now.
    public func showInverter(of house: House, unit: UInt8) {
        setWords(
            unit: unit, function: .holding, address: SunSpecInverter.address,
            words: SunSpecInverter.holdingRegisters(house))
    }
}
