import Timekeeping

/// A roof of south-facing panels and its inverter: sun by date and place, clouds as weather spells, clipping.
///
/// The equation of time is left out: noon is off by up to a quarter of an hour, which no test of energy can see.
public struct Photovoltaics: Sendable {
    /// What the inverter feeds in now, all phases.
    public private(set) var milliwatts: Int64 = 0
    /// Yield per phase; the three sum to the device's register.
    private var phases: [EnergyCounter]

    private let latitude: Int64
    private let longitude: Int64
    private let peak: Int64
    private let limit: Int64
    private var random: SplitMix64
    private var weather = Weather.broken
    /// Ten-second steps until the weather changes, and until a broken sky draws its next cloud.
    private var spell: Int64 = 0
    private var cloud: Int64 = 0
    /// Permille of the clear sky's light, and where it moves to.
    private var light: Int64 = 700
    private var target: Int64 = 700

    private enum Weather { case clear, broken, overcast }

    /// - Parameters:
    ///   - latitude: thousandths of a degree, north positive; `longitude` likewise, east positive.
    ///   - peak: panels' power under full sun, mW; `limit` is what the inverter can pass.
    init(latitude: Int64, longitude: Int64, peak: Int64, limit: Int64, random: SplitMix64) {
        self.latitude = latitude
        self.longitude = longitude
        self.peak = peak
        self.limit = limit
        self.random = random
        let initial = self.random.between(2_000_000_000, 6_000_000_000)
        phases = Array(repeating: EnergyCounter(milliwattHours: initial), count: 3)
    }

    public var milliwattHours: Int64 { phases[0].milliwattHours + phases[1].milliwattHours + phases[2].milliwattHours }

    /// mW fed into phase 0, 1 or 2; the three sum to `milliwatts` exactly.
    func milliwatts(phase: Int) -> Int64 {
        phase == 0 ? milliwatts - 2 * (milliwatts / 3) : milliwatts / 3
    }

    /// Runs one second that starts at `time`; what each phase got, in mWh.
    mutating func runSecond(_ time: Timestamp) -> InlineArray<3, Int64> {
        if time.secondsFloor % 10 == 0 {
            moveClouds()
            milliwatts = min(limit, clearSky(at: time) * light / 1000)
        }
        var yield = InlineArray<3, Int64>(repeating: 0)
        guard milliwatts > 0 else { return yield }
        for phase in 0..<3 {
            yield[phase] = phases[phase].add(milliwatts: milliwatts(phase: phase), milliseconds: 1000)
        }
        return yield
    }

    private mutating func moveClouds() {
        if spell <= 0 {
            let draw = random.between(0, 99)
            weather = draw < 40 ? .clear : draw < 80 ? .broken : .overcast
            spell = random.between(120, 1_000)
            target = weather == .clear ? 985 : random.between(140, 260)
        }
        spell -= 1
        if weather == .broken {
            if cloud <= 0 {
                cloud = random.between(4, 30)
                target = random.chance(450) ? random.between(900, 1000) : random.between(300, 700)
            }
            cloud -= 1
        }
        light += (target - light) / 4 + random.between(-8, 8)
        light = min(max(light, 60), 1000)
    }

    /// mW of the panels under a cloudless sky.
    private func clearSky(at time: Timestamp) -> Int64 {
        let declination = Photovoltaics.declination(at: time)
        let ofDay = FixedPoint.floorDivide(time.milliseconds, Span.day).remainder
        let hourAngle = ofDay * 360_000 / Span.day + longitude - 180_000
        let elevation = sine(onPlane: latitude, declination, hourAngle)
        guard elevation > 0 else { return 0 }
        // A plane tilted by 35° toward the equator sees the sun as level ground 35° nearer to it does.
        let tilted = sine(onPlane: latitude >= 0 ? latitude - 35_000 : latitude + 35_000, declination, hourAngle)
        let air = 700_000 + elevation * 3 / 10
        let direct = max(0, tilted) * air / 1_000_000
        let diffuse = elevation / 16
        return peak / 1000 * (direct + diffuse) / 1000
    }

    /// Sine, in millionths, of the sun's height over level ground at `latitude`.
    private func sine(onPlane latitude: Int64, _ declination: Int64, _ hourAngle: Int64) -> Int64 {
        let still = FixedPoint.sine(latitude) * FixedPoint.sine(declination) / 1_000_000
        let turning = FixedPoint.cosine(latitude) * FixedPoint.cosine(declination) / 1_000_000
        return still + turning * FixedPoint.cosine(hourAngle) / 1_000_000
    }

    /// The sun's declination in thousandths of a degree, from the days since a winter solstice.
    private static func declination(at time: Timestamp) -> Int64 {
        let solstice = Timestamp(seconds: 977_405_820)
        let year: Int64 = 31_556_925_216
        let ofYear = FixedPoint.floorDivide(time - solstice, year).remainder
        return -23_440 * FixedPoint.cosine(ofYear * 360_000 / year) / 1_000_000
    }
}
