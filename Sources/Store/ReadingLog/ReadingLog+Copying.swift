import Disk
import Records

extension ReadingLog {
    /// The file that the log writes into now and how many of its bytes are durable; nil before the first segment.
    /// A copy of the log takes no more of that file; all older files are whole.
    public var activeFile: (name: String, durableBytes: Int)? {
        let view = view
        return view.segments.last.map { (SegmentFile.name($0.number), view.durablePosition) }
    }

    /// Bytes of a segment of the log in `directory`, by the newest head that can be read; nil where there is none.
    public static func segmentSize(
        in directory: String, topic: Topic, partition: UInt32 = 0, fileSystem: any FileSystem
    ) -> Int? {
        let place = "\(directory)/\(topic.name)/\(partition)"
        guard let names = try? fileSystem.list(place) else { return nil }
        for number in names.compactMap(SegmentFile.number).sorted(by: >) {
            guard let file = try? fileSystem.open("\(place)/\(SegmentFile.name(number))", .read) else { continue }
            defer { file.close() }
            guard let page = try? file.read(at: 0, count: SegmentHeader.length) else { continue }
            if let header = try? SegmentHeader.decode(page) { return Int(header.size) }
        }
        return nil
    }
}
