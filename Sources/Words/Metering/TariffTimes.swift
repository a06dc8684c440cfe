import Timekeeping

/// When a price holds: days × hours × months of the home's own clock, in quarters of an hour.
public struct TariffTimes: Hashable, Sendable {
    /// Bit 0 is Monday, bit 6 Sunday, bit 7 a holiday, which is then none of the others.
    public var days: UInt8
    /// Bit 0 is January, bit 11 December.
    public var months: UInt16
    /// Bit 0 is 00:00 to 00:15, bit 95 23:45 to 24:00. In the hour that autumn repeats a quarter comes twice.
    public var quarters: UInt128

    public static let allDays: UInt8 = 0xFF
    public static let allMonths: UInt16 = 0x0FFF
    public static let allQuarters: UInt128 = (1 << 96) - 1
    public static let always = TariffTimes()

    public init(
        days: UInt8 = TariffTimes.allDays, months: UInt16 = TariffTimes.allMonths,
        quarters: UInt128 = TariffTimes.allQuarters
    ) {
        self.days = days
        self.months = months & TariffTimes.allMonths
        self.quarters = quarters & TariffTimes.allQuarters
    }

    /// Quarters of `from ..< to` in minutes of the day, over midnight where `to` is not after `from`; nil when a border
    /// is no quarter of an hour or outside of the day.
    public static func quarters(from: Int, to: Int) -> UInt128? {
        guard (0..<1440).contains(from), (0...1440).contains(to), from % 15 == 0, to % 15 == 0 else { return nil }
        func below(_ minute: Int) -> UInt128 { (1 << UInt128(minute / 15)) - 1 }
        return to > from ? below(to) & ~below(from) : (below(1440) & ~below(from)) | below(to)
    }

    /// Whether it holds at a local time; `isHoliday`: of that date.
    public func contains(_ time: LocalTime, isHoliday: Bool) -> Bool {
        let day: UInt8 = isHoliday ? 0x80 : 1 << UInt8(time.date.weekday - 1)
        return days & day != 0 && months & (1 << UInt16(time.date.month - 1)) != 0
            && quarters & (1 << UInt128(time.hour * 4 + time.minute / 15)) != 0
    }
}
