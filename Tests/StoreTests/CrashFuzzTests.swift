import Disk
import Foundation
import Glibc
import Metering
import ReadingLog
import Records
import Simulation
import Synchronization
import Testing
import Timekeeping

/// A log under random work on a disk that loses power at random calls; the model knows what must survive.
private struct CrashRun {
    let seed: UInt64
    var world = LogWorld()
    var random: SplitMix64
    /// Every record that may be in the log, by offset.
    var model: [UInt64: Record] = [:]
    var promised: UInt64 = 0
    var consumerCursor = Cursor.oldest
    var consumed: [UInt64: Record] = [:]
    var nextValue = 0
    let pages = PageGuard()
    let holds: Bool
    let faulty: Bool

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed)
        world.generator = SplitMix64(seed: seed, stream: 1)
        world.options.budget = Int64(64 << 10) * random.between(3, 7)
        holds = random.chance(500)
        faulty = random.chance(500)
        world.disk.observe(pages.note)
    }

    mutating func run(crashes: Int) throws {
        for _ in 0..<crashes {
            let log = try openAndCheck()
            let die = world.disk.calls + Int(random.between(1, 60))
            let flakySeed = random.next()
            let flaky = faulty
            world.disk.fail { operation, _, call in
                if call >= die { return EIO }
                guard flaky, operation == .write || operation == .sync else { return nil }
                var draw = SplitMix64(seed: flakySeed, stream: UInt64(call))
                return draw.chance(50) ? EIO : nil
            }
            for _ in 0..<40 where world.disk.calls < die { try work(log) }
            if random.chance(200) { continue }  // closed in order
            world.disk.crash(using: &random)
        }
        _ = try openAndCheck()
    }

    mutating func openAndCheck() throws -> ReadingLog {
        world.disk.fail(nil)
        pages.forget()
        let log = try world.open()
        #expect(log.report.diskErrors.isEmpty, "seed \(seed)")
        #expect(log.end.offset >= promised, "seed \(seed): end \(log.end) below what was promised, \(promised)")
        let received = try Received(log)
        #expect(received.rewinds.isEmpty, "seed \(seed)")
        for (offset, record) in received.records {
            #expect(model[offset] == record, "seed \(seed): other content at \(offset)")
        }
        let offsets = Set(received.offsets)
        #expect(offsets.count == received.offsets.count, "seed \(seed): an offset twice")
        let lost = model.keys.filter { $0 >= log.oldest.offset && $0 < promised && !offsets.contains($0) }
        #expect(lost.isEmpty, "seed \(seed): lost \(lost.prefix(5)) of \(promised)")
        // What never became durable is gone, and its offsets may be given again.
        model = model.filter { offsets.contains($0.key) }
        promised = log.end.offset
        checkSize()
        if holds { log.hold("consumer", at: consumerCursor) }
        #expect(log.end.offset == promised, "seed \(seed): a consumer of durable records was ahead of the log")
        return log
    }

    mutating func work(_ log: ReadingLog) throws {
        world.clock.advance(by: random.between(0, 5000))
        switch random.between(0, 9) {
        case 0...5:
            guard let number = try? log.number(for: LogWorld.key(Int(random.between(0, 40)))) else { return }
            let records = (0..<random.between(1, 4)).map { _ in
                nextValue += 1
                return world.record(nextValue, number, count: Int(random.between(1, random.chance(20) ? 512 : 8)))
            }
            guard let first = try? log.append(records) else { return }
            for (i, record) in records.enumerated() { model[first.offset + UInt64(i)] = record }
        case 6...8:
            try? log.flush(heartbeat: random.chance(300))
        default:
            try consume(log)
        }
        promised = max(promised, log.durable.offset)
        checkSize()
    }

    /// What a consumer has had it never gets again, and nothing between is left out but what the ring took.
    mutating func consume(_ log: ReadingLog) throws {
        let reader = log.reader(from: consumerCursor)
        var isDone = false
        while !isDone {
            do {
                isDone = try reader.read(limitBytes: 4096) { item in
                    switch item {
                    case .frame(let frame):
                        try frame.records { offset, record in
                            #expect(offset < promised || offset < log.durable.offset, "seed \(seed)")
                            #expect(consumed.updateValue(record, forKey: offset) == nil, "seed \(seed): again")
                        }
                    case .gap(let gap):
                        #expect(!holds || gap.reason == .damaged, "seed \(seed): a held ring took \(gap)")
                        let missing = (gap.first..<gap.end).filter { $0 >= log.oldest.offset && model[$0] != nil }
                        #expect(missing.isEmpty, "seed \(seed): a gap over what is there, \(gap)")
                    case .rewound(let from, let to): Issue.record("seed \(seed): rewound from \(from) to \(to)")
                    }
                }
            } catch is LogError {
                break  // the disk is dead
            }
        }
        consumerCursor = reader.cursor
        if holds { log.hold("consumer", at: consumerCursor) }
    }

    func checkSize() {
        let names = (try? world.disk.list(world.path("").dropLastSlash)) ?? []
        let bytes = names.filter { $0.hasSuffix(".log") }.reduce(0) {
            $0 + (world.disk.contents(world.path($1))?.count ?? 0)
        }
        #expect(bytes <= world.options.budget, "seed \(seed): \(bytes) bytes exceed the budget")
    }
}

extension String {
    fileprivate var dropLastSlash: String { String(dropLast()) }
}

/// Sees every write, and that none touches a page with durable frames.
private final class PageGuard: Sendable {
    private struct Page: Hashable {
        let path: String
        let index: Int
    }
    private struct State {
        var durable: Set<Page> = []
        var written: Set<Page> = []
        var violations: [String] = []
    }
    private let state = Mutex(State())

    func note(_ event: SimulatedDisk.Event) {
        switch event {
        case .write(let path, let position, let count):
            guard path.contains("/segment-"), !path.contains("next"), count > 0 else { return }
            state.withLock { state in
                for index in position / 4096...(position + count - 1) / 4096 {
                    let page = Page(path: path, index: index)
                    if state.durable.contains(page) { state.violations.append("\(path) page \(index)") }
                    state.written.insert(page)
                }
            }
        case .synced(let path):
            state.withLock { state in
                let synced = state.written.filter { $0.path == path }
                state.durable.formUnion(synced)
                state.written.subtract(synced)
            }
        }
    }

    /// A crash decides about what was written and not synced.
    func forget() { state.withLock { $0.written = [] } }

    var violations: [String] { state.withLock { $0.violations } }
}

@Suite struct CrashFuzzTests {
    /// `STORE_FUZZ_SEED` runs one seed, `STORE_FUZZ_RUNS` another number of them; each is some 12 crashes.
    @Test func `what was durable survives every crash, and the log always opens`() throws {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["STORE_FUZZ_SEED"].flatMap({ UInt64($0) }) { return try run(seed) }
        let runs = environment["STORE_FUZZ_RUNS"].flatMap { UInt64($0) } ?? 15
        let base: UInt64 = 0x5EED
        for i in 0..<runs { try run(base + i) }
    }

    private func run(_ seed: UInt64) throws {
        var run = CrashRun(seed: seed)
        do {
            try run.run(crashes: 12)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
        #expect(run.pages.violations.isEmpty, "seed \(seed)")
    }
}
