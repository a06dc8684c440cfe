import Records

/// The values of all series that no file has yet, in the order they came, eight of a series packed together.
///
/// A series is a slot, numbered from 0. What a reading touches lies in three arrays by slot, some hundred bytes a
/// series together; what is packed lies in pages that all series share. The memory is this value's own, so nothing of
/// it is counted or checked for other users when a reading comes.
struct Heads: ~Copyable, @unchecked Sendable {  // nobody else has the pointers
    /// What is else known without decoding, of a series whose values did not come in the order of time.
    private struct Disorder {
        /// The earliest time.
        var first: Int64
        /// The latest value of those before the newest.
        var peak: Point
    }

    private(set) var seriesCount = 0
    /// Values in all heads.
    private(set) var count = 0
    private var capacity = 0
    private var heads: UnsafeMutablePointer<Head>
    /// Changes that wait, eight by slot; those that do not wait are 0.
    private var changes: UnsafeMutablePointer<Int32>
    /// By how much their times differ from the expected ones, ms.
    private var deviations: UnsafeMutablePointer<Int16>
    private var pages = HeadPages()
    private var disorders: [Int: Disorder] = [:]

    init() {
        heads = .allocate(capacity: 0)
        changes = .allocate(capacity: 0)
        deviations = .allocate(capacity: 0)
    }

    deinit {
        heads.deallocate()
        changes.deallocate()
        deviations.deallocate()
    }

    /// Bytes of memory that grow with the values.
    var byteCount: Int { pages.byteCount }

    /// Makes room for one more series, in the slot `seriesCount`.
    mutating func addSeries() {
        if seriesCount == capacity { grow() }
        (heads + seriesCount).initialize(to: Head())
        (changes + seriesCount * HeadBlock.count).initialize(repeating: 0, count: HeadBlock.count)
        (deviations + seriesCount * HeadBlock.count).initialize(repeating: 0, count: HeadBlock.count)
        seriesCount += 1
    }

    private mutating func grow() {
        // A quarter more: doubling would leave a third of this memory unused.
        capacity += max(16, capacity / 4)
        heads = Heads.moved(heads, seriesCount, capacity)
        changes = Heads.moved(changes, seriesCount * HeadBlock.count, capacity * HeadBlock.count)
        deviations = Heads.moved(deviations, seriesCount * HeadBlock.count, capacity * HeadBlock.count)
    }

    private static func moved<Element>(
        _ old: UnsafeMutablePointer<Element>, _ count: Int, _ capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        new.moveInitialize(from: old, count: count)
        old.deallocate()
        return new
    }

    private func head(_ slot: Int) -> UnsafeMutablePointer<Head> {
        precondition(slot >= 0 && slot < seriesCount)
        return heads + slot
    }

    /// Values of a series.
    func count(_ slot: Int) -> Int { Int(head(slot).pointee.count) }

    /// What is known to divide the difference of any two values; at least 1.
    func knownDivisor(_ slot: Int) -> UInt64 {
        let head = head(slot).pointee
        if head.marks.contains(.isWide) { return 1 }
        var divisor = head.divisor
        for i in 0..<Int(head.waiting) {
            divisor = HeadBlock.divisor(divisor, changes[slot * HeadBlock.count + i].magnitude)
        }
        return UInt64(max(1, divisor))
    }

    /// The earliest time; nil without values.
    func first(_ slot: Int) -> Int64? {
        let head = head(slot).pointee
        if head.count == 0 { return nil }
        if head.marks.contains(.isDisordered), let disorder = disorders[slot] { return disorder.first }
        return pages.withStart(of: head.chain) { HeadReader.firstTime($0) }
    }

    /// The value with the latest time; of several with one time the one that came last.
    func latest(_ slot: Int) -> Point? {
        let head = head(slot).pointee
        if head.count == 0 { return nil }
        if head.marks.contains(.isDisordered), let peak = disorders[slot]?.peak, peak.time > head.time { return peak }
        return Point(time: head.time, value: head.value)
    }

    /// Takes a value over.
    @inline(__always)
    mutating func append(_ slot: Int, _ time: Int64, _ value: Int64) {
        let head = head(slot)
        let change = value &- head.pointee.value
        let narrow = Int32(truncatingIfNeeded: change)
        // A step is never negative, so what is expected does not come before.
        guard head.pointee.count > 0, head.pointee.step > 0, Int64(narrow) == change,
            time &- head.pointee.time == Int64(head.pointee.step)
        else { return appendUnexpected(slot, time, value) }
        let waiting = Int(head.pointee.waiting)
        guard waiting &+ 1 < HeadBlock.count else {
            note(head, time, value, waiting: 0)
            // From its register: to read back together what has just been written one by one takes long.
            var block = waitingChanges(slot)
            block[HeadBlock.count - 1] = narrow
            return pack(slot, block, HeadBlock.count)
        }
        changes[slot &* HeadBlock.count &+ waiting] = narrow
        note(head, time, value, waiting: waiting &+ 1)
    }

    @inline(__always)
    private func waitingChanges(_ slot: Int) -> SIMD8<Int32> {
        UnsafeRawPointer(changes + slot * HeadBlock.count).loadUnaligned(as: SIMD8<Int32>.self)
    }

    private mutating func packWaiting(_ slot: Int) {
        let waiting = Int(head(slot).pointee.waiting)
        head(slot).pointee.waiting = 0
        if waiting > 0 { pack(slot, waitingChanges(slot), waiting) }
    }

    @inline(__always)
    private mutating func note(_ head: UnsafeMutablePointer<Head>, _ time: Int64, _ value: Int64, waiting: Int) {
        head.pointee.time = time
        head.pointee.value = value
        head.pointee.waiting = UInt8(truncatingIfNeeded: waiting)
        head.pointee.count &+= 1
        count &+= 1
    }

    @inline(never)
    private mutating func appendUnexpected(_ slot: Int, _ time: Int64, _ value: Int64) {
        let head = head(slot)
        guard head.pointee.count > 0 else { return begin(slot, time, value) }
        if time <= head.pointee.time { noteDisorder(slot, time) }
        let change = value &- head.pointee.value
        let difference = time &- head.pointee.time
        let deviation = difference &- Int64(head.pointee.step)
        let waiting = Int(head.pointee.waiting)
        let step = HeadBlock.step(head.pointee.step, deviation, difference)
        if let change = Int32(exactly: change), let narrow = Int16(exactly: deviation) {
            changes[slot * HeadBlock.count + waiting] = change
            deviations[slot * HeadBlock.count + waiting] = narrow
            if narrow != 0 { head.pointee.marks.insert(.deviates) }
            note(head, time, value, waiting: waiting + 1)
            head.pointee.step = step
            if waiting + 1 == HeadBlock.count { packWaiting(slot) }
            return
        }
        packWaiting(slot)
        if value.magnitude >= Heads.narrowLimit { head.pointee.marks.insert(.isWide) }
        // Nothing in a block has this change, but what divides the difference of two values has to divide it.
        let magnitude = UInt32(exactly: change.magnitude)
        write(head) { writer in
            // Where it does not fit, 1 is the only divisor that needs no division of 64 bits.
            Heads.use(magnitude.map { HeadBlock.divisor(head.pointee.divisor, $0) } ?? 1, head, &writer)
            writer.byte(HeadBlock.point)
            writer.varint(Code.zigzag(difference))
            writer.varint(Code.zigzag(change))
        }
        note(head, time, value, waiting: 0)
        head.pointee.step = step
    }

    /// Below, the differences of any two values and all sums of the changes between them fit in 63 bits.
    private static let narrowLimit: UInt64 = 1 << 61

    private mutating func begin(_ slot: Int, _ time: Int64, _ value: Int64) {
        let head = head(slot)
        head.pointee.marks = value.magnitude >= Heads.narrowLimit ? .isWide : []
        write(head) { writer in
            writer.varint(Code.zigzag(time))
            writer.varint(Code.zigzag(value))
            writer.varint(UInt64(head.pointee.step))
            writer.varint(UInt64(head.pointee.divisor))
        }
        note(head, time, value, waiting: 0)
    }

    private mutating func noteDisorder(_ slot: Int, _ time: Int64) {
        guard let peak = latest(slot), let first = first(slot) else { return }
        disorders[slot] = Disorder(first: min(first, time), peak: peak)
        head(slot).pointee.marks.insert(.isDisordered)
    }

    /// Packs the first `waiting` changes of a block; the others are 0.
    @inline(never)
    private mutating func pack(_ slot: Int, _ block: SIMD8<Int32>, _ waiting: Int) {
        let head = head(slot)
        let place = changes + slot * HeadBlock.count
        let deviates = head.pointee.marks.contains(.deviates)
        if block == SIMD8<Int32>(), !deviates, waiting == HeadBlock.count {
            if head.pointee.run == HeadBlock.longestRun { write(head) { _ in } }
            head.pointee.run += 1
            return
        }
        place.update(repeating: 0, count: HeadBlock.count)
        let times = deviations + slot * HeadBlock.count
        let (seen, quotients) = HeadBlock.divide(block, head.pointee.divisor, head.pointee.inverse)
        write(head) { writer in
            Heads.use(seen, head, &writer)
            if waiting < HeadBlock.count { writer.byte(HeadBlock.part + UInt8(truncatingIfNeeded: waiting)) }
            let code = HeadBlock.code(bits: HeadBlock.bits(quotients))
            writer.byte(UInt8(truncatingIfNeeded: code) | (deviates ? HeadBlock.deviates : 0))
            writer.block(quotients, code: code)
            guard deviates else { return }
            let moved = HeadBlock.zigzag(
                SIMD8<Int32>(truncatingIfNeeded: UnsafeRawPointer(times).loadUnaligned(as: SIMD8<Int16>.self)))
            times.update(repeating: 0, count: HeadBlock.count)
            head.pointee.marks.remove(.deviates)
            let width = HeadBlock.code(bits: HeadBlock.bits(moved))
            writer.byte(UInt8(truncatingIfNeeded: width))
            writer.block(moved, code: width)
        }
    }

    /// From here on changes are over `divisor`.
    @inline(__always)
    private static func use(_ divisor: UInt32, _ head: UnsafeMutablePointer<Head>, _ writer: inout HeadWriter) {
        if divisor == head.pointee.divisor { return }
        head.pointee.divisor = divisor
        head.pointee.inverse = HeadBlock.inverse(divisor)
        writer.byte(HeadBlock.divisor)
        writer.varint(UInt64(divisor))
    }

    /// Appends the run and what `body` writes, at most `HeadBlock.longest` bytes together.
    @inline(__always)
    private mutating func write(_ head: UnsafeMutablePointer<Head>, _ body: (inout HeadWriter) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: HeadBlock.longest + 8, alignment: 8) { room in
            var writer = HeadWriter(room)
            if head.pointee.run > 0 { writer.byte(HeadBlock.run + head.pointee.run - 1) }
            head.pointee.run = 0
            body(&writer)
            pages.append(writer.written, to: &head.pointee.chain)
        }
    }

    /// Forgets all values, but not what their steps and divisors have been.
    mutating func removeAll() {
        for slot in 0..<seriesCount {
            heads[slot].count = 0
            heads[slot].waiting = 0
            heads[slot].run = 0
            heads[slot].marks = []
            heads[slot].chain = HeadPages.Chain()
        }
        changes.update(repeating: 0, count: seriesCount * HeadBlock.count)
        deviations.update(repeating: 0, count: seriesCount * HeadBlock.count)
        pages.removeAll()
        disorders = [:]
        count = 0
    }

    /// All values of a series in the order they came.
    func points(_ slot: Int) -> HeadPoints {
        let head = head(slot).pointee
        guard head.count > 0 else { return HeadPoints() }
        let places = (changes + slot * HeadBlock.count, deviations + slot * HeadBlock.count)
        return HeadPoints(
            count: Int(head.count), isOrdered: !head.marks.contains(.isDisordered), divisor: knownDivisor(slot)
        ) { times, values in
            pages.withBytes(of: head.chain) { bytes in
                var reader = HeadReader(bytes, times, values)
                reader.readPacked()
                reader.putRun(Int(head.run))
                for i in 0..<Int(head.waiting) { reader.put(Int64(places.0[i]), Int64(places.1[i])) }
                precondition(reader.isDone, "a head has not the values that it counted")
            }
        }
    }
}
