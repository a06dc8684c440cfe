import Metering
import Records
import Timekeeping

/// A topic of one partition: records with offsets, appended by one gateway, read by any number of consumers.
///
/// Any thread may call; calls that reach the disk block, so they belong on a thread of their own.
public protocol Log: AnyObject, Sendable {
    /// Everything before it survives a crash. Consumers commit, send and notify only what lies before.
    var durable: Cursor { get }
    /// Where the next appended record goes.
    var end: Cursor { get }
    /// Takes `records` over, in order and all or none; returns where the first one lies. Blocks only when the
    /// memory for records before a flush is used up. When the disk does not take them either, the oldest readings
    /// that wait are given up, counted, and a gap (`dropped`) stands where they were.
    @discardableResult
    func append(_ records: [Record]) throws(LogError) -> Cursor
    /// Makes all that was appended durable. With nothing to write and `heartbeat` it writes an empty frame, so that
    /// log time goes on. After an error nothing new is durable and the next flush tries again.
    func flush(heartbeat: Bool) throws(LogError)
    /// Why the last flush failed; nil when it did not. Meanwhile records wait in memory.
    var trouble: LogError? { get }
    /// A consumer's place in the log from `cursor` on.
    func reader(from cursor: Cursor) -> any LogReader
    /// The number of `key`, given now if it has none. It is declared on disk before anything that uses it.
    func number(for key: SeriesKey) throws(LogError) -> SeriesNumber
    /// What `number` stands for; nil when damage took the declaration.
    func key(for number: SeriesNumber) -> SeriesKey?
    /// Keeps the ring from overwriting what `consumer` still needs: everything from `cursor` on.
    func hold(_ consumer: String, at cursor: Cursor)
    /// Calls `body` on the flushing thread each time that more has become durable, until `stopNotifying`. `body` must
    /// not block and must not call the log.
    func notify(_ body: @escaping @Sendable () -> Void) -> NotificationID
    func stopNotifying(_ id: NotificationID)
}

/// One `notify` call.
public struct NotificationID: Hashable, Sendable {
    let value: UInt64
}

/// One consumer's place in a log. Used by one thread at a time.
public protocol LogReader: AnyObject {
    /// The first record that was not delivered yet.
    var cursor: Cursor { get }
    /// Calls `body` for what is durable from the cursor on, frame by frame, until about `limitBytes` of frames went
    /// by or the durable end is reached. Returns whether that end was reached. When `body` throws, its item is
    /// delivered again by the next call.
    func read(limitBytes: Int, _ body: (LogItem) throws -> Void) throws -> Bool
}

extension LogReader {
    /// Reads on to the durable end.
    public func readAll(_ body: (LogItem) throws -> Void) throws {
        while try !read(limitBytes: 1 << 20, body) {}
    }
}

extension Cursor {
    /// Wherever the log begins: for a consumer that has nothing yet.
    public static let oldest = Cursor(epoch: 0, offset: 0)
}

/// What a reader meets.
public enum LogItem {
    case frame(LogFrame)
    /// Offsets that no longer exist: overwritten by the ring, damaged, or given up before they reached the disk.
    case gap(Gap)
    /// The cursor lay where this log has nothing (a disk that lied about durability, a restored or exchanged card):
    /// the reader goes on at `to`. What the consumer knows from beyond is not in the log.
    case rewound(from: Cursor, to: Cursor)
}

/// A frame while its reader's `body` runs.
public struct LogFrame {
    public let header: FrameHeader
    /// The offsets that `records` delivers; empty for a heartbeat.
    public let offsets: Range<UInt64>
    /// The whole frame; valid during the call only.
    public let bytes: UnsafeRawBufferPointer

    /// The home's log time: everything before this instant has been received when the frame has been read.
    public var wall: Timestamp { header.wall }
    public var isHeartbeat: Bool { header.count == 0 }

    /// Calls `body` with each record of the frame that the consumer has not had yet.
    public func records(_ body: (UInt64, Record) throws -> Void) throws {
        try Frame.records(bytes, header) { offset, record in
            if offsets.contains(offset) { try body(offset, record) }
        }
    }

    /// Calls `body` with the readings that the consumer has not had yet, some at a time and in order, without making
    /// records of them.
    public func readings(_ body: (UnsafeBufferPointer<Reading>) -> Void) throws {
        try Frame.readings(bytes, header, offsets: offsets, body)
    }

    /// The series that the frame declares, in order.
    public func dictionary() throws(RecordError) -> [(SeriesNumber, SeriesKey)] {
        try Frame.dictionary(bytes, header)
    }
}
