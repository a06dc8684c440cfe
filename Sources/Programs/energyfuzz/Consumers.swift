import Disk
import Metering
import ReadingLog
import Records

/// A consumer at home: its state is a fold of the log, its snapshot holds the cursor, it holds the ring.
final class LocalConsumer {
    static let name = "consumer"
    private(set) var fold = FactModel.Fold()
    private var reader: any LogReader
    private(set) var gaps: [Gap] = []
    private(set) var isRewound = false

    var cursor: Cursor { reader.cursor }

    /// Goes on from the snapshot, or from the oldest record where there is none that can be read.
    init(_ log: ReadingLog, _ snapshots: SnapshotStore) {
        var cursor = Cursor.oldest
        if let snapshot = snapshots.read(LocalConsumer.name).snapshot, snapshot.payload.count >= 16 {
            cursor = snapshot.cursor
            fold = snapshot.payload.withUnsafeBytes {
                FactModel.Fold(
                    count: $0.loadUnaligned(as: UInt64.self),
                    hash: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
        }
        reader = log.reader(from: cursor)
        log.hold(LocalConsumer.name, at: cursor)
    }

    /// True when the durable end was reached.
    @discardableResult
    func follow(limitBytes: Int) throws -> Bool {
        try reader.read(limitBytes: limitBytes) { item in
            switch item {
            case .frame(let frame): try frame.records { fold.take($0, $1) }
            case .gap(let gap): gaps.append(gap)
            case .rewound: isRewound = true
            }
        }
    }

    func takeGaps() -> [Gap] {
        defer { gaps = [] }
        return gaps
    }

    /// `cursor`: what it holds for; another than its own is the mistake that a canary makes.
    func snapshot(_ log: ReadingLog, _ snapshots: SnapshotStore, padding: Int, at cursor: Cursor) throws {
        var payload: [UInt8] = []
        withUnsafeBytes(of: (fold.count.littleEndian, fold.hash.littleEndian)) { payload.append(contentsOf: $0) }
        payload.append(contentsOf: repeatElement(UInt8(truncatingIfNeeded: fold.hash), count: padding))
        try snapshots.write(Snapshot(version: 1, cursor: cursor, payload: payload), as: LocalConsumer.name)
        log.hold(LocalConsumer.name, at: cursor)
    }
}

/// A server far away: it keeps what it was sent whatever happens here, and holds nothing.
struct RemoteConsumer {
    private struct Identity: Hashable {
        let epoch: UInt64
        let offset: UInt64
    }

    private(set) var cursor = Cursor.oldest
    /// The highest cursor it ever had: a log that ends below must not give the offsets up to here to other records.
    private(set) var highest = Cursor.oldest
    private var received: [Identity: Record] = [:]

    /// Why a server could not go on from here; nil when all is well.
    private(set) var complaint: String?

    /// Sends what is durable; `isHonest`: nothing may be damaged or gone that was durable.
    mutating func read(_ log: ReadingLog, limitBytes: Int, isHonest: Bool) throws {
        let reader = log.reader(from: cursor)
        var expected = cursor
        defer {
            cursor = reader.cursor
            if cursor.offset > highest.offset { highest = cursor }
        }
        _ = try reader.read(limitBytes: limitBytes) { item in
            switch item {
            case .frame(let frame):
                if expected != .oldest, frame.offsets.lowerBound != expected.offset {
                    complaint = "sent \(frame.offsets) after \(expected.offset) without a gap"
                }
                try frame.records { offset, record in
                    let identity = Identity(epoch: frame.header.epoch, offset: offset)
                    if let before = received.updateValue(record, forKey: identity), before != record {
                        complaint = "sent two records as epoch \(identity.epoch) offset \(offset)"
                    }
                    if offset >= log.durable.offset { complaint = "sent \(offset), which is not durable" }
                }
                expected = Cursor(epoch: frame.header.epoch, offset: frame.offsets.upperBound)
            case .gap(let gap):
                if expected != .oldest, gap.first != expected.offset {
                    complaint = "a gap at \(gap.first) after \(expected.offset)"
                }
                expected.offset = gap.end
            case .rewound(let from, let to):
                if isHonest { complaint = "what was sent is gone: \(from) to \(to)" }
                expected = to
            }
        }
    }
}
