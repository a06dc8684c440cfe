import Threads

/// What is to be read from a bus: which registers of which unit, how often. Knows no meter.
package struct BusPlan: Sendable {
    /// Registers that are read in one request.
    package struct Block: Hashable, Sendable {
        package let function: ModbusFunction
        /// Stretches that must not be split, by address, none overlapping; what lies between them is read along.
        package let spans: [Range<Int>]

        /// At least one span, none of them empty, all within one request.
        package init(function: ModbusFunction, spans: [Range<Int>]) {
            precondition(!spans.isEmpty && spans.allSatisfy { !$0.isEmpty }, "a block without registers")
            self.function = function
            self.spans = spans
        }

        package var range: Range<Int> { spans[0].lowerBound..<spans[spans.count - 1].upperBound }

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
    package struct Group: Sendable {
        /// In µs, from one due time to the next.
        package var period: Int64
        package var blocks: [Block]

        package init(period: Int64, blocks: [Block]) {
            self.period = max(1, period)
            self.blocks = blocks
        }
    }

    package struct Unit: Sendable {
        package var unit: UInt8
        package var groups: [Group]
        /// µs of silence that the unit wants after an answer of its own, on top of the line's gap.
        package var pause: Int64
        /// Comes back in its results, so that those of an older plan can be told.
        package var version: Int

        package init(unit: UInt8, groups: [Group], pause: Int64 = 0, version: Int = 0) {
            self.unit = unit
            self.groups = groups
            self.pause = pause
            self.version = version
        }
    }

    package var units: [Unit]

    package init(units: [Unit]) {
        self.units = units
    }
}

/// What came of reading one group of one unit.
package struct GroupResult: Sendable {
    package struct Part: Sendable {
        package let function: ModbusFunction
        package let range: Range<Int>
        package let result: Result<[UInt16], ModbusError.Cause>
    }

    /// Indices into the plan.
    package let unit: Int
    package let group: Int
    /// The unit's, as in the plan.
    package let version: Int
    /// What was asked, in order; a block may have come in parts. Empty where every register is known to be refused.
    package let parts: [Part]
    /// Whether the unit answered at all, be it to say that it cannot.
    package let isThere: Bool
    /// In µs of the engine's clock.
    package let finished: Int64

    /// Milliseconds since then, by the bus's clock.
    package var age: Int64 { (monotonicMicroseconds() - finished) / 1_000 }
}
