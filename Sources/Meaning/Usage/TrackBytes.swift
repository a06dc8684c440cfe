/// The encoded points of all tracks of a state in one run of memory: of its own a track of sixty bytes would take twice
/// that, by the array's header and the allocator's rounding.
///
/// A track has a block of it, in units of eight bytes, and takes a larger one at the end when it grows. What is left
/// behind is counted, and taken out when it is too much: `compact`. Tracks that are too long for a block (those of a
/// span that is worked out again) are arrays of their own.
struct TrackBytes: Sendable {
    /// Where the bytes of one track are; all zero while it has none.
    struct Block: Equatable {
        /// In units, or the number of a long one.
        fileprivate var place: UInt32 = 0
        /// Size in bytes (13 bits) and capacity in units (10 bits), and two bits for the owner.
        private var shape: UInt32 = 0

        fileprivate static let unit = 8
        /// Stands for a size that does not fit.
        fileprivate static let long: UInt32 = 0x1FFF
        fileprivate static let maximumUnits = 0x3FF

        fileprivate var shortSize: UInt32 {
            get { shape & 0x1FFF }
            set { shape = shape & ~0x1FFF | newValue }
        }
        fileprivate(set) var units: Int {
            get { Int(shape >> 13 & 0x3FF) }
            set { shape = shape & ~(0x3FF << 13) | UInt32(newValue) << 13 }
        }
        var isEmpty: Bool { shortSize == 0 }
        fileprivate var isLong: Bool { shortSize == Block.long }
        /// Free for the track whose block it is: 0 … 3.
        var note: UInt32 {
            get { shape >> 23 & 3 }
            set { shape = shape & ~(3 << 23) | newValue << 23 }
        }
    }

    private var bytes: [UInt8] = []
    private var wasted = 0
    private var long: [UInt32: [UInt8]] = [:]
    private var nextLong: UInt32 = 0

    /// Calls `body` with a block's bytes.
    @inline(__always)
    func read<Result>(_ block: Block, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if block.isLong { return readLong(block, body) }
        return bytes.withUnsafeBufferPointer { all in
            let start = Int(block.place) * Block.unit
            return body(UnsafeBufferPointer(rebasing: all[start..<start + Int(block.shortSize)]))
        }
    }

    private func readLong<Result>(_ block: Block, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        (long[block.place] ?? []).withUnsafeBufferPointer { body($0) }
    }

    /// Adds the first `count` bytes of `word`, its highest byte first, behind the others.
    mutating func append(_ word: UInt128, _ count: Int, to block: inout Block) {
        if block.isLong { return appendLong(word, count, to: block) }
        let size = Int(block.shortSize)
        if size + count > block.units * Block.unit, !grow(&block, to: size + count) {
            return appendLong(word, count, to: block)
        }
        let start = Int(block.place) * Block.unit + size
        for i in 0..<count { bytes[start + i] = UInt8(truncatingIfNeeded: word >> UInt128(8 * (count - 1 - i))) }
        block.shortSize = UInt32(size + count)
    }

    private mutating func appendLong(_ word: UInt128, _ count: Int, to block: Block) {
        for i in 0..<count {
            long[block.place, default: []].append(UInt8(truncatingIfNeeded: word >> UInt128(8 * (count - 1 - i))))
        }
    }

    /// False when the track has become a long one.
    private mutating func grow(_ block: inout Block, to size: Int) -> Bool {
        // No more than is needed: after two hours as much is forgotten as is added.
        let units = (size + Block.unit - 1) / Block.unit
        guard units <= Block.maximumUnits else {
            let content = read(block) { Array($0) }
            release(&block)
            block.place = nextLong
            block.shortSize = Block.long
            long[nextLong] = content
            nextLong &+= 1
            return false
        }
        let end = Int(block.place) + block.units
        if block.units > 0, end * Block.unit == bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: (units - block.units) * Block.unit))
        } else {
            let (old, used) = (Int(block.place) * Block.unit, Int(block.shortSize))
            let place = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: units * Block.unit))
            bytes.withUnsafeMutableBufferPointer { all in
                for i in 0..<used { all[place + i] = all[old + i] }
            }
            wasted += block.units * Block.unit
            block.place = UInt32(place / Block.unit)
        }
        block.units = units
        return true
    }

    /// Takes the first bytes out.
    mutating func removeFirst(_ count: Int, of block: inout Block) {
        if block.isLong {
            long[block.place]?.removeFirst(count)
            return
        }
        let size = Int(block.shortSize)
        guard count < size else { return release(&block) }
        let start = Int(block.place) * Block.unit
        bytes.withUnsafeMutableBufferPointer { all in
            for i in 0..<size - count { all[start + i] = all[start + count + i] }
        }
        block.shortSize = UInt32(size - count)
    }

    /// Takes the last bytes out.
    mutating func removeLast(_ count: Int, of block: inout Block) {
        if block.isLong {
            long[block.place]?.removeLast(count)
        } else if count < Int(block.shortSize) {
            block.shortSize -= UInt32(count)
        } else {
            release(&block)
        }
    }

    /// Gives a block up.
    mutating func release(_ block: inout Block) {
        if block.isLong { long[block.place] = nil } else { wasted += block.units * Block.unit }
        (block.place, block.shortSize, block.units) = (0, 0, 0)
    }

    /// Whether a sixteenth of it, and enough to be worth the work, is left behind.
    var isWasteful: Bool { wasted > max(16 << 10, bytes.count / 16) }

    /// Moves the blocks together. `blocks`: those in use, each with a number for `moved`, which is told the block as it
    /// is then.
    mutating func compact(_ blocks: [(number: Int, block: Block)], _ moved: (Int, Block) -> Void) {
        let order = blocks.filter { !$0.block.isLong && $0.block.units > 0 }.sorted { $0.block.place < $1.block.place }
        var end = 0
        bytes.withUnsafeMutableBufferPointer { all in
            for (number, block) in order {
                let start = Int(block.place) * Block.unit
                let size = block.units * Block.unit
                // Downwards only, so nothing that is still to be moved is written over.
                if start != end { for i in 0..<size { all[end + i] = all[start + i] } }
                var block = block
                block.place = UInt32(end / Block.unit)
                moved(number, block)
                end += size
            }
        }
        bytes.removeLast(bytes.count - end)
        wasted = 0
    }
}
