/// One running appliance: its program, its momentary power and what it has used. Advanced one second at a time.
public struct Load: Sendable {
    public let kind: LoadKind
    /// 0, 1 or 2: the phase it hangs on.
    public let phase: Int
    public private(set) var milliwatts: Int64 = 0
    /// What really flowed, for ever.
    public private(set) var energy: EnergyCounter

    private var random: SplitMix64
    private var steps: [LoadKind.Step] = []
    private var stepIndex = 0
    private var secondsLeft: Int64 = 0
    private var uses: [LoadKind.Use] = []
    private var nextUse = 0
    private let cycles: Bool

    init(kind: LoadKind, phase: Int, random: SplitMix64) {
        precondition((0..<3).contains(phase))
        self.kind = kind
        self.phase = phase
        self.random = random
        let initial = kind == .base ? 0 : self.random.between(40_000_000, 400_000_000)
        energy = EnergyCounter(milliwattHours: initial)
        cycles = !kind.cycle(LocalMoment(secondOfDay: 0, weekday: 1), &self.random).isEmpty
    }

    public var millivars: Int64 { milliwatts * kind.reactivePermille / 1000 }

    /// Draws the plan of a local day; what still runs from the day before goes on.
    mutating func beginDay(weekday: Int, at secondOfDay: Int64) {
        uses = kind.uses(weekday: weekday, &random)
        nextUse = 0
        // A house that is born at noon has had its morning coffee.
        while nextUse < uses.count, uses[nextUse].start < secondOfDay { nextUse += 1 }
    }

    /// Runs one second that starts at `moment` and returns the mWh it took.
    mutating func runSecond(_ moment: LocalMoment) -> Int64 {
        if secondsLeft == 0 { beginStep(moment) }
        if secondsLeft > 0 {
            let step = steps[stepIndex]
            if secondsLeft == step.seconds || (step.jitter > 0 && secondsLeft & 3 == 0) {
                milliwatts = step.milliwatts
                if step.jitter > 0 { milliwatts += step.milliwatts * random.between(-step.jitter, step.jitter) / 1000 }
            }
            secondsLeft -= 1
        }
        return energy.add(milliwatts: milliwatts, milliseconds: 1000)
    }

    private mutating func beginStep(_ moment: LocalMoment) {
        stepIndex += 1
        if stepIndex >= steps.count {
            stepIndex = 0
            if cycles {
                steps = kind.cycle(moment, &random)
            } else if nextUse < uses.count, uses[nextUse].start <= moment.secondOfDay {
                steps = uses[nextUse].steps
                nextUse += 1
            } else {
                steps = []
                milliwatts = kind.idleMilliwatts
                return
            }
        }
        secondsLeft = steps[stepIndex].seconds
    }
}
