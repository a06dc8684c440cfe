extension MessageDecoder {
    /// A pattern of a rule, with what tells most topics that they are not meant.
    struct Candidate {
        /// What the home's configuration says comes first, then patterns that begin with a word, then the others.
        private let rank: Int
        let rule: Int
        let pattern: Int
        /// The first level with its slash; empty where it is not a word.
        private let head: [UInt8]
        private let levels: ClosedRange<Int>

        /// In the order in which they are tried.
        static func all(_ rules: [Rule], isConfigured: (Rule) -> Bool) -> [Candidate] {
            var list: [Candidate] = []
            for (index, rule) in rules.enumerated() {
                for (number, pattern) in rule.patterns.enumerated() {
                    let topic = pattern.topic
                    let rank = isConfigured(rule) ? 0 : topic.beginsWithText ? 1 : 2
                    var head: [UInt8] = []
                    if case .text(let word) = topic.levels.first, topic.levels.count > 1 { head = word + [0x2F] }
                    if topic.levels.count == 2, topic.levels.last == .rest { head = [] }
                    list.append(
                        Candidate(rank: rank, rule: index, pattern: number, head: head, levels: topic.levelCounts))
                }
            }
            return list.sorted { ($0.rank, $0.rule, $0.pattern) < ($1.rank, $1.rule, $1.pattern) }
        }

        func mayMatch(_ topic: UnsafeRawBufferPointer, levels count: Int) -> Bool {
            levels.contains(count) && topic.starts(with: head)
        }
    }
}
