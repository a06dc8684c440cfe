import Metering

/// Registers that are read at the same pace.
package struct RegisterGroup: Hashable, Sendable {
    package let name: String
    /// In ms, unless the configuration says otherwise.
    package let period: Int64
}

/// How a meter's serial line is set when nobody changed it.
package struct LineDefaults: Hashable, Sendable {
    package enum Parity: String, Hashable, Sendable, CaseIterable {
        case none, even, odd
    }

    package var baud = 9600
    package var parity = Parity.none
    package var stopBits = 1
    package var unit: UInt8 = 1
    /// The pause a meter needs between two requests, in ms.
    package var pause: Int64 = 0
}

/// What a meter's registers mean, and in which requests they are read. Pure: words in, samples out.
package struct RegisterMap: Hashable, Sendable {
    package let function: UInt8
    package let groups: [RegisterGroup]
    package let line: LineDefaults
    /// By address.
    package let registers: [Register]
    /// Registers the maker documents and the profile leaves out, with the reason.
    package let unused: [UnusedRegister]
    private let plan: [RegisterBlock]

    package struct UnusedRegister: Hashable, Sendable {
        package let address: UInt16
        package let what: String
    }

    /// Fails when registers that belong together do not fit into one request.
    init(
        function: UInt8, groups: [RegisterGroup], line: LineDefaults, registers: [Register],
        unused: [UnusedRegister], limits: BlockLimits
    ) throws(BlockPlanner.Problem) {
        self.function = function
        self.groups = groups
        self.line = line
        self.registers = registers.sorted { ($0.address, $0.end) < ($1.address, $1.end) }
        self.unused = unused
        plan = try BlockPlanner.plan(self.registers, groups: groups.count, function: function, limits: limits)
    }

    /// The requests of one group, or of all, by address. Planned once, when the profile was read.
    package func blocks(of group: String? = nil) -> [RegisterBlock] {
        guard let group else { return plan }
        return plan.filter { block in block.group.map { groups[$0].name } == group }
    }

    /// Appends a sample for each register that lies wholly in `block`, belongs to its group and has a value.
    ///
    /// `words` are what the meter answered, and may be longer than the block. What is returned could not be read; the
    /// other registers count.
    package func decode(_ block: RegisterBlock, words: [UInt16], into samples: inout [Sample]) -> [FieldError] {
        guard words.count >= block.count else {
            let error = DecodeError.shortAnswer(words: words.count, expected: block.count)
            return [FieldError(field: "\(block)", error: error)]
        }
        guard block.function == function else { return [] }
        var errors: [FieldError] = []
        let first = Int(block.address)
        for register in registers[firstIndex(from: block.address)...] {
            guard Int(register.address) < first + block.count else { break }
            guard register.end <= first + block.count else { continue }
            if let group = block.group, register.group != group { continue }
            switch register.value(ofRaw: register.raw(words, at: Int(register.address) - first)) {
            case .thousandths(let value):
                samples.append(Sample(channel: register.channel, quantity: register.quantity, value: value))
            case .noValue: continue
            case .outOfRange:
                errors.append(FieldError(field: "register \(hexadecimal(register.address))", error: .outOfRange))
            }
        }
        return errors
    }

    private func firstIndex(from address: UInt16) -> Int {
        var low = 0
        var high = registers.count
        while low < high {
            let middle = (low + high) / 2
            if registers[middle].address < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
