extension RegisterMap {
    /// The stretches of a planned block that must not be split, by address: what a bus may cut it into when the meter
    /// refuses the whole.
    public func spans(in block: RegisterBlock) -> [Range<Int>] {
        let range = block.addresses
        let members = registers.filter { register in
            register.function == block.function && !register.isFallback
                && (block.group == nil || register.group == block.group)
                && range.contains(Int(register.address)) && register.end <= range.upperBound
        }
        var spans = BlockPlanner.spans(of: members, limits).map { $0.range.clamped(to: range) }
        // What was read along at the ends belongs to the outer ones.
        guard let first = spans.first, let last = spans.last else { return [range] }
        spans[0] = range.lowerBound..<first.upperBound
        spans[spans.count - 1] = (spans.count == 1 ? range.lowerBound : last.lowerBound)..<range.upperBound
        return spans
    }
}
