import Disk
import Records

// A disk can be pulled while its log is open, and on its return another may lie in its place.
extension ReadingLog {
    /// Throws unless the newest segment lies where it was written: nothing is written into, and nothing believed of,
    /// a directory of somebody else.
    func checkPlace() throws(LogError) {
        guard let newest = view.segments.last else { return }
        let path = directory + "/" + SegmentFile.name(newest.number)
        do throws(DiskError) {
            let file = try fileSystem.open(path, .read)
            defer { file.close() }
            let bytes = try file.read(at: 0, count: SegmentHeader.length)
            if let header = try? SegmentHeader.decode(bytes), header.gateway == options.gateway,
                header.number == newest.number, header.epoch == newest.epoch, header.firstOffset == newest.firstOffset
            {
                return
            }
        } catch {
            guard error.isMissing else { throw LogError(options.topic, .disk(error)) }
        }
        throw LogError(options.topic, .displaced(directory: directory))
    }
}
