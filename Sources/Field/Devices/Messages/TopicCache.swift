import Glibc
import Metering

/// What a topic was found to be, so that the next message on it need not be matched again.
struct TopicEntry {
    enum Meaning {
        case notMine
        case json(tree: Int, root: [String])
        /// A single number, and what it measures.
        case number(field: Field, channel: Channel)
        case availability(online: [[UInt8]], offline: [[UInt8]])
        case ignored
        /// Our pattern with a part that makes no sense: each message on it is an error.
        case wrong(DecodeError)
    }

    let meaning: Meaning
    let profile: Int
    let deviceRange: Range<Int>
    /// -1 until the topic gave a first value.
    var device = -1
}

/// Topic bytes → entry, bounded: when it is full it starts again from nothing, which costs one match per topic.
struct TopicCache {
    /// Topics of 2,000 plugs with some to spare.
    static let maximumEntries = 8192
    private static let emptySlot: Int32 = -1

    private struct Key {
        let hash: UInt64
        let start: Int
        let count: Int
    }

    private var slots: [Int32]
    private var keys: [Key] = []
    private var bytes: [UInt8] = []
    private(set) var entries: [TopicEntry] = []

    init() {
        slots = Array(repeating: TopicCache.emptySlot, count: 256)
    }

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

    private func isEqual(_ key: Key, _ topic: UnsafeRawBufferPointer) -> Bool {
        guard key.count == topic.count, let base = topic.baseAddress else { return key.count == topic.count }
        return bytes.withUnsafeBytes { memcmp($0.baseAddress! + key.start, base, key.count) == 0 }
    }

    /// The topic must not be there.
    mutating func insert(_ topic: UnsafeRawBufferPointer, hash: UInt64, _ entry: TopicEntry) -> Int {
        if entries.count == TopicCache.maximumEntries { self = TopicCache() }
        keys.append(Key(hash: hash, start: bytes.count, count: topic.count))
        bytes.append(contentsOf: topic)
        entries.append(entry)
        if entries.count * 2 > slots.count { grow() } else { occupy(entries.count - 1) }
        return entries.count - 1
    }

    mutating func setDevice(_ device: Int, at index: Int) {
        entries[index].device = device
    }

    private mutating func grow() {
        slots = Array(repeating: TopicCache.emptySlot, count: slots.count * 2)
        for index in entries.indices { occupy(index) }
    }

    private mutating func occupy(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: keys[index].hash) & mask
        while slots[slot] != TopicCache.emptySlot { slot = (slot + 1) & mask }
        slots[slot] = Int32(index)
    }

    /// Eight bytes at a time; good enough for a table whose chains are bounded by its size.
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

    private static func mix(_ value: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return high ^ low
    }
}
