import API
import APITypes
import JSONText
import Testing

extension FixedHome: BusView {
    static let bus = "tcp://meter:502"

    func buses() async -> [BusAnswer] {
        let unit = BusAnswer.Unit(
            device: "grid", unit: 1, requests: 10, answers: 7, exceptions: 1, timeouts: 2, damaged: 0, retries: 3,
            busy: 123_456, latencyMedian: 12_000, latencyHigh: nil, timeout: 100_000, quarantineStep: 2,
            nextAttempt: 1_500_000, refused: 1)
        return [
            BusAnswer(
                bus: FixedHome.bus, requests: 10, errors: 3, utilization: 123, connects: 1, strangers: 4,
                trouble: nil, note: nil, units: [unit])
        ]
    }

    func read(_ question: RegisterQuestion) async throws -> RegisterAnswer {
        guard question.bus == FixedHome.bus else { throw Problem.notFound("\(question.bus) is none") }
        if question.unit == 2 { return RegisterAnswer(kind: "exception", error: "illegal data address") }
        return RegisterAnswer(words: (0..<question.count).map { UInt16(question.address + $0) })
    }
}

@Suite struct BusAnswerTests {
    @Test func `a bus is one line of JSON`() async {
        var json = JSONWriter()
        for bus in await FixedHome().buses() { bus.encode(to: &json) }
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"bus":"tcp://meter:502","requests":10,"errors":3,"utilization_permille":123,"connects":1,"#
                + #""strangers":4,"trouble":null,"note":null,"units":[{"device":"grid","unit":1,"requests":10,"#
                + #""answers":7,"exceptions":1,"timeouts":2,"damaged":0,"retries":3,"busy_us":123456,"#
                + #""latency_median_us":12000,"latency_p99_us":null,"timeout_us":100000,"quarantine_step":2,"#
                + #""next_attempt_us":1500000,"refused":1}]}"#)
    }
}
