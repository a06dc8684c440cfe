/// What a meter accepts in one request.
public struct BlockLimits: Hashable, Sendable {
    /// Registers per request.
    public var registers = RegisterBlock.maximumCount
    /// Registers between two wanted ones that may be read along; 0: a gap ends the block.
    public var gap = 0
    /// Start and count are multiples of this: 2 for meters that know whole floats only.
    public var alignment = 1
    /// A request lies between two multiples of this; 0: anywhere.
    public var window = 0
}

/// Packs registers into as few requests as the meter's limits allow, and never splits what belongs together.
enum BlockPlanner {
    struct Problem: Error {
        /// The first register of those that do not fit.
        let address: UInt16
        let registers: Int
        let maximum: Int
    }

    /// A stretch of registers that must come from one request.
    struct Span: Hashable {
        let range: Range<Int>
        /// Not to be joined with others.
        let isAlone: Bool
    }

    static func plan(
        _ registers: [Register], groups: Int, limits: BlockLimits
    ) throws(Problem) -> [RegisterBlock] {
        var blocks: [RegisterBlock] = []
        for group in 0..<groups {
            let members = registers.filter { $0.group == group && !$0.isFallback }
            for function in Set(members.map(\.function)).sorted() {
                let spans = spans(of: members.filter { $0.function == function }, limits)
                blocks += try plan(spans, group: group, function: function, limits: limits)
            }
        }
        return blocks
    }

    /// `spans` by address, none overlapping another.
    private static func plan(
        _ spans: [Span], group: Int?, function: UInt8, limits: BlockLimits
    ) throws(Problem) -> [RegisterBlock] {
        var blocks: [RegisterBlock] = []
        var open: Span?
        for span in spans {
            guard span.range.count <= limits.registers, isWithinWindow(span.range, limits) else {
                throw Problem(
                    address: UInt16(span.range.lowerBound), registers: span.range.count, maximum: limits.registers)
            }
            if let current = open, let joined = join(current, span, limits) {
                open = joined
            } else {
                if let open { blocks.append(block(open.range, group, function)) }
                open = span
            }
        }
        if let open { blocks.append(block(open.range, group, function)) }
        return blocks
    }

    /// Single registers, for a look now and then: every one in a request, of no group. One that does not fit is
    /// impossible.
    static func plan(_ places: Set<RegisterPlace>, limits: BlockLimits) -> [RegisterBlock] {
        Set(places.map(\.function)).sorted().flatMap { function in
            let spans = places.filter { $0.function == function }.sorted().map { place in
                Span(range: aligned(Int(place.address), Int(place.address) + 1, limits), isAlone: false)
            }
            return (try? plan(merged(spans), group: nil, function: function, limits: limits)) ?? []
        }
    }

    /// The stretches that must not be split, aligned, by address; overlapping ones made one.
    static func spans(of registers: [Register], _ limits: BlockLimits) -> [Span] {
        var byTie: [Int: Span] = [:]
        for register in registers {
            let known = byTie[register.together]
            var wanted = aligned(Int(register.address), register.end, limits)
            if let known { wanted = hull(known.range, wanted) }
            for place in register.companions {
                let wider = hull(wanted, aligned(place.lowerBound, place.upperBound, limits))
                if wider.count <= limits.registers || register.mustHave(place) { wanted = wider }
            }
            byTie[register.together] = Span(
                range: wanted, isAlone: known?.isAlone ?? false || register.special?.isAlone ?? false)
        }
        return merged(byTie.values.sorted { $0.range.lowerBound < $1.range.lowerBound })
    }

    private static func merged(_ sorted: [Span]) -> [Span] {
        var spans: [Span] = []
        for span in sorted {
            if let last = spans.last, span.range.lowerBound < last.range.upperBound {
                spans[spans.count - 1] = Span(
                    range: hull(last.range, span.range), isAlone: last.isAlone || span.isAlone)
            } else {
                spans.append(span)
            }
        }
        return spans
    }

    private static func aligned(_ start: Int, _ end: Int, _ limits: BlockLimits) -> Range<Int> {
        let unit = limits.alignment
        return start / unit * unit..<min((end + unit - 1) / unit * unit, 0x10000)
    }

    private static func hull(_ a: Range<Int>, _ b: Range<Int>) -> Range<Int> {
        min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound)
    }

    private static func isWithinWindow(_ range: Range<Int>, _ limits: BlockLimits) -> Bool {
        limits.window == 0 || range.lowerBound / limits.window == (range.upperBound - 1) / limits.window
    }

    private static func join(_ a: Span, _ b: Span, _ limits: BlockLimits) -> Span? {
        let joined = hull(a.range, b.range)
        let fits =
            b.range.lowerBound - a.range.upperBound <= limits.gap && joined.count <= limits.registers
            && isWithinWindow(joined, limits) && !a.isAlone && !b.isAlone
        return fits ? Span(range: joined, isAlone: false) : nil
    }

    private static func block(_ range: Range<Int>, _ group: Int?, _ function: UInt8) -> RegisterBlock {
        RegisterBlock(function: function, address: UInt16(range.lowerBound), count: range.count, group: group)
    }
}

extension Register {
    /// Registers that should come with the same answer: scale factor, the other terms, direction.
    fileprivate var companions: [Range<Int>] {
        guard let special else { return [] }
        var ranges = special.terms.map { Int($0.address)..<Int($0.address) + type.words }
        for place in [special.scaleFactor] + special.negativeWhen.map(\.place) {
            if let place, place.function == function { ranges.append(Int(place.address)..<Int(place.address) + 1) }
        }
        return ranges
    }

    /// A pair from two answers would be of two instants; what else does not fit is read apart.
    fileprivate func mustHave(_ range: Range<Int>) -> Bool {
        special?.terms.contains { Int($0.address) == range.lowerBound } ?? false
    }
}
