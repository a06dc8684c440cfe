import Glibc
import Metering

/// Topic bytes → entry, bounded: when it is full it starts again from nothing, which costs one match per topic.
final class TopicCache {
    /// Topics of 2,000 plugs with some to spare.
    static let maximumEntries = 8192
    private static let emptySlot: Int32 = -1

    private struct Key {
        let hash: UInt64
        let start: Int
        let count: Int
    }

    private var slots: UnsafeMutableBufferPointer<Int32>
    private var keys: UnsafeMutableBufferPointer<Key>
    private var entries: UnsafeMutableBufferPointer<TopicEntry>
    private var bytes: [UInt8] = []
    private(set) var count = 0

    init() {
        slots = .allocate(capacity: 256)
        slots.initialize(repeating: TopicCache.emptySlot)
        keys = .allocate(capacity: 128)
        entries = .allocate(capacity: 128)
    }

    deinit {
        slots.deallocate()
        keys.deallocate()
        entries.deallocate()
    }

    /// Valid until the next `insert` or `removeAll`.
    @inline(__always)
    func entry(_ index: Int) -> UnsafeMutablePointer<TopicEntry> { entries.baseAddress! + index }

    @inline(__always)
    func find(_ topic: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != TopicCache.emptySlot {
            let index = Int(slots[slot])
            if keys[index].hash == hash, isEqual(keys[index], topic) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    @inline(__always)
    private func isEqual(_ key: Key, _ topic: UnsafeRawBufferPointer) -> Bool {
        guard key.count == topic.count, let base = topic.baseAddress else { return key.count == topic.count }
        return bytes.withUnsafeBytes { memcmp($0.baseAddress! + key.start, base, key.count) == 0 }
    }

    /// The topic must not be there.
    func insert(_ topic: UnsafeRawBufferPointer, hash: UInt64, _ entry: TopicEntry) -> Int {
        if count == TopicCache.maximumEntries { removeAll() }
        if count == entries.count { grow() }
        (keys.baseAddress! + count).initialize(to: Key(hash: hash, start: bytes.count, count: topic.count))
        (entries.baseAddress! + count).initialize(to: entry)
        bytes.append(contentsOf: topic)
        occupy(count)
        count += 1
        return count - 1
    }

    /// Each topic is matched anew: what is known about topics has changed.
    func removeAll() {
        slots.update(repeating: TopicCache.emptySlot)
        count = 0
        bytes.removeAll(keepingCapacity: true)
    }

    private func grow() {
        let (oldKeys, oldEntries) = (keys, entries)
        keys = .allocate(capacity: oldKeys.count * 2)
        entries = .allocate(capacity: oldEntries.count * 2)
        _ = keys.initialize(from: oldKeys[..<count])
        _ = entries.initialize(from: oldEntries[..<count])
        oldKeys.deallocate()
        oldEntries.deallocate()
        slots.deallocate()
        slots = .allocate(capacity: entries.count * 2)
        slots.initialize(repeating: TopicCache.emptySlot)
        for index in 0..<count { occupy(index) }
    }

    private func occupy(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: keys[index].hash) & mask
        while slots[slot] != TopicCache.emptySlot { slot = (slot + 1) & mask }
        slots[slot] = Int32(index)
    }

    /// Eight bytes at a time; good enough for a table whose chains are bounded by its size.
    @inline(__always)
    static func hash(_ topic: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: topic.count) &* 0x9E37_79B9_7F4A_7C15
        var at = 0
        while at + 8 <= topic.count {
            hash = mix(hash ^ topic.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        var tail: UInt64 = 0
        while at < topic.count {
            tail = tail << 8 | UInt64(topic[at])
            at += 1
        }
        return mix(hash ^ tail)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return high ^ low
    }
}
