/// Slots of a channel that changed by the record at `source`.
struct Touch: Equatable, Sendable {
    private let first: Int32
    private let last: Int32
    var source: UInt64

    /// Indices of slots end far below 2³¹.
    init(from: Int64, to: Int64, source: UInt64) {
        first = Int32(clamping: from)
        last = Int32(clamping: to)
        self.source = source
    }

    var from: Int64 { Int64(first) }
    var to: Int64 { Int64(last) }

    func covers(_ from: Int64, _ to: Int64) -> Bool { self.from == from && self.to == to }
}

/// The changes of a channel that have not been taken: usually one, which needs no room of its own.
struct Touches: Sendable {
    private var single = Touch(from: 1, to: 0, source: 0)
    private var more: [Touch] = []

    var isEmpty: Bool { single.from > single.to }

    /// All of them, in the order in which they came.
    var all: [Touch] { isEmpty ? [] : [single] + more }

    mutating func removeAll() {
        single = Touch(from: 1, to: 0, source: 0)
        if !more.isEmpty { more = [] }
    }

    mutating func replace(with touches: [Touch]) {
        removeAll()
        guard let first = touches.first else { return }
        single = first
        if touches.count > 1 { more = Array(touches.dropFirst()) }
    }

    /// Notes a change; of those side by side overlaps are taken out now and then, so that their number stays small.
    mutating func add(_ touch: Touch) {
        if isEmpty {
            single = touch
        } else if more.isEmpty, single.covers(touch.from, touch.to) {
            single.source = touch.source
        } else if let last = more.last, last.covers(touch.from, touch.to) {
            more[more.count - 1].source = touch.source
        } else {
            let count = more.count + 1
            if count >= 64, count & (count - 1) == 0 { replace(with: Touches.merged(all)) }
            if isEmpty { single = touch } else { more.append(touch) }
        }
    }

    /// The same changes without overlaps, in the order of slots; the later record wins.
    static func merged(_ touches: [Touch]) -> [Touch] {
        if touches.count < 2 { return touches }
        var result: [Touch] = []
        for touch in touches {
            var next: [Touch] = []
            for old in result {
                if old.to < touch.from || old.from > touch.to {
                    next.append(old)
                    continue
                }
                if old.from < touch.from {
                    next.append(Touch(from: old.from, to: touch.from - 1, source: old.source))
                }
                if old.to > touch.to {
                    next.append(Touch(from: touch.to + 1, to: old.to, source: old.source))
                }
            }
            next.append(touch)
            result = next
        }
        result.sort { $0.from < $1.from }
        var joined: [Touch] = []
        for touch in result {
            if let last = joined.last, last.source == touch.source, last.to + 1 == touch.from,
                touch.to - last.from <= UsageLimits.longestRun
            {
                joined[joined.count - 1] = Touch(from: last.from, to: touch.to, source: last.source)
            } else {
                joined.append(touch)
            }
        }
        return joined
    }
}
