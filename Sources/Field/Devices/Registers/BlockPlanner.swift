/// What a meter accepts in one request.
package struct BlockLimits: Hashable, Sendable {
    /// Registers per request.
    package var registers = RegisterBlock.maximumCount
    /// Registers between two wanted ones that may be read along; 0: a gap ends the block.
    package var gap = 0
    /// Start and count are multiples of this: 2 for meters that know whole floats only.
    package var alignment = 1
}

/// Packs registers into as few requests as the meter's limits allow, and never splits what belongs together.
enum BlockPlanner {
    struct Problem: Error {
        /// The first register of those that do not fit.
        let address: UInt16
        let registers: Int
        let maximum: Int
    }

    static func plan(
        _ registers: [Register], groups: Int, function: UInt8, limits: BlockLimits
    ) throws(Problem) -> [RegisterBlock] {
        var blocks: [RegisterBlock] = []
        for group in 0..<groups {
            var open: Range<Int>?
            for span in spans(of: registers.filter { $0.group == group }, limits) {
                guard span.count <= limits.registers else {
                    throw Problem(
                        address: UInt16(span.lowerBound), registers: span.count, maximum: limits.registers)
                }
                if let current = open, let joined = join(current, span, limits) {
                    open = joined
                } else {
                    if let open { blocks.append(block(open, group, function)) }
                    open = span
                }
            }
            if let open { blocks.append(block(open, group, function)) }
        }
        return blocks
    }

    /// The stretches that must not be split, aligned, by address; overlapping ones made one.
    private static func spans(of registers: [Register], _ limits: BlockLimits) -> [Range<Int>] {
        var byTie: [Int: Range<Int>] = [:]
        for register in registers {
            let start = Int(register.address) / limits.alignment * limits.alignment
            let end = (register.end + limits.alignment - 1) / limits.alignment * limits.alignment
            let known = byTie[register.together]
            byTie[register.together] = min(known?.lowerBound ?? start, start)..<max(known?.upperBound ?? end, end)
        }
        var spans: [Range<Int>] = []
        for span in byTie.values.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = spans.last, span.lowerBound < last.upperBound {
                spans[spans.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                spans.append(span)
            }
        }
        return spans
    }

    private static func join(_ a: Range<Int>, _ b: Range<Int>, _ limits: BlockLimits) -> Range<Int>? {
        let joined = a.lowerBound..<max(a.upperBound, b.upperBound)
        return b.lowerBound - a.upperBound <= limits.gap && joined.count <= limits.registers ? joined : nil
    }

    private static func block(_ range: Range<Int>, _ group: Int, _ function: UInt8) -> RegisterBlock {
        RegisterBlock(function: function, address: UInt16(range.lowerBound), count: range.count, group: group)
    }
}
