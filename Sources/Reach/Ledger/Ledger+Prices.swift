import Metering
import SQLite
import Timekeeping

extension Ledger {
    /// Keeps each price of the run in the place of what was known of its slot. A list that changes its currency starts
    /// over.
    func put(_ run: PriceRun) throws(SQLiteError) {
        let list = try key(ofList: run)
        let insert = try database.prepare("INSERT OR REPLACE INTO price (list, slot, price) VALUES (?, ?, ?)")
        var slot = run.first
        for price in run.prices {
            for _ in 0..<run.slotsPerPrice {
                try insert.bind(1, list)
                try insert.bind(2, slot.index)
                try insert.bind(3, price)
                try insert.run()
                slot = slot.next
            }
        }
    }

    private func key(ofList run: PriceRun) throws(SQLiteError) -> Int64 {
        let find = try database.prepare("SELECT key, currency FROM price_list WHERE name = ?")
        defer { find.reset() }
        try find.bind(1, run.list)
        guard try find.step() else {
            let insert = try database.prepare("INSERT INTO price_list (name, currency) VALUES (?, ?)")
            try insert.bind(1, run.list)
            try insert.bind(2, run.currency.code)
            try insert.run()
            return database.lastInsertedRow
        }
        let key = try find.whole(0)
        guard find.text(1) != run.currency.code else { return key }
        let drop = try database.prepare("DELETE FROM price WHERE list = ?")
        try drop.bind(1, key)
        try drop.run()
        let change = try database.prepare("UPDATE price_list SET currency = ? WHERE key = ?")
        try change.bind(1, run.currency.code)
        try change.bind(2, key)
        try change.run()
        return key
    }

    /// Calls `body` with every price of every list, a day of slots at a time, in the order of time.
    public func prices(_ body: (PriceRun) -> Void) throws(LedgerError) {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare(
                """
                SELECT name, currency, slot, price FROM price JOIN price_list ON price.list = price_list.key
                ORDER BY list, slot
                """)
            defer { statement.reset() }
            var run: PriceRun?
            while try statement.step() {
                guard let name = statement.text(0), let currency = Currency(statement.text(1) ?? "") else {
                    throw .damaged("a price list has no name or currency", statement.sql)
                }
                let (slot, price) = (Slot(index: try statement.whole(2)), try statement.whole(3))
                if let last = run, last.list != name || last.end != slot || last.prices.count >= 96 {
                    body(last)
                    run = nil
                }
                if run == nil {
                    run = PriceRun(list: name, currency: currency, first: slot, slotsPerPrice: 1, prices: [])
                }
                run?.prices.append(price)
            }
            if let run { body(run) }
        }
    }
}
