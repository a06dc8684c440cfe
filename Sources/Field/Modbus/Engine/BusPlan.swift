import Threads

/// What is to be read from a bus: which registers of which unit, how often. Knows no meter.
public struct BusPlan: Sendable {
    /// Registers that are read in one request.
    public struct Block: Hashable, Sendable {
        public let function: ModbusFunction
        /// Stretches that must not be split, by address, none overlapping; what lies between them is read along.
        public let spans: [Range<Int>]

        /// At least one span, none of them empty, all within one request.
        public init(function: ModbusFunction, spans: [Range<Int>]) {
            precondition(!spans.isEmpty && spans.allSatisfy { !$0.isEmpty }, "a block without registers")
            self.function = function
            self.spans = spans
        }

        public var range: Range<Int> { spans[0].lowerBound..<spans[spans.count - 1].upperBound }

        /// Two parts, cut in the widest gap, of equal gaps in the one nearest to the middle. Nil for a single span.
        func halves() -> (Block, Block)? {
            guard spans.count > 1 else { return nil }
            let middle = spans.count / 2
            let cut = (1..<spans.count).max { a, b in
                let (gapA, gapB) = (gap(before: a), gap(before: b))
                return gapA == gapB ? abs(a - middle) > abs(b - middle) : gapA < gapB
            }
            guard let cut else { return nil }
            return (
                Block(function: function, spans: Array(spans[..<cut])),
                Block(function: function, spans: Array(spans[cut...]))
            )
        }

        private func gap(before index: Int) -> Int { spans[index].lowerBound - spans[index - 1].upperBound }

        func request(to unit: UInt8) -> ModbusRequest {
            ModbusRequest(unit: unit, function: function, address: UInt16(range.lowerBound), count: range.count)
        }
    }

    /// Blocks that are read one after the other, as near to one instant as the bus lets them be.
    public struct Group: Sendable {
        /// In µs, from one due time to the next.
        public var period: Int64
        public var blocks: [Block]

        public init(period: Int64, blocks: [Block]) {
            self.period = max(1, period)
            self.blocks = blocks
        }
    }

    public struct Unit: Sendable {
        public var unit: UInt8
        public var groups: [Group]
        /// µs of silence that the unit wants after an answer of its own, on top of the line's gap.
        public var pause: Int64
        /// Comes back in its results, so that those of an older plan can be told.
        public var version: Int

        public init(unit: UInt8, groups: [Group], pause: Int64 = 0, version: Int = 0) {
            self.unit = unit
            self.groups = groups
            self.pause = pause
            self.version = version
        }
    }

    public var units: [Unit]

    public init(units: [Unit]) {
        self.units = units
    }
}

/// What came of reading one group of one unit.
public struct GroupResult: Sendable {
    public struct Part: Sendable {
        public let function: ModbusFunction
        public let range: Range<Int>
        public let result: Result<[UInt16], ModbusError.Cause>
    }

    /// Indices into the plan.
    public let unit: Int
    public let group: Int
    /// The unit's, as in the plan.
    public let version: Int
    /// What was asked, in order; a block may have come in parts. Empty where every register is known to be refused.
    public let parts: [Part]
    /// Whether the unit answered at all, be it to say that it cannot.
    public let isThere: Bool
    /// In µs of the engine's clock.
    public let finished: Int64

    /// Milliseconds since then, by the bus's clock.
    public var age: Int64 { (monotonicMicroseconds() - finished) / 1_000 }
}
