extension Heads {
    /// What is known of one series.
    struct Head {
        /// Of the value that came last.
        var time: Int64 = 0
        var value: Int64 = 0
        /// The time to the next value, as it has been; kept when the head is emptied, as the divisor is.
        var step: Int32 = 0
        /// Divides every change; 0 while nothing has changed.
        var divisor: UInt32 = 0
        /// Of the divisor's odd part, modulo 2³².
        var inverse: UInt32 = 0
        var count: UInt32 = 0
        var chain = HeadPages.Chain()
        /// Values that are not packed yet.
        var waiting: UInt8 = 0
        /// Packed blocks without a change at the end, which are not in the chain yet.
        var run: UInt8 = 0
        var marks: Marks = []
    }

    /// One value's time and value.
    struct Point {
        var time: Int64
        var value: Int64
    }

    struct Marks: OptionSet {
        let rawValue: UInt8
        /// A value that waits is not where it was expected.
        static let deviates = Marks(rawValue: 1 << 0)
        /// Not in the order of time.
        static let isDisordered = Marks(rawValue: 1 << 1)
        /// A change may have wrapped around, so that the divisor says nothing about the difference of two values.
        static let isWide = Marks(rawValue: 1 << 2)
    }
}
