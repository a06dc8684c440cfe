import Disk
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

@Suite struct ReadingLogTests {
    @Test func `what was flushed is there after opening again, with the same offsets`() throws {
        var world = LogWorld()
        var expected: [Record] = []
        do {
            let log = try world.open()
            #expect(log.report.startedEpoch)
            let number = try log.number(for: LogWorld.key(0))
            for i in 0..<50 {
                expected.append(world.record(i, number))
                let at = try log.append([world.record(i, number)])
                #expect(at.offset == UInt64(i))
                world.clock.advance(by: 1000)
                if i % 10 == 9 { try log.flush() }
            }
            #expect(log.durable == log.end)
            #expect(try Received(log).records.map(\.record) == expected)
        }
        let log = try world.open()
        #expect(!log.report.startedEpoch)
        #expect(!log.report.isEventful)
        let received = try Received(log)
        #expect(received.records.map(\.record) == expected)
        #expect(received.offsets == Array(0..<50))
        #expect(received.gaps.isEmpty)
        #expect(log.key(for: SeriesNumber(0)) == LogWorld.key(0))
        let next = try log.number(for: LogWorld.key(1))
        #expect(next == SeriesNumber(1))
    }
}
