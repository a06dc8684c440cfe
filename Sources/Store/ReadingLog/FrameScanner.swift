import Disk
import Glibc
import Records

/// Walks the frames of one segment file in the order of their positions, a window at a time. Bytes that are no frame
/// of this segment at this position are stepped over: padding, damage, what a recycled file held before.
final class FrameScanner {
    enum Found {
        /// The bytes are the whole frame, valid until the next call.
        case frame(FrameHeader, at: Int, UnsafeRawBufferPointer)
        /// An intact frame of a later version.
        case newer(at: Int)
        /// A header of this segment at its right place, but not the frame that it promises.
        case broken(at: Int, length: Int)
        case end
    }

    private let file: any File
    private let segment: UInt64
    private let epoch: UInt64
    /// No frame begins or ends beyond.
    private let end: Int
    private(set) var position: Int
    private var buffer: UnsafeMutableRawBufferPointer
    /// What the buffer holds of the file: `start ..< start + count`.
    private var start = 0
    private var count = 0

    private static let window = 256 << 10

    init(_ file: any File, of segment: SegmentInfo, from position: Int, to end: Int) {
        self.file = file
        self.segment = segment.number
        epoch = segment.epoch
        self.position = position
        self.end = end
        let size = max(FrameHeader.size, min(FrameScanner.window, end - position))
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    }

    deinit { buffer.deallocate() }

    func next() throws(DiskError) -> Found {
        while end - position >= FrameHeader.size, try fill(FrameHeader.size) {
            guard let length = promisedLength() else {
                stepOver()
                continue
            }
            let found = position
            position += 8
            guard FrameHeader.size...FrameHeader.maximumLength ~= length, length <= end - found else {
                return .broken(at: found, length: FrameHeader.size)
            }
            position = found
            guard try fill(length) else {
                position = found + 8
                return .broken(at: found, length: length)
            }
            return classify(length)
        }
        position = end
        return .end
    }

    private func classify(_ length: Int) -> Found {
        let found = position
        let offset = position - start
        let frame = UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + length])
        do throws(RecordError) {
            let header = try Frame.header(frame)
            position = found + (length + 7) & ~7
            return .frame(header, at: found, frame)
        } catch {
            guard error.kind == .newerFormat else {
                position = found + 8
                return .broken(at: found, length: length)
            }
            position = found + (length + 7) & ~7
            return .newer(at: found)
        }
    }

    /// The length that a header of this segment and this position states; nil where no such header lies.
    private func promisedLength() -> Int? {
        let at = position - start
        guard load(at, UInt32.self) == FrameHeader.magic, load(at + 16, UInt64.self) == segment,
            load(at + 24, UInt32.self) == UInt32(truncatingIfNeeded: position),
            // A segment of this number that a lying disk has lost may have left frames in the same file.
            load(at + 32, UInt64.self) == epoch
        else { return nil }
        return Int(load(at + 8, UInt32.self))
    }

    /// On to the next place in the window that may begin a frame.
    private func stepOver() {
        var at = position - start + 8
        let last = count - FrameHeader.size
        let firstByte = CInt(FrameHeader.magic & 0xFF)
        while at <= last, let base = buffer.baseAddress {
            // Most of a segment that is not full yet is zero, which memchr crosses fastest.
            guard let hit = memchr(base + at, firstByte, count - at) else {
                at = (last + 8) & ~7
                break
            }
            let found = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
            at = (found + 7) & ~7
            if at == found, at <= last, load(at, UInt32.self) == FrameHeader.magic { break }
            if at == found { at += 8 }
        }
        position = start + at
    }

    private func load<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _ type: T.Type) -> T {
        T(littleEndian: buffer.loadUnaligned(fromByteOffset: at, as: type))
    }

    /// Brings `length` bytes from the position on into the buffer; false where the file ends before.
    private func fill(_ length: Int) throws(DiskError) -> Bool {
        if position >= start, position + length <= start + count { return true }
        if length > buffer.count {
            buffer.deallocate()
            buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 8)
        }
        start = position
        count = 0
        let wanted = min(buffer.count, end - position)
        count = try file.read(
            at: Int64(position), into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        return count >= length
    }
}
