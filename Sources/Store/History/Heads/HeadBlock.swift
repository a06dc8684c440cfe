/// Eight integers in as many bits as the largest needs: what a head keeps in memory, and never on disk.
///
/// A head's bytes are operations, one after the other:
///
/// | first byte | what follows | what it is |
/// | --- | --- | --- |
/// | 0 … 31 | a block | eight points: bits 0 … 3 the width of the changes; bit 4: see below |
/// | 32 … 63 | | 1 … 32 times eight points without a change, each where it is expected |
/// | 64 | two varints | one point: time and value as changes (zigzag) |
/// | 65 | varint | from here on another divisor |
/// | 73 … 79 | a block | the first 1 … 7 points of it only |
///
/// With bit 4 deviations follow the changes, after a byte with their width. A change is the value's less the one
/// before, over the divisor, zigzag. A deviation is the time less the expected one.
enum HeadBlock {
    static let count = 8
    static let deviates: UInt8 = 1 << 4
    static let run: UInt8 = 32
    static let longestRun: UInt8 = 32
    static let point: UInt8 = 64
    static let divisor: UInt8 = 65
    static let part: UInt8 = 72
    /// Bytes that an operation takes at most, with a run, a divisor and a count before it.
    static let longest = 1 + 6 + 1 + 1 + 32 + 1 + 16

    /// Stands for the narrowest width that takes `bits` bits: 0 … 8, 10, 12, 14, 16, 24 or 32, of which eight fill
    /// whole bytes in words of 64 bits.
    @inline(__always)
    static func code(bits: Int) -> Int {
        switch bits {
        case ...8: bits
        case ...16: 8 + (bits - 7) / 2
        case ...24: 13
        default: 14
        }
    }

    @inline(__always)
    static func width(code: Int) -> Int {
        switch code {
        case ...8: code
        case ...12: 8 + (code - 8) * 2
        case 13: 24
        default: 32
        }
    }

    /// Bits of the largest of eight.
    @inline(__always)
    static func bits(_ block: SIMD8<UInt32>) -> Int {
        let four = block.lowHalf | block.highHalf
        let two = four.lowHalf | four.highHalf
        return 32 - (two.x | two.y).leadingZeroBitCount
    }

    /// Writes eight integers of `width` bits, `width` bytes: in words of eight, four or two integers, whichever fit
    /// into 64 bits. What a word has beyond is overwritten by the next, or is not counted.
    @inline(__always)
    static func write(_ block: SIMD8<UInt32>, width: Int, to place: UnsafeMutableRawPointer) {
        let w = UInt64(truncatingIfNeeded: width)
        // Lanes by their constant numbers: any other way they go through memory.
        let a = UInt64(block[0]) | UInt64(block[1]) &<< w
        let b = UInt64(block[2]) | UInt64(block[3]) &<< w
        let c = UInt64(block[4]) | UInt64(block[5]) &<< w
        let d = UInt64(block[6]) | UInt64(block[7]) &<< w
        switch width {
        case ...8: store(a | b &<< (2 &* w) | c &<< (4 &* w) | d &<< (6 &* w), place)
        case ...16:
            store(a | b &<< (2 &* w), place)
            store(c | d &<< (2 &* w), place + width / 2)
        default:
            store(a, place)
            store(b, place + width / 4)
            store(c, place + width / 2)
            store(d, place + width / 4 * 3)
        }
    }

    @inline(__always)
    private static func store(_ word: UInt64, _ place: UnsafeMutableRawPointer) {
        place.storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    /// Reads what `write` wrote; there must be eight readable bytes behind it.
    @inline(__always)
    static func read(width: Int, from place: UnsafeRawPointer) -> SIMD8<UInt32> {
        let w = UInt64(truncatingIfNeeded: width)
        let mask = UInt64(1) << w &- 1
        let (a, b, c, d): (UInt64, UInt64, UInt64, UInt64)
        switch width {
        case ...8:
            let word = load(place)
            (a, b, c, d) = (word, word &>> (2 &* w), word &>> (4 &* w), word &>> (6 &* w))
        case ...16:
            let (first, second) = (load(place), load(place + width / 2))
            (a, b, c, d) = (first, first &>> (2 &* w), second, second &>> (2 &* w))
        default:
            (a, b) = (load(place), load(place + width / 4))
            (c, d) = (load(place + width / 2), load(place + width / 4 * 3))
        }
        return SIMD8(
            UInt32(truncatingIfNeeded: a & mask), UInt32(truncatingIfNeeded: a &>> w & mask),
            UInt32(truncatingIfNeeded: b & mask), UInt32(truncatingIfNeeded: b &>> w & mask),
            UInt32(truncatingIfNeeded: c & mask), UInt32(truncatingIfNeeded: c &>> w & mask),
            UInt32(truncatingIfNeeded: d & mask), UInt32(truncatingIfNeeded: d &>> w & mask))
    }

    @inline(__always)
    private static func load(_ place: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: place.loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    static func zigzag(_ block: SIMD8<Int32>) -> SIMD8<UInt32> {
        SIMD8<UInt32>(truncatingIfNeeded: (block &<< 1) ^ (block &>> 31))
    }

    @inline(__always)
    static func signed(_ block: SIMD8<UInt32>) -> SIMD8<Int32> {
        SIMD8<Int32>(truncatingIfNeeded: (block &>> 1) ^ (0 &- (block & 1)))
    }

    /// The step that the next value is expected with: rounded, so that jitter of the first does not stay in it.
    static func step(_ step: Int32, _ deviation: Int64, _ difference: Int64) -> Int32 {
        guard difference > 0, step == 0 || deviation.magnitude >= UInt64(step.magnitude / 2) else { return step }
        return Int32(exactly: difference < 1000 ? difference : (difference &+ 50) / 100 &* 100) ?? step
    }

    /// The greatest number that divides both; 0 only of two zeros.
    static func divisor(_ a: UInt32, _ b: UInt32) -> UInt32 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    /// Of the odd part of `divisor`, modulo 2³².
    static func inverse(_ divisor: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: ExactDivision(by: UInt64(max(1, divisor))).inverse)
    }

    /// Changes over a divisor, zigzag: over `known`, or where that does not divide all of them, over one that does.
    @inline(__always)
    static func divide(
        _ block: SIMD8<Int32>, _ known: UInt32, _ inverse: UInt32
    ) -> (divisor: UInt32, quotients: SIMD8<UInt32>) {
        if known == 1 { return (1, zigzag(block)) }
        if known > 1 {
            let shift = SIMD8<Int32>(repeating: Int32(truncatingIfNeeded: known.trailingZeroBitCount))
            let quotients = (block &>> shift) &* Int32(bitPattern: inverse)
            let codes = zigzag(quotients)
            // What is not divided gives a quotient that is too large, or loses bits to the shift. Sizes are compared by
            // their bits: to compare eight integers with a limit is a loop through memory here.
            let isSmall = bits(codes) + UInt32.bitWidth - known.leadingZeroBitCount <= UInt32.bitWidth
            if isSmall, quotients &* Int32(bitPattern: known) == block { return (known, codes) }
        }
        var divisor = known
        for i in 0..<count { divisor = HeadBlock.divisor(divisor, block[i].magnitude) }
        if divisor == 0 { return (0, SIMD8()) }
        var quotients = SIMD8<Int32>()
        for i in 0..<count { quotients[i] = Int32(truncatingIfNeeded: Int64(block[i]) / Int64(divisor)) }
        return (divisor, zigzag(quotients))
    }
}
