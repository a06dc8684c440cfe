extension RegisterMap {
    /// The stretches of a planned block that must not be split, by address: what a bus may cut it into when the meter
    /// refuses the whole.
    package func spans(in block: RegisterBlock) -> [Range<Int>] {
        let first = Int(block.address)
        let end = first + block.count
        var byTie: [Int: Range<Int>] = [:]
        for register in registers {
            let range = Int(register.address)..<register.end
            guard range.lowerBound >= first, range.upperBound <= end,
                block.group == nil || register.group == block.group
            else { continue }
            let known = byTie[register.together] ?? range
            byTie[register.together] =
                min(known.lowerBound, range.lowerBound)..<max(known.upperBound, range.upperBound)
        }
        var spans: [Range<Int>] = []
        for span in byTie.values.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = spans.last, span.lowerBound < last.upperBound {
                spans[spans.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                spans.append(span)
            }
        }
        // What was read along at the ends belongs to the outer ones.
        guard let firstSpan = spans.first, let lastSpan = spans.last else { return [first..<end] }
        spans[0] = first..<firstSpan.upperBound
        spans[spans.count - 1] = (spans.count == 1 ? first : lastSpan.lowerBound)..<end
        return spans
    }
}
