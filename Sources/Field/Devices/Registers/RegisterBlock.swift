/// One request to a meter: so many registers from an address.
public struct RegisterBlock: Hashable, Sendable, CustomStringConvertible {
    /// 3: holding registers, 4: input registers.
    public let function: UInt8
    public let address: UInt16
    public let count: Int
    /// Index into the map's groups; nil: whatever lies in the range.
    public let group: Int?

    public init(function: UInt8, address: UInt16, count: Int, group: Int? = nil) {
        self.function = function
        self.address = address
        self.count = count
        self.group = group
    }

    /// What the protocol lets one request ask for.
    public static let maximumCount = 125

    public var addresses: Range<Int> { Int(address)..<Int(address) + count }

    public var description: String { "function \(function), \(count) registers from \(hexadecimal(address))" }
}

/// `0x0034`
func hexadecimal(_ address: UInt16) -> String {
    let digits = String(address, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
}
