import Foundation

/// A house in Berlin on the 26th of October 2025, a day of 25 hours, and one hour more: a grid meter that also
/// delivers, and a boiler behind it.
///
/// Readings come every five minutes and at each border of a slot, so every slot is exact.
struct AutumnHouse {
    enum Period: String, CaseIterable {
        case slot, hour, day, month
    }

    /// Energies of one device in one slot, in mWh, with its cost in 10⁻¹⁰ EUR.
    private struct Energy {
        var imported: Int64 = 0
        var exported: Int64?
        var cost: Int64 = 0

        static func + (a: Energy, b: Energy) -> Energy {
            Energy(
                imported: a.imported + b.imported, exported: a.exported.map { $0 + (b.exported ?? 0) },
                cost: a.cost + b.cost)
        }
    }

    /// 2025-10-26T00:00:00+02:00.
    static let start: Int64 = 1_761_429_600
    static let slots = 26 * 4

    /// mWh in each five minutes; tens, so that a price of four decimals gives a cost of at most nine.
    private let gridRises = rises { 20_000 + $0 * 79_190 % 30_000 }
    private let exportRises = rises { $0 / 36 % 4 == 2 ? 15_000 + $0 * 310 % 17_000 : 0 }
    private let boilerRises = rises { 5_000 + $0 * 1_047_290 % 15_000 }

    private static func rises(_ rise: (Int64) -> Int64) -> [Int64] {
        (0..<Int64(slots * 3)).map(rise)
    }

    var since: String { utc(Self.start) }
    var gridImport: Int64 { gridRises.reduce(0, +) }
    var boilerImport: Int64 { boilerRises.reduce(0, +) }

    var meters: [Meter] {
        func points(_ value: Int64, _ rises: [Int64]) -> [(time: Int64, value: Int64)] {
            Meter.points(from: Self.start, every: 300, value: value, rises: rises)
        }
        return [
            Meter(
                device: "grid",
                counters: [
                    "energy_import": points(5_000_000_000, gridRises), "energy_export": points(70_000, exportRises),
                ]),
            Meter(device: "boiler", counters: ["energy_import": points(123_456_780, boilerRises)]),
        ]
    }

    /// The rows that `usage` has to print: in each period the home, the devices by name, the rest.
    func rows(by period: Period) -> [Row] {
        var rows: [Row] = []
        var first = 0
        while first < Self.slots {
            let (from, to) = Self.bounds(period, ofSlot: first)
            let next = min(Self.slots, Int((to - Self.start) / 900))
            let sums = (first..<next).map(energies).reduce([:]) { $0.merging($1, uniquingKeysWith: +) }
            for device in ["home", "boiler", "grid", "unmetered"] {
                guard let energy = sums[device] else { continue }
                rows.append(Self.row(device, from, to, energy, measured: Int64(next - first) * 900))
            }
            first = next
        }
        return rows
    }

    private func energies(_ slot: Int) -> [String: Energy] {
        func sum(_ rises: [Int64]) -> Int64 { rises[(3 * slot)..<(3 * slot + 3)].reduce(0, +) }
        let (imported, exported, boiler) = (sum(gridRises), sum(exportRises), sum(boilerRises))
        let grid = Energy(imported: imported, exported: exported, cost: imported * 3_215 - exported * 811)
        let left = imported - exported - boiler
        return [
            "home": grid, "grid": grid,
            "boiler": Energy(imported: boiler, exported: nil, cost: boiler * 3_215),
            "unmetered": Energy(imported: max(0, left), exported: max(0, -left), cost: max(0, left) * 3_215),
        ]
    }

    private static func row(_ device: String, _ from: Int64, _ to: Int64, _ energy: Energy, measured: Int64) -> Row {
        let isWhole = measured == to - from
        let share = decimal(measured * 10_000 / (to - from), scale: 4)
        return Row([
            "device": device, "channel": "total", "from": local(from), "to": local(to),
            "import_wh": wattHours(energy.imported), "export_wh": energy.exported.map(wattHours) ?? "null",
            "cost": decimal(energy.cost, scale: 10), "currency": "EUR", "coverage": isWhole ? "1.0" : share,
            "estimated_wh": "0", "quality": isWhole ? "measured" : "partial",
        ])
    }

    /// By Foundation's calendar, which is not ours.
    private static func bounds(_ period: Period, ofSlot slot: Int) -> (from: Int64, to: Int64) {
        let time = start + Int64(slot) * 900
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: "Europe/Berlin") ?? .gmt
        let component: Calendar.Component
        switch period {
        case .slot: return (time, time + 900)
        case .hour: return (time / 3600 * 3600, time / 3600 * 3600 + 3600)
        case .day: component = .day
        case .month: component = .month
        }
        let interval = calendar.dateInterval(of: component, for: Date(timeIntervalSince1970: Double(time)))
        let from = Int64(interval?.start.timeIntervalSince1970 ?? 0)
        return (from, Int64(interval?.end.timeIntervalSince1970 ?? 0))
    }
}
