import Metering
import Records
import SQLite
import Timekeeping
import Usage

extension Ledger {
    /// Calls `body` with each slot in `from ..< until`, in the order of slot, device and channel, until it returns
    /// false. Only `devices` when given. It holds one slot's meters in memory and no more.
    ///
    /// `body` must not use the ledger.
    public func slots(
        from: Slot, until: Slot, devices: Set<DeviceID>? = nil, _ body: (SlotUsage) -> Bool
    ) throws(LedgerError) {
        try reading { () throws(SQLiteError) in
            let meters = try meters(devices)
            let statement = try database.prepare(
                """
                SELECT slot, meter, source, unmeasured, filled, estimated,
                    imported, exported, produced, charged, discharged
                FROM slot WHERE slot >= ? AND slot < ? ORDER BY slot, meter
                """)
            defer { statement.reset() }
            try statement.bind(1, from.index)
            try statement.bind(2, until.index)
            // Meter keys are in the order of arrival; the caller's order is by identity.
            var same: [(rank: Int, usage: SlotUsage)] = []
            while try statement.step() {
                let slot = Slot(index: try statement.whole(0))
                guard let meter = meters[try statement.whole(1)] else { continue }
                if let last = same.last, last.usage.slot != slot, !Ledger.flush(&same, body) { return }
                same.append((meter.rank, try usage(statement, slot: slot, meter: meter)))
            }
            _ = Ledger.flush(&same, body)
        }
    }

    private static func flush(_ same: inout [(rank: Int, usage: SlotUsage)], _ body: (SlotUsage) -> Bool) -> Bool {
        same.sort { $0.rank < $1.rank }
        defer { same.removeAll(keepingCapacity: true) }
        return same.allSatisfy { body($0.usage) }
    }

    private func usage(_ row: Statement, slot: Slot, meter: Meter) throws(SQLiteError) -> SlotUsage {
        SlotUsage(
            device: meter.device, channel: meter.channel, slot: slot, imported: row.integer(6),
            exported: row.integer(7), produced: row.integer(8), charged: row.integer(9), discharged: row.integer(10),
            estimated: try row.whole(5), measuredTime: Slot.length - max(0, min(try row.whole(3), Slot.length)),
            filledTime: try row.whole(4), source: UInt64(clamping: try row.whole(2)))
    }

    private struct Meter {
        var device: DeviceID
        var channel: Channel
        /// Place in the order of device and channel.
        var rank: Int
    }

    private func meters(_ wanted: Set<DeviceID>?) throws(SQLiteError) -> [Int64: Meter] {
        let statement = try database.prepare("SELECT key, device, channel FROM meter")
        defer { statement.reset() }
        var found: [(key: Int64, meter: Meter)] = []
        while try statement.step() {
            let key = try statement.whole(0)
            guard let device = DeviceID(blob: statement.blob(1)), let channel = Channel(statement.text(2) ?? "") else {
                throw .damaged("meter \(key) has no identity", statement.sql)
            }
            if let wanted, !wanted.contains(device) { continue }
            found.append((key, Meter(device: device, channel: channel, rank: 0)))
        }
        found.sort { ($0.meter.device, $0.meter.channel) < ($1.meter.device, $1.meter.channel) }
        var meters: [Int64: Meter] = [:]
        for (rank, entry) in found.enumerated() {
            meters[entry.key] = Meter(device: entry.meter.device, channel: entry.meter.channel, rank: rank)
        }
        return meters
    }

    /// The first and the last slot that is kept; nil for an empty ledger.
    public func extent() throws(LedgerError) -> ClosedRange<Slot>? {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare("SELECT (SELECT min(slot) FROM slot), (SELECT max(slot) FROM slot)")
            defer { statement.reset() }
            guard try statement.step(), let first = statement.integer(0), let last = statement.integer(1),
                first <= last
            else { return nil }
            return Slot(index: first)...Slot(index: last)
        }
    }

    /// Every version of every device, in the order of identity and `validFrom`.
    public func devices() throws(LedgerError) -> [Device] {
        try reading { () throws(SQLiteError) in
            try records("SELECT record FROM device ORDER BY id, valid_from") { (record) -> Device? in
                if case .device(let device) = record { device } else { nil }
            }
        }
    }

    /// Every version of the home's settings, in the order of `validFrom`.
    public func settings() throws(LedgerError) -> [HomeSettings] {
        try reading { () throws(SQLiteError) in
            try records("SELECT record FROM settings ORDER BY valid_from") { (record) -> HomeSettings? in
                if case .settings(let settings) = record { settings } else { nil }
            }
        }
    }

    private func records<T>(_ sql: String, _ pick: (Record) -> T?) throws(SQLiteError) -> [T] {
        let statement = try database.prepare(sql)
        defer { statement.reset() }
        var found: [T] = []
        while try statement.step() {
            guard let record = StoredRecord.record(statement.blob(0) ?? []), let value = pick(record) else {
                throw .damaged("a stored record cannot be read", sql)
            }
            found.append(value)
        }
        return found
    }

    /// Decisions about counters with a time in `from ..< until`, newest first, at most `limit`; only `device`'s when
    /// given.
    public func decisions(
        from: Timestamp, until: Timestamp, device: DeviceID? = nil, limit: Int = 1000
    ) throws(LedgerError) -> [Decision] {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare(
                """
                SELECT time, device, channel, quantity, kind, from_value, to_value, rule FROM decision
                WHERE time >= ?1 AND time < ?2 AND (?3 IS NULL OR device = ?3)
                ORDER BY time DESC, device, channel, quantity, kind LIMIT ?4
                """)
            defer { statement.reset() }
            try statement.bind(1, from.milliseconds)
            try statement.bind(2, until.milliseconds)
            try statement.bind(3, device?.blob)
            try statement.bind(4, Int64(max(0, limit)))
            var found: [Decision] = []
            while try statement.step() {
                if let decision = try decision(statement) { found.append(decision) }
            }
            return found
        }
    }

    /// Nil for a kind of another version.
    private func decision(_ row: Statement) throws(SQLiteError) -> Decision? {
        guard let kind = Decision.Kind(rawValue: row.text(4) ?? "") else { return nil }
        guard let device = DeviceID(blob: row.blob(1)), let channel = Channel(row.text(2) ?? ""),
            let quantity = UInt16(exactly: try row.whole(3)), let rule = row.text(7)
        else { throw .damaged("a decision cannot be read", row.sql) }
        let series = SeriesKey(device: device, channel: channel, quantity: Quantity(code: quantity))
        return Decision(
            series: series, time: Timestamp(milliseconds: try row.whole(0)), kind: kind, from: row.integer(5),
            to: row.integer(6), rule: rule)
    }
}
