import Intake
import Metering
import Testing
import Timekeeping

@Suite struct ImportedReadingTests {
    private let now = Timestamp(seconds: 1_763_700_000)

    /// What is left of a time of today when digits are cut off, or when it is taken for a smaller unit.
    @Test(arguments: [176_362_920_000, 17_636_292_000, 1_763_629_200, 1, 0, 946_684_799_999])
    func `a time that was cut gives no reading of 1970`(_ milliseconds: Int64) {
        let error = #expect(throws: ImportedReading.Refusal.self) {
            try ImportedReading.value(of: .power, 1000, at: Timestamp(milliseconds: milliseconds), now: now)
        }
        #expect(error?.description.hasPrefix("is of ") == true)
    }

    @Test func `what is of 2000 and later is taken`() throws {
        #expect(try ImportedReading.value(of: .power, 1000, at: ImportedReading.earliest, now: now) == 1000)
        #expect(try ImportedReading.value(of: .power, 1000, at: now, now: now) == 1000)
    }
}
