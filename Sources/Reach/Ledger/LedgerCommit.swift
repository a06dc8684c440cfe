import Metering
import Records
import SQLite
import Timekeeping
import Usage

extension Ledger {
    /// Keeps what changed since the last commit, and the cursor up to which that is everything: all or nothing, on the
    /// disk when it returns.
    ///
    /// A slot is replaced by one of the same or a higher `source` in the cursor's epoch, and by any of an epoch that
    /// came to the ledger later, so the same log in any split of commits leaves the same ledger. Devices and settings
    /// replace those of the same `validFrom`, decisions those of the same series, time and kind, commands those of the
    /// same id, prices those of the same list and slot. Decisions in a span of `withdrawn` go before `decisions` come.
    public func commit(
        changes: [SlotUsage], devices: [Device] = [], settings: [HomeSettings] = [], decisions: [Decision] = [],
        withdrawn: [DecisionChanges.Span] = [],
        commands: [DatedCommand] = [], prices: [PriceRun] = [], cursor: Cursor
    ) throws(LedgerError) {
        if case .waiting(let reason) = opening { throw .waiting(path: path, reason: reason) }
        guard opening != .readOnly else { throw .readOnly(path: path) }
        try reading { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                let epoch = try key(ofEpoch: cursor.epoch)
                for slot in changes { try put(slot, epoch: epoch) }
                for device in devices { try put(device) }
                for version in settings { try put(version) }
                for span in withdrawn { try drop(span) }
                for decision in decisions { try put(decision) }
                if !decisions.isEmpty { try dropOldDecisions() }
                for command in commands { try put(command) }
                for run in prices { try put(run) }
                let statement = try database.prepare(
                    "INSERT OR REPLACE INTO position (topic, epoch, next) VALUES (?, ?, ?)")
                try statement.bind(1, Int64(Topic.slots.rawValue))
                try statement.bind(2, Int64(bitPattern: cursor.epoch))
                try statement.bind(3, Int64(bitPattern: cursor.offset))
                try statement.run()
            }
        }
    }

    private func put(_ slot: SlotUsage, epoch: Int64) throws(SQLiteError) {
        let statement = try database.prepare(
            """
            INSERT INTO slot (slot, meter, epoch, source, unmeasured, filled, estimated,
                imported, exported, produced, charged, discharged)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            ON CONFLICT (slot, meter) DO UPDATE SET epoch = ?3, source = ?4, unmeasured = ?5, filled = ?6,
                estimated = ?7, imported = ?8, exported = ?9, produced = ?10, charged = ?11, discharged = ?12
            WHERE (?3, ?4) >= (slot.epoch, slot.source)
            """)
        try statement.bind(1, slot.slot.index)
        try statement.bind(2, try key(of: slot.device, slot.channel))
        try statement.bind(3, epoch)
        try statement.bind(4, Int64(clamping: slot.source))
        try statement.bind(5, Slot.length - max(0, min(slot.measuredTime, Slot.length)))
        try statement.bind(6, max(0, min(slot.filledTime, Slot.length)))
        try statement.bind(7, slot.estimated)
        try statement.bind(8, slot.imported)
        try statement.bind(9, slot.exported)
        try statement.bind(10, slot.produced)
        try statement.bind(11, slot.charged)
        try statement.bind(12, slot.discharged)
        try statement.run()
    }

    private func put(_ device: Device) throws(SQLiteError) {
        let id = device.id.blob
        let insert = try database.prepare("INSERT OR REPLACE INTO device (id, valid_from, record) VALUES (?, ?, ?)")
        try insert.bind(1, id)
        try insert.bind(2, device.validFrom.milliseconds)
        try insert.bind(3, StoredRecord.bytes(.device(device)))
        try insert.run()
        let drop = try database.prepare(
            """
            DELETE FROM device WHERE id = ?1 AND valid_from <=
                (SELECT valid_from FROM device WHERE id = ?1 ORDER BY valid_from DESC LIMIT 1 OFFSET ?2)
            """)
        try drop.bind(1, id)
        try drop.bind(2, Int64(limits.versions))
        try drop.run()
    }

    private func put(_ settings: HomeSettings) throws(SQLiteError) {
        let insert = try database.prepare("INSERT OR REPLACE INTO settings (valid_from, record) VALUES (?, ?)")
        try insert.bind(1, settings.validFrom.milliseconds)
        try insert.bind(2, StoredRecord.bytes(.settings(settings)))
        try insert.run()
        let drop = try database.prepare(
            """
            DELETE FROM settings WHERE valid_from <=
                (SELECT valid_from FROM settings ORDER BY valid_from DESC LIMIT 1 OFFSET ?)
            """)
        try drop.bind(1, Int64(limits.versions))
        try drop.run()
    }

    private func drop(_ span: DecisionChanges.Span) throws(SQLiteError) {
        let statement = try database.prepare(
            "DELETE FROM decision WHERE time >= ? AND time < ? AND device = ? AND channel = ? AND kind <> ?")
        try statement.bind(1, span.from.milliseconds)
        try statement.bind(2, span.until.milliseconds)
        try statement.bind(3, span.device.blob)
        try statement.bind(4, span.channel.name)
        try statement.bind(5, Decision.Kind.late.rawValue)
        try statement.run()
    }

    private func put(_ decision: Decision) throws(SQLiteError) {
        let statement = try database.prepare(
            """
            INSERT OR REPLACE INTO decision (time, device, channel, quantity, kind, from_value, to_value, rule)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(1, decision.time.milliseconds)
        try statement.bind(2, decision.series.device.blob)
        try statement.bind(3, decision.series.channel.name)
        try statement.bind(4, Int64(decision.series.quantity.code))
        try statement.bind(5, decision.kind.rawValue)
        try statement.bind(6, decision.from)
        try statement.bind(7, decision.to)
        try statement.bind(8, decision.rule)
        try statement.run()
    }

    private func dropOldDecisions() throws(SQLiteError) {
        let count = try database.prepare("SELECT count(*) FROM decision")
        defer { count.reset() }
        guard try count.step() else { return }
        let surplus = try count.whole(0) - Int64(limits.decisions)
        guard surplus > 0 else { return }
        let drop = try database.prepare(
            """
            DELETE FROM decision WHERE (time, device, channel, quantity, kind) IN
                (SELECT time, device, channel, quantity, kind FROM decision
                 ORDER BY time, device, channel, quantity, kind LIMIT ?)
            """)
        try drop.bind(1, surplus)
        try drop.run()
    }

    // MARK: Short keys

    private func key(of device: DeviceID, _ channel: Channel) throws(SQLiteError) -> Int64 {
        let find = try database.prepare("SELECT key FROM meter WHERE device = ? AND channel = ?")
        defer { find.reset() }
        try find.bind(1, device.blob)
        try find.bind(2, channel.name)
        if try find.step() { return try find.whole(0) }
        let insert = try database.prepare("INSERT INTO meter (device, channel) VALUES (?, ?)")
        try insert.bind(1, device.blob)
        try insert.bind(2, channel.name)
        try insert.run()
        return database.lastInsertedRow
    }

    /// Keys rise in the order in which epochs came to the ledger, which is their order in time.
    private func key(ofEpoch epoch: UInt64) throws(SQLiteError) -> Int64 {
        let find = try database.prepare("SELECT key FROM epoch WHERE epoch = ?")
        defer { find.reset() }
        try find.bind(1, Int64(bitPattern: epoch))
        if try find.step() { return try find.whole(0) }
        let insert = try database.prepare("INSERT INTO epoch (epoch) VALUES (?)")
        try insert.bind(1, Int64(bitPattern: epoch))
        try insert.run()
        return database.lastInsertedRow
    }
}
