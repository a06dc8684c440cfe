import Disk
import Records

/// One flush on its way into a segment: whole pages, one behind the other, in pieces, so that a long flush takes no
/// more memory than a short one; then one sync.
struct PageBuffer {
    private static let largestPiece = 128 << 10

    private let file: any File
    private let piece: Int
    private var writer: ByteWriter
    /// Where the file has what `writer` has not any more.
    private var written: Int

    /// `start` is a page boundary.
    init(_ file: any File, at start: Int, piece: Int) {
        self.file = file
        self.piece = min(PageBuffer.largestPiece, piece)
        written = start
        writer = ByteWriter()
    }

    /// Where the next frame begins.
    var end: Int { written + writer.bytes.count }

    /// Adds a frame of segment `segment`, which then ends at a multiple of 8.
    mutating func append(_ frame: ClosedFrame, segment: UInt64) throws(DiskError) {
        var header = frame.header
        header.segment = segment
        header.position = UInt32(end)
        Frame.encode(header, dictionary: frame.dictionary, records: frame.records, to: &writer)
        pad(to: 8)
        if writer.bytes.count >= piece { try write() }
    }

    /// Writes what is left, with zeros up to the end of its page, and makes all of it durable.
    mutating func finish() throws(DiskError) {
        pad(to: SegmentHeader.pageSize)
        try write()
        try file.sync()
    }

    private mutating func pad(to size: Int) {
        let rest = writer.bytes.count % size
        if rest > 0 { writer.bytes.append(contentsOf: repeatElement(0, count: size - rest)) }
    }

    /// Writes the pages that are full.
    private mutating func write() throws(DiskError) {
        let count = writer.bytes.count / SegmentHeader.pageSize * SegmentHeader.pageSize
        if count == 0 { return }
        var failure: DiskError?
        writer.bytes.withUnsafeBytes { bytes in
            do throws(DiskError) {
                try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: Int64(written))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        writer.bytes.removeFirst(count)
        written += count
    }
}
