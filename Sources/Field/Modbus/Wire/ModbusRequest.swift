/// One block read: `count` registers of one unit.
public struct ModbusRequest: Hashable, Sendable {
    /// The unit (slave) behind the bus address.
    public var unit: UInt8
    public var function: ModbusFunction
    /// Zero-based, as on the wire.
    public var address: UInt16
    /// 1 … 125 registers, not beyond address 65535.
    public var count: Int

    public init(unit: UInt8, function: ModbusFunction, address: UInt16, count: Int) {
        self.unit = unit
        self.function = function
        self.address = address
        self.count = count
    }
}

/// The two functions that read registers. Writing is left out: nothing is ever written to a meter.
public enum ModbusFunction: UInt8, Hashable, Sendable {
    case holding = 3
    case input = 4
}
