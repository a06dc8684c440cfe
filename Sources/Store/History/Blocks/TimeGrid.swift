import Records

/// Times as a grid: where one is expected, a step after the one before, nothing is stored but a zero.
///
/// A step is rational (in 1/65,536 ms), so that a device whose seconds are a little long stays on its grid all day. One
/// that is not where it is expected begins the grid anew. In a series that keeps to a grid but for some jitter, times
/// are moved onto it, by no more than `tolerance(step)`; how far the farthest was moved is stored in the block.
struct TimeGrid {
    /// In 1/65,536 ms; 0 for series without a step, whose times are told one by one.
    var step: UInt64
    /// Longer steps are no grid: 12 days.
    static let longestStep: Int64 = 1 << 30
    /// Points that a block may have: products with the longest step fit in 63 bits.
    static let maximumCount = 1 << 16

    /// How far a time may be moved in a series of this step, ms: a hundredth of the step, at most 50 ms.
    static func tolerance(_ step: Int64) -> Int64 { min(max(0, step) / 100, farthestMove) }
    /// No time is ever moved farther, ms.
    static let farthestMove: Int64 = 50

    /// The time `index` steps after `base`.
    @inline(__always)
    func time(_ index: Int, after base: Int64) -> Int64 {
        base &+ Int64(truncatingIfNeeded: (UInt64(truncatingIfNeeded: index) &* step &+ 32_768) >> 16)
    }
}

/// Times made ready for storing.
struct GriddedTimes {
    var grid: TimeGrid
    /// As they are read back.
    var times: [Int64]
    /// What each but the first lies after where it was expected, ms; empty where all are 0.
    var deviations: [Int64]
    /// The farthest that one was moved, ms.
    var moved: Int64

    /// `times` rise. They may be moved by `TimeGrid.tolerance` less `alreadyMoved`.
    init(_ times: [Int64], alreadyMoved: Int64 = 0) {
        self.times = times
        deviations = []
        moved = 0
        guard times.count > 1 else {
            grid = TimeGrid(step: 0)
            return
        }
        let first = times[1] &- times[0]
        if GriddedTimes.isEven(times, first), first <= TimeGrid.longestStep {
            grid = TimeGrid(step: UInt64(first) << 16)
            return
        }
        let step = GriddedTimes.usualStep(times)
        guard step > 0, step <= TimeGrid.longestStep else {
            grid = TimeGrid(step: 0)
            deviations = (1..<times.count).map { times[$0] &- times[$0 - 1] }
            return
        }
        let fit = StepFit(times, usual: step)
        grid = TimeGrid(step: fit.step)
        place(times, allowance: fit.isGrid ? max(0, TimeGrid.tolerance(step) - alreadyMoved) : 0)
    }

    private static func isEven(_ times: [Int64], _ step: Int64) -> Bool {
        for i in 1..<times.count where times[i] &- times[i - 1] != step { return false }
        return true
    }

    /// The median of some of the steps.
    private static func usualStep(_ times: [Int64]) -> Int64 {
        let stride = max(1, (times.count - 1) / 32)
        var steps: [Int64] = []
        var i = 1
        while i < times.count {
            steps.append(times[i] &- times[i - 1])
            i += stride
        }
        steps.sort()
        return steps[steps.count / 2]
    }

    private mutating func place(_ original: [Int64], allowance: Int64) {
        var base = original[0]
        if allowance > 0 { base = phase(original, at: 0, above: .min, allowance) }
        note(original, 0, base)
        deviations.reserveCapacity(original.count - 1)
        var index = 0
        for i in 1..<original.count {
            index += 1
            let expected = grid.time(index, after: base)
            let ceiling = i + 1 < original.count ? original[i + 1] : .max
            if abs(original[i] &- expected) <= allowance, expected > times[i - 1], expected < ceiling {
                note(original, i, expected)
                deviations.append(0)
                continue
            }
            base = allowance > 0 ? phase(original, at: i, above: times[i - 1], allowance) : original[i]
            index = 0
            note(original, i, base)
            deviations.append(base &- expected)
        }
        if deviations.allSatisfy({ $0 == 0 }) { deviations = [] }
    }

    private mutating func note(_ original: [Int64], _ i: Int, _ time: Int64) {
        times[i] = time
        moved = max(moved, abs(original[i] &- time))
    }

    /// Where a grid that begins with point `i` best begins: in the middle of what the following points say, not more
    /// than the allowance away and not beyond a neighbour.
    private func phase(_ original: [Int64], at i: Int, above floor: Int64, _ allowance: Int64) -> Int64 {
        let start = original[i]
        var (low, high): (Int64, Int64) = (0, 0)
        var k = i + 1
        while k < min(original.count, i + 256) {
            let offset = original[k] &- grid.time(k - i, after: start)
            if max(high, offset) - min(low, offset) > 2 * allowance { break }
            (low, high) = (min(low, offset), max(high, offset))
            k += 1
        }
        let best = start + max(-allowance, min(allowance, (low + high) / 2))
        let ceiling = i + 1 < original.count ? original[i + 1] : .max
        return best > floor && best < ceiling ? best : start
    }
}

/// The step that a series keeps over all stretches in which it keeps one: a regression within the stretches, so that
/// a gap or a restart between two of them does not count.
private struct StepFit {
    /// In 1/65,536 ms.
    let step: UInt64
    /// Whether three quarters of the points lie a whole number of steps after the one before, but for jitter.
    let isGrid: Bool

    init(_ times: [Int64], usual: Int64) {
        let jitter = max(1, 2 * TimeGrid.tolerance(usual))
        var pooled = Stretch()
        var (numerator, denominator) = (0.0, 0.0)
        var onGrid = 0
        for i in 1..<times.count {
            let difference = times[i] &- times[i - 1]
            let steps = (difference &+ usual / 2) / usual
            if steps >= 1, steps <= 64, abs(difference - steps * usual) <= jitter * min(steps, 8) {
                onGrid += 1
                pooled.add(Double(steps), Double(difference))
                continue
            }
            pooled.close(&numerator, &denominator)
        }
        pooled.close(&numerator, &denominator)
        isGrid = times.count >= 8 && onGrid * 4 >= times.count * 3
        let slope = isGrid && denominator > 0 ? numerator / denominator : Double(usual)
        let plausible = abs(slope - Double(usual)) <= Double(jitter)
        step = plausible ? UInt64((slope * 65_536).rounded()) : UInt64(usual) << 16
    }

    /// Sums of a regression of time over index, both from the stretch's first point on.
    private struct Stretch {
        var (x, y) = (0.0, 0.0)
        var (n, sx, sy, sxx, sxy) = (1.0, 0.0, 0.0, 0.0, 0.0)

        mutating func add(_ steps: Double, _ time: Double) {
            x += steps
            y += time
            n += 1
            sx += x
            sy += y
            sxx += x * x
            sxy += x * y
        }

        mutating func close(_ numerator: inout Double, _ denominator: inout Double) {
            numerator += sxy - sx * sy / n
            denominator += sxx - sx * sx / n
            self = Stretch()
        }
    }
}
