/// One block read: `count` registers of one unit.
package struct ModbusRequest: Hashable, Sendable {
    /// The unit (slave) behind the bus address.
    package var unit: UInt8
    package var function: ModbusFunction
    /// Zero-based, as on the wire.
    package var address: UInt16
    /// 1 … 125 registers, not beyond address 65535.
    package var count: Int

    package init(unit: UInt8, function: ModbusFunction, address: UInt16, count: Int) {
        self.unit = unit
        self.function = function
        self.address = address
        self.count = count
    }
}

/// The two functions that read registers. Writing is left out: nothing is ever written to a meter.
package enum ModbusFunction: UInt8, Hashable, Sendable {
    case holding = 3
    case input = 4
}
