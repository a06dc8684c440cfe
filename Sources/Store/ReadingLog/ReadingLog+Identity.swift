import Disk
import Metering
import Records

extension ReadingLog {
    /// Whose log lies in `directory`: the gateway in the newest segment header of the topic that can be read; nil where
    /// there is none. Opens nothing for writing; what the disk refuses counts as not there.
    public static func gateway(
        in directory: String, topic: Topic = .facts, partition: UInt32 = 0, fileSystem: any FileSystem
    ) -> GatewayID? {
        let place = "\(directory)/\(topic.name)/\(partition)"
        guard let names = try? fileSystem.list(place) else { return nil }
        for number in names.compactMap(SegmentFile.number).sorted(by: >) {
            guard let file = try? fileSystem.open("\(place)/\(SegmentFile.name(number))", .read) else { continue }
            defer { file.close() }
            guard let page = try? file.read(at: 0, count: SegmentHeader.length) else { continue }
            if let header = try? SegmentHeader.decode(page), header.topic == topic { return header.gateway }
        }
        return nil
    }
}
