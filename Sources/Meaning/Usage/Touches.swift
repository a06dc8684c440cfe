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

// The changes of a channel that have not been taken: usually one, which has its place in the channel.
extension UsageState {
    /// All of them, in the order in which they came.
    func touches(of channel: Int) -> [Touch] {
        guard let single = table.channels[channel].touch else { return [] }
        guard table.channels[channel].hasMoreTouches else { return [single] }
        return [single] + (moreTouches[Int32(channel)] ?? [])
    }

    mutating func replaceTouches(of channel: Int, with touches: [Touch]) {
        if table.channels[channel].hasMoreTouches { moreTouches[Int32(channel)] = nil }
        table.channels[channel].touch = touches.first
        table.channels[channel].hasMoreTouches = touches.count > 1
        if touches.count > 1 { moreTouches[Int32(channel)] = Array(touches.dropFirst()) }
    }

    /// Notes a change; of those side by side overlaps are taken out now and then, so that their number stays small.
    mutating func add(_ touch: Touch, to channel: Int) {
        guard let single = table.channels[channel].touch else {
            table.channels[channel].touch = touch
            return
        }
        if !table.channels[channel].hasMoreTouches {
            if single.covers(touch.from, touch.to) {
                table.channels[channel].touch = touch
            } else {
                table.channels[channel].hasMoreTouches = true
                moreTouches[Int32(channel)] = [touch]
            }
            return
        }
        var more = moreTouches[Int32(channel)] ?? []
        if let last = more.last, last.covers(touch.from, touch.to) {
            more[more.count - 1] = touch
        } else {
            more.append(touch)
        }
        if more.count >= 63, (more.count + 1) & more.count == 0 {
            replaceTouches(of: channel, with: Touch.merged([single] + more))
        } else {
            moreTouches[Int32(channel)] = more
        }
    }
}

extension Touch {
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
