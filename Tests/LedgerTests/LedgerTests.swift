import Foundation
import Ledger
import Metering
import Records
import Simulation
import Testing
import Timekeeping
import Usage

/// A directory of its own for one test, removed at its end.
final class Scratch {
    let directory: URL
    var path: String { directory.appendingPathComponent("ledger.db").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func copy(to other: Scratch) throws {
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: other.path + suffix)
        }
    }
}

let plug = DeviceID(high: 2, low: 1)
let meter = DeviceID(high: 1, low: UInt64.max)
let begin = Slot(index: 1_990_000)

extension Ledger {
    func all(devices: Set<DeviceID>? = nil) throws -> [SlotUsage] {
        var found: [SlotUsage] = []
        try slots(from: Slot(index: 0), until: Slot(index: 1 << 30), devices: devices) {
            found.append($0)
            return true
        }
        return found
    }
}

func usage(_ device: DeviceID, _ slot: Int64, source: UInt64, imported: Int64? = 250_000) -> SlotUsage {
    SlotUsage(
        device: device, channel: .total, slot: Slot(index: begin.index + slot), imported: imported,
        measuredTime: Slot.length, source: source)
}

@Suite struct LedgerTests {
    @Test func `a slot comes back as it was committed, unknown as unknown`() throws {
        let scratch = try Scratch()
        let full = SlotUsage(
            device: meter, channel: .phase(2), slot: begin, imported: 0, exported: -5, produced: .max, charged: .min,
            discharged: 7, estimated: 3, measuredTime: 600_000, filledTime: 300_000, source: 1 << 40)
        let empty = SlotUsage(device: plug, channel: .total, slot: begin)
        do {
            let ledger = try Ledger(path: scratch.path)
            #expect(ledger.opening == .new)
            #expect(try ledger.cursor() == nil)
            #expect(try ledger.extent() == nil)
            try ledger.commit(changes: [empty, full], cursor: Cursor(epoch: .max, offset: .max))
        }
        let again = try Ledger(path: scratch.path)
        #expect(again.opening == .kept)
        #expect(try again.all() == [full, empty])
        #expect(try again.cursor() == Cursor(epoch: .max, offset: .max))
        #expect(try again.extent() == begin...begin)
    }

    @Test func `slots come in the order of slot, device and channel, filtered and stopped as asked`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path)
        let changes = [
            usage(plug, 1, source: 1), usage(plug, 0, source: 1), usage(meter, 1, source: 1),
            SlotUsage(device: meter, channel: .phase(1), slot: begin, source: 1), usage(meter, 2, source: 1),
        ]
        try ledger.commit(changes: changes, cursor: Cursor(epoch: 1, offset: 2))
        let order = changes.sorted { ($0.slot, $0.device, $0.channel) < ($1.slot, $1.device, $1.channel) }
        #expect(try ledger.all() == order)
        #expect(try ledger.all(devices: [plug]) == order.filter { $0.device == plug })
        #expect(try ledger.all(devices: []) == [])
        var taken: [SlotUsage] = []
        try ledger.slots(from: begin, until: Slot(index: begin.index + 2)) {
            taken.append($0)
            return taken.count < 3
        }
        #expect(taken == Array(order.prefix(3)))
        taken = []
        try ledger.slots(from: Slot(index: begin.index + 1), until: Slot(index: begin.index + 2)) {
            taken.append($0)
            return true
        }
        #expect(taken == order.filter { $0.slot.index == begin.index + 1 })
    }

    @Test func `a lower source never overwrites, an equal or higher one does, a later epoch always`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path)
        func commit(_ imported: Int64, source: UInt64, epoch: UInt64) throws -> Int64? {
            try ledger.commit(
                changes: [usage(plug, 0, source: source, imported: imported)], cursor: Cursor(epoch: epoch, offset: 0))
            return try ledger.all().first?.imported
        }
        #expect(try commit(1, source: 10, epoch: 5) == 1)
        #expect(try commit(2, source: 9, epoch: 5) == 1)
        #expect(try commit(3, source: 10, epoch: 5) == 3)
        #expect(try commit(4, source: 11, epoch: 5) == 4)
        #expect(try commit(5, source: 1, epoch: 6) == 5)
        #expect(try commit(6, source: 99, epoch: 5) == 5)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func `any order and split of the same changes, with repeats, leaves the same ledger`(seed: UInt64) throws {
        print("seed \(seed)")
        var generator = SplitMix64(seed: seed)
        let devices = (0..<5).map { _ in DeviceID(using: &generator) }
        let changes = (0..<400).map { source in
            SlotUsage(
                device: devices.randomElement(using: &generator)!,
                channel: .phase(.random(in: 1...3, using: &generator)),
                slot: Slot(index: begin.index + .random(in: 0..<8, using: &generator)),
                imported: Bool.random(using: &generator) ? .random(in: .min ... .max, using: &generator) : nil,
                measuredTime: .random(in: 0...Slot.length, using: &generator), source: UInt64(source))
        }
        var newest: [[SlotUsage]: SlotUsage] = [:]
        for change in changes {
            let key = [SlotUsage(device: change.device, channel: change.channel, slot: change.slot)]
            newest[key] = change
        }
        let expected = newest.values.sorted { ($0.slot, $0.device, $0.channel) < ($1.slot, $1.device, $1.channel) }
        for _ in 0..<3 {
            let scratch = try Scratch()
            let ledger = try Ledger(path: scratch.path)
            var rest = (changes + changes.shuffled(using: &generator).prefix(100)).shuffled(using: &generator)
            while !rest.isEmpty {
                let count = min(rest.count, .random(in: 1...80, using: &generator))
                try ledger.commit(changes: Array(rest.prefix(count)), cursor: Cursor(epoch: 1, offset: 0))
                rest.removeFirst(count)
            }
            #expect(try ledger.all() == expected, "seed \(seed)")
        }
    }

    @Test func `devices and settings keep their versions, the oldest go first`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path, limits: .init(decisions: 10, versions: 3))
        let devices = (0..<5).map {
            Device(id: plug, name: "washer \($0)", family: "tasmota", validFrom: .init(seconds: $0))
        }
        let price = try #require(Decimal(price: "0.3215"))
        let settings = (0..<5).map {
            HomeSettings(
                name: "home", zone: "Europe/Berlin",
                tariffs: [Tariff(name: "flat", currency: .euro, importPrice: price, validFrom: .init(seconds: 0))],
                validFrom: .init(seconds: $0))
        }
        let other = Device(id: meter, name: "grid", role: .grid, family: "modbus", validFrom: .init(seconds: 0))
        try ledger.commit(
            changes: [], devices: devices + [other, devices[4]], settings: settings, cursor: Cursor(epoch: 1, offset: 1)
        )
        #expect(try ledger.devices() == [other] + devices.suffix(3))
        #expect(try ledger.settings() == settings.suffix(3))
    }

    @Test func `decisions are bounded, kept once, and come newest first`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path, limits: .init(decisions: 10))
        let series = SeriesKey(device: plug, channel: .total, quantity: .energyImport)
        let decisions = (0..<25).map {
            Decision(
                series: series, time: Timestamp(seconds: $0), kind: .reset, from: $0 == 24 ? nil : $0, to: 0,
                rule: "fall confirmed")
        }
        for _ in 0..<2 {
            try ledger.commit(changes: [], decisions: decisions, cursor: Cursor(epoch: 1, offset: 1))
        }
        func query(_ device: DeviceID?, limit: Int = 100) throws -> [Decision] {
            try ledger.decisions(from: .init(seconds: 0), until: .init(seconds: 100), device: device, limit: limit)
        }
        #expect(try query(nil) == decisions.suffix(10).reversed())
        #expect(try query(plug, limit: 2) == decisions.suffix(2).reversed())
        #expect(try query(meter) == [])
    }
}
