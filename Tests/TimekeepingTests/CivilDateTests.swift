import Foundation
import Testing

@testable import Timekeeping

struct CivilDateTests {
    @Test func `every day of two thousand years counts on`() {
        var date = CivilDate(year: 0, month: 3, day: 1)!
        var number: Int64 = -719_468
        #expect(date.daysSinceEpoch == number)
        while date.year < 2400 {
            let isLast = date.day == CivilDate.daysInMonth(year: date.year, month: date.month)
            let next =
                isLast
                ? CivilDate(year: date.month == 12 ? date.year + 1 : date.year, month: date.month % 12 + 1, day: 1)!
                : CivilDate(year: date.year, month: date.month, day: date.day + 1)!
            number += 1
            guard next.daysSinceEpoch == number, CivilDate(daysSinceEpoch: number) == next,
                next.weekday == date.weekday % 7 + 1, date < next
            else {
                Issue.record("\(date) and \(next)")
                return
            }
            date = next
        }
    }

    @Test func `known days`() {
        #expect(CivilDate(daysSinceEpoch: 0).description == "1970-01-01")
        #expect(CivilDate(daysSinceEpoch: 0).weekday == 4)
        #expect(CivilDate(daysSinceEpoch: -1).description == "1969-12-31")
        #expect(day("2000-02-29").daysSinceEpoch == 11_016)
        #expect(day("2026-11-21").weekday == 6)
        #expect(day("2024-12-31").dayOfYear == 366)
        #expect(CivilDate.daysInMonth(year: 1900, month: 2) == 28)
        #expect(CivilDate.daysInMonth(year: 2000, month: 2) == 29)
        #expect(CivilDate.daysInMonth(year: 2026, month: 13) == 0)
    }

    @Test func `weeks are those of ISO 8601`() {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        for number in Int64(10_000)..<Int64(25_000) {
            let foundation = Date(timeIntervalSince1970: Double(number) * 86_400)
            let expected = calendar.dateComponents([.yearForWeekOfYear, .weekOfYear], from: foundation)
            let week = CivilDate(daysSinceEpoch: number).isoWeek
            guard week.year == expected.yearForWeekOfYear, week.week == expected.weekOfYear else {
                Issue.record("\(CivilDate(daysSinceEpoch: number)): \(week)")
                return
            }
        }
    }

    @Test(arguments: [
        "2026-02-30", "2026-00-01", "2026-1-01", "2026-01-1", "+026-01-01", "2026-01-011", "", "2026/01/01",
    ])
    func `what is no day is refused`(text: String) {
        #expect(CivilDate(text) == nil)
    }

    @Test func `the ends of time saturate`() {
        let last = CivilDate(daysSinceEpoch: .max)
        let first = CivilDate(daysSinceEpoch: .min)
        #expect(last.next == last && first.previous == first)
        #expect(last.adding(days: .max) == last && first.adding(days: .min) == first)
        #expect(CivilDate(daysSinceEpoch: last.daysSinceEpoch) == last)
        #expect(CivilDate(daysSinceEpoch: first.daysSinceEpoch) == first)
        #expect(CivilDate(year: .max, month: 1, day: 1) == nil && CivilDate(year: .min, month: 1, day: 1) == nil)
        #expect(CivilDate(year: 2026, month: .min, day: 1) == nil && CivilDate(year: 2026, month: 1, day: .min) == nil)
    }

    @Test func `months`() throws {
        let march = try #require(LocalMonth("2026-03"))
        #expect(march.firstDay == day("2026-03-01") && march.lastDay == day("2026-03-31"))
        #expect(march.next.description == "2026-04" && march.previous.description == "2026-02")
        #expect(LocalMonth("2026-12")?.next == LocalMonth("2027-01"))
        #expect(LocalMonth("2026-01")?.previous == LocalMonth("2025-12"))
        #expect(LocalMonth("2026-13") == nil && LocalMonth("2026-3") == nil && LocalMonth(year: 2026, month: 0) == nil)
        #expect(LocalMonth(containing: day("2024-02-29")).lastDay == day("2024-02-29"))
    }
}
