import Modbus
import Simulation

/// A line and its slaves without bytes and without a clock of their own: what the engine asks is answered by a model,
/// and time goes on by exactly what it takes.
struct SimulatedLine {
    struct Slave {
        /// µs from the request's end to the answer's begin; nil: silent.
        var latency: Int64? = 10_000
        /// Permille of answers that arrive damaged, by a seeded generator.
        var damaged = 0
        /// Registers that it refuses to be read over.
        var illegal: Range<Int>?
        /// Registers in one request that it allows.
        var most = 125
        /// What it says in place of words, whatever is asked.
        var exception: ModbusException?
        /// Registers about which it is silent, though it answers to others.
        var mute: Range<Int>?
        /// Zeros for so many answers.
        var zeros = 0
    }

    let address: BusAddress
    var slaves: [UInt8: Slave]
    var engine: BusEngine
    var now: Int64 = 0
    /// All that was asked, in order.
    var asked: [(at: Int64, request: ModbusRequest, took: Int64, answered: Bool)] = []
    var results: [GroupResult] = []
    var reopened = 0
    /// Set: the bus cannot be opened.
    var trouble: String?
    private var random = SplitMix64(seed: 7)

    init(_ plan: BusPlan, slaves: [UInt8: Slave], address: BusAddress, limits: BusLimits = BusLimits()) {
        self.address = address
        self.slaves = slaves
        engine = BusEngine(plan, address: address, limits: limits, start: 0)
    }

    /// Lives until `end`; what is under way then is finished.
    mutating func run(until end: Int64) {
        while now < end {
            switch engine.next(at: now) {
            case .wait(let until): now = min(max(until, now), end)
            case .reopen: reopened += 1
            case .exchange(let request, let timeout):
                let began = now
                let outcome = answer(request, timeout)
                engine.finish(outcome, at: now)
                let answered = if case .failure(.timeout) = outcome { false } else { true }
                asked.append((began, request, now - began, answered))
            }
            results += engine.takeResults()
        }
    }

    /// Reads of a unit that brought words, since an instant.
    func reads(of unit: Int, group: Int = 0, since start: Int64 = 0) -> Int {
        results.count { result in
            result.unit == unit && result.group == group && result.finished >= start
                && result.parts.contains { if case .success = $0.result { true } else { false } }
        }
    }

    func timeouts(of unit: UInt8) -> [(at: Int64, took: Int64)] {
        asked.filter { $0.request.unit == unit && !$0.answered }.map { ($0.at, $0.took) }
    }

    private mutating func answer(_ request: ModbusRequest, _ timeout: Int64) -> Result<[UInt16], ModbusError.Cause> {
        if let trouble {
            now += 50
            return .failure(.cannotConnect(trouble))
        }
        let timing = LineTiming(address)
        let range = Int(request.address)..<Int(request.address) + request.count
        guard var slave = slaves[request.unit], let latency = slave.latency,
            !(slave.mute.map { $0.overlaps(range) } ?? false)
        else {
            now += timeout
            return .failure(.timeout(milliseconds: Int(timeout / 1_000)))
        }
        let refuses = (slave.illegal.map { $0.overlaps(range) } ?? false) || request.count > slave.most
        let exception = slave.exception ?? (refuses ? .illegalDataAddress : nil)
        let bytes = exception == nil ? 5 + 2 * request.count : 5
        let took = timing.duration(bytes: 8) + latency + timing.duration(bytes: bytes)
        guard took <= timeout else {
            now += timeout
            return .failure(.timeout(milliseconds: Int(timeout / 1_000)))
        }
        now += took
        if Int(random.next() % 1_000) < slave.damaged { return .failure(.badAnswer("noise")) }
        if let exception { return .failure(.exception(exception)) }
        if slave.zeros > 0 {
            slave.zeros -= 1
            slaves[request.unit] = slave
            return .success([UInt16](repeating: 0, count: request.count))
        }
        return .success(range.map { UInt16(truncatingIfNeeded: $0 &+ 1) })
    }
}

extension BusPlan.Block {
    /// One span.
    init(_ range: Range<Int>, function: ModbusFunction = .input) {
        self.init(function: function, spans: [range])
    }
}

let second: Int64 = 1_000_000
