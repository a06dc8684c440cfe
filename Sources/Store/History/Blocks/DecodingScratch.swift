import Compression
import Records

/// What decoding a block needs and the next block can use again. Passed from hand to hand, one user at a time.
///
/// A day of one series is columns of 70 KB, so without this each query would take memory from the system and give it
/// back, and clearing its pages would take as long as decoding.
final class DecodingScratch: @unchecked Sendable {  // passed from hand to hand, one user at a time
    /// Larger columns are not kept: 128 KB.
    private static let longestColumn = 1 << 14
    /// Times and values of two blocks.
    private static let maximumColumns = 4

    let zstd = ZstdDecompressor()
    private var columns: [[Int64]] = []

    /// `count` elements, all set by `fill`.
    @inline(__always)
    func column(
        count: Int, _ fill: (UnsafeMutableBufferPointer<Int64>) throws(RecordError) -> Void
    ) throws(RecordError) -> [Int64] {
        guard var column = columns.popLast() else { return try [Int64](count: count, fill) }
        column.resize(to: count)
        var failure: RecordError?
        column.withUnsafeMutableBufferPointer { buffer in
            do throws(RecordError) { try fill(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        return column
    }

    /// Takes what a block no longer needs.
    func reuse(_ column: consuming [Int64]) {
        if columns.count < DecodingScratch.maximumColumns, column.capacity <= DecodingScratch.longestColumn {
            columns.append(column)
        }
    }
}

extension [Int64] {
    /// What is new is zero.
    fileprivate mutating func resize(to count: Int) {
        if count < self.count {
            removeLast(self.count - count)
        } else if count > self.count {
            reserveCapacity(count)
            append(contentsOf: repeatElement(0, count: count - self.count))
        }
    }
}
