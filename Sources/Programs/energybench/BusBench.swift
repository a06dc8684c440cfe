import Modbus

/// A bus with one unit that is read as fast as it answers: 80 input registers, again and again, through the whole
/// engine. The other end is a program of its own.
enum BusBench {
    private static let count = 80

    /// Prints `rate READS_PER_SECOND`, `cpu_us CPU_PER_READ` and, on a serial line, `utilisation SHARE`: of the reads
    /// that the line's rate allows with 3.5 characters between an answer and the next request.
    static func run(bus text: String, seconds: Double) async throws {
        let address = try BusAddress(text)
        let bus = try ModbusBus(address)
        let plan = BusPlan(
            units: [.init(unit: 1, groups: [.init(period: 1, blocks: [.init(function: .input, spans: [0..<count])])])])
        var reads = 0
        var watch: Stopwatch?
        for await batch in bus.results(of: plan) {
            guard let watch else {
                // The first batch waits for the connection, and does not count.
                watch = Stopwatch()
                continue
            }
            for result in batch {
                if case .success = result.parts[0].result { reads += 1 }
            }
            if watch.wall >= seconds { break }
        }
        guard let watch, reads > 0 else {
            throw Failure("\(address) does not answer: \(bus.report.trouble ?? "silence")")
        }
        let (wall, cpu) = (watch.wall, watch.cpu)
        print("rate \(Double(reads) / wall)")
        print("cpu_us \(cpu / Double(reads) * 1e6)")
        let timing = LineTiming(address)
        if timing.character > 0 {
            let request = ModbusRequest(unit: 1, function: .input, address: 0, count: count)
            let theory = Double(timing.duration(of: request) + timing.gap) / 1e6
            print("utilisation \(Double(reads) * theory / wall)")
        }
        await bus.close()
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }
}
