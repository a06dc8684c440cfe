/// One appliance's way of using electricity.
public enum LoadKind: String, CaseIterable, Hashable, Sendable {
    case fridge, washer, kettle, tv, office, boiler, dehumidifier, aquarium
    /// Everything without a plug of its own: lights, cooking, standby. Not a device; it shows as unmetered.
    case base

    /// A stretch of constant power, give or take `jitter`.
    struct Step: Sendable {
        var seconds: Int64
        var milliwatts: Int64
        /// Permille up and down, drawn again every few seconds.
        var jitter: Int64 = 0
    }

    /// A program that starts at a second of the local day.
    struct Use: Sendable {
        var start: Int64
        var steps: [Step]
    }

    /// Power while nothing runs.
    var idleMilliwatts: Int64 {
        switch self {
        case .kettle: 0
        case .washer: 600
        case .tv: 500
        case .office: 3_200
        default: 0
        }
    }

    /// Reactive power as permille of active power.
    var reactivePermille: Int64 {
        switch self {
        case .kettle: 0
        case .fridge: 620
        case .washer: 120
        case .dehumidifier: 480
        case .boiler: 330
        case .tv, .office: 420
        case .aquarium: 250
        case .base: 150
        }
    }

    /// The next cycle of a load that runs all day; empty for one that is used on occasion.
    func cycle(_ moment: LocalMoment, _ random: inout SplitMix64) -> [Step] {
        switch self {
        case .fridge: return fridgeCycle(moment, &random)
        case .boiler:
            let morning = (5..<9).contains(moment.hour)
            let pause = morning ? random.between(1_500, 3_000) : random.between(5_400, 12_000)
            return [
                Step(seconds: pause, milliwatts: 2_400),
                Step(seconds: random.between(1_500, 2_700), milliwatts: random.between(440_000, 510_000), jitter: 15),
            ]
        case .dehumidifier:
            return [
                Step(seconds: random.between(1_200, 2_400), milliwatts: 1_200),
                Step(seconds: random.between(1_500, 3_000), milliwatts: 236_000, jitter: 20),
                Step(seconds: 600, milliwatts: 36_000, jitter: 20),
            ]
        case .aquarium:
            return [Step(seconds: 600, milliwatts: (8..<20).contains(moment.hour) ? 42_000 : 18_000, jitter: 10)]
        case .base: return baseCycle(moment, &random)
        case .kettle, .washer, .tv, .office: return []
        }
    }

    /// What the local day that starts brings; in order of start. Empty for a load that cycles.
    func uses(weekday: Int, _ random: inout SplitMix64) -> [Use] {
        switch self {
        case .kettle: return kettleUses(&random)
        case .washer: return washerUses(&random)
        case .tv:
            var uses: [Use] = []
            if weekday >= 6 { uses.append(tvUse(from: 14 * 3600, through: 15 * 3600, minutes: 60...150, &random)) }
            uses.append(tvUse(from: 18 * 3600 + 1800, through: 20 * 3600, minutes: 90...210, &random))
            return uses
        case .office:
            guard weekday <= 5 else { return [] }
            return [
                officeUse(from: 8 * 3600, through: 9 * 3600, minutes: 150...210, &random),
                officeUse(from: 13 * 3600, through: 13 * 3600 + 1800, minutes: 180...260, &random),
            ]
        case .fridge, .boiler, .dehumidifier, .aquarium, .base: return []
        }
    }
}

/// Where a home's clock stands.
struct LocalMoment: Sendable {
    var secondOfDay: Int64
    /// 1 is Monday, 7 is Sunday.
    var weekday: Int

    var hour: Int { Int(secondOfDay / 3600) }
}

extension LoadKind {
    private func fridgeCycle(_ moment: LocalMoment, _ random: inout SplitMix64) -> [Step] {
        // The door is opened by day: shorter pauses.
        let pause = (7..<22).contains(moment.hour) ? random.between(1_100, 1_700) : random.between(1_800, 2_600)
        var steps = [
            Step(seconds: pause, milliwatts: 900),
            Step(seconds: 2, milliwatts: random.between(700_000, 820_000)),
            Step(seconds: random.between(120, 180), milliwatts: 104_000, jitter: 20),
            Step(seconds: random.between(600, 960), milliwatts: 87_000, jitter: 15),
        ]
        if random.chance(50) { steps.append(Step(seconds: 840, milliwatts: 164_000, jitter: 5)) }
        return steps
    }

    private func baseCycle(_ moment: LocalMoment, _ random: inout SplitMix64) -> [Step] {
        let cooking = moment.hour == 12 || (18..<20).contains(moment.hour)
        if cooking, random.chance(350) {
            return [
                Step(seconds: random.between(60, 420), milliwatts: random.between(900_000, 2_100_000), jitter: 5),
                Step(seconds: random.between(20, 90), milliwatts: 60_000),
            ]
        }
        let evening = (17..<23).contains(moment.hour)
        let level = evening ? random.between(70_000, 160_000) : random.between(32_000, 70_000)
        return [Step(seconds: random.between(120, 900), milliwatts: level, jitter: 40)]
    }

    private func kettleUses(_ random: inout SplitMix64) -> [Use] {
        var uses = [boil(from: 6 * 3600 + 900, through: 8 * 3600, &random)]
        if random.chance(500) { uses.append(boil(from: 9 * 3600, through: 11 * 3600, &random)) }
        if random.chance(600) { uses.append(boil(from: 13 * 3600, through: 15 * 3600, &random)) }
        uses.append(boil(from: 17 * 3600, through: 19 * 3600, &random))
        if random.chance(400) { uses.append(boil(from: 20 * 3600, through: 21 * 3600, &random)) }
        return uses
    }

    private func boil(from: Int64, through: Int64, _ random: inout SplitMix64) -> Use {
        let step = Step(seconds: random.between(80, 200), milliwatts: random.between(1_960_000, 2_040_000), jitter: 3)
        return Use(start: random.between(from, through), steps: [step])
    }

    private func washerUses(_ random: inout SplitMix64) -> [Use] {
        guard random.chance(600) else { return [] }
        var steps = [
            Step(seconds: random.between(150, 240), milliwatts: 6_000, jitter: 50),
            Step(seconds: random.between(780, 1_080), milliwatts: 2_050_000, jitter: 8),
        ]
        for _ in 0..<12 {
            steps.append(Step(seconds: random.between(100, 140), milliwatts: 135_000, jitter: 120))
            steps.append(Step(seconds: random.between(30, 60), milliwatts: 9_000, jitter: 50))
        }
        // A second heating keeps the water warm.
        steps.append(Step(seconds: random.between(180, 300), milliwatts: 2_040_000, jitter: 8))
        steps.append(Step(seconds: random.between(1_200, 1_800), milliwatts: 72_000, jitter: 200))
        steps.append(Step(seconds: random.between(360, 540), milliwatts: 410_000, jitter: 60))
        steps.append(Step(seconds: 1_800, milliwatts: 2_200, jitter: 20))
        return [Use(start: random.between(9 * 3600, 18 * 3600), steps: steps)]
    }

    private func tvUse(
        from: Int64, through: Int64, minutes: ClosedRange<Int64>, _ random: inout SplitMix64
    ) -> Use {
        let seconds = 60 * random.between(minutes.lowerBound, minutes.upperBound)
        return Use(
            start: random.between(from, through),
            steps: [
                Step(seconds: 8, milliwatts: 140_000),
                Step(seconds: seconds, milliwatts: random.between(92_000, 112_000), jitter: 90),
            ])
    }

    private func officeUse(
        from: Int64, through: Int64, minutes: ClosedRange<Int64>, _ random: inout SplitMix64
    ) -> Use {
        let seconds = 60 * random.between(minutes.lowerBound, minutes.upperBound)
        return Use(
            start: random.between(from, through),
            steps: [Step(seconds: seconds, milliwatts: random.between(66_000, 96_000), jitter: 150)])
    }
}
