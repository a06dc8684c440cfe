/// The content of a compiled time zone file (TZif versions 1 to 4, RFC 9636), checked.
struct TZifFile {
    /// UTC seconds, strictly rising.
    var transitions: [Int64] = []
    /// For each transition, the index in `types` of what begins there.
    var typeOfTransition: [Int] = []
    /// Never empty; the first is what goes before the first transition.
    var types: [LocalTimeType] = []
    /// What goes after the last transition; nil when the file says nothing.
    var rule: ZoneRule?

    /// Larger than any file of a zone: the longest has about 3.5 KiB.
    static let maximumSize = 256 * 1024

    init(name: String, bytes: [UInt8]) throws(ZoneError) {
        guard bytes.count <= TZifFile.maximumSize else {
            throw ZoneError(zone: name, offset: TZifFile.maximumSize, reason: .inconsistent("the file is too large"))
        }
        var reader = Reader(zone: name, bytes: bytes)
        var header = try reader.header()
        guard header.version >= UInt8(ascii: "2") else {
            try readBlock(header, from: &reader, timeSize: 4)
            return
        }
        // Newer files repeat everything in 64 bits after the block for old readers.
        try reader.skip(header.blockSize(timeSize: 4))
        header = try reader.header()
        try readBlock(header, from: &reader, timeSize: 8)
        try readFooter(from: &reader)
    }

    private mutating func readBlock(
        _ header: Header, from reader: inout Reader, timeSize: Int
    ) throws(ZoneError) {
        let block = reader.position
        guard header.blockSize(timeSize: timeSize) <= reader.bytes.count - block else {
            throw reader.error(.truncated, at: reader.bytes.count)
        }
        guard header.leapCount == 0 else { throw reader.error(.leapSeconds, at: block) }
        for _ in 0..<header.timeCount {
            let at = reader.position
            let time = try reader.signed(timeSize)
            // Lower bound: "the beginning of time" of zic is -2^59. Upper: the year 36 812.
            guard time >= -(1 << 60), time <= 1 << 40 else {
                throw reader.error(.inconsistent("a transition is out of range"), at: at)
            }
            if let last = transitions.last, last >= time {
                throw reader.error(.inconsistent("the transitions are not in order"), at: at)
            }
            transitions.append(time)
        }
        for _ in 0..<header.timeCount {
            let at = reader.position
            let type = Int(try reader.unsigned(1))
            guard type < header.typeCount else {
                throw reader.error(.inconsistent("a transition leads to no local time type"), at: at)
            }
            typeOfTransition.append(type)
        }
        let names = reader.position + 6 * header.typeCount
        for _ in 0..<header.typeCount {
            types.append(try readType(from: &reader, names: names..<names + header.nameLength))
        }
        try reader.skip(header.nameLength + header.standardCount + header.universalCount)
    }

    private func readType(from reader: inout Reader, names: Range<Int>) throws(ZoneError) -> LocalTimeType {
        let at = reader.position
        let offset = Int(try reader.signed(4))
        let daylight = try reader.unsigned(1)
        let index = names.lowerBound + Int(try reader.unsigned(1))
        guard LocalTimeType.offsetRange.contains(offset), daylight <= 1, names.contains(index),
            let end = reader.bytes[index..<names.upperBound].firstIndex(of: 0)
        else { throw reader.error(.inconsistent("a local time type is damaged"), at: at) }
        let name = reader.bytes[index..<end]
        guard name.count <= 16, name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw reader.error(.inconsistent("an abbreviation is damaged"), at: index)
        }
        return LocalTimeType(
            offset: offset, isDaylight: daylight == 1, abbreviation: String(decoding: name, as: UTF8.self))
    }

    /// A line feed, the rule, a line feed. Nothing at all counts as no rule: some writers leave the footer out.
    private mutating func readFooter(from reader: inout Reader) throws(ZoneError) {
        let begin = reader.position
        guard begin < reader.bytes.count else { return }
        guard reader.bytes[begin] == UInt8(ascii: "\n") else {
            throw reader.error(.badRule("a line feed must stand before it"), at: begin)
        }
        guard let end = reader.bytes[(begin + 1)...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw reader.error(.truncated, at: reader.bytes.count)
        }
        guard end > begin + 1 else { return }
        do throws(ZoneRuleError) {
            rule = try ZoneRule(reader.bytes[begin + 1..<end])
        } catch {
            throw reader.error(.badRule("expected \(error.expected)"), at: begin + 1 + error.position)
        }
    }
}

private struct Header {
    let version: UInt8
    let universalCount: Int
    let standardCount: Int
    let leapCount: Int
    let timeCount: Int
    let typeCount: Int
    let nameLength: Int

    func blockSize(timeSize: Int) -> Int {
        timeCount * (timeSize + 1) + typeCount * 6 + nameLength + leapCount * (timeSize + 4) + standardCount
            + universalCount
    }
}

private struct Reader {
    let zone: String
    let bytes: [UInt8]
    var position = 0

    init(zone: String, bytes: [UInt8]) {
        self.zone = zone
        self.bytes = bytes
    }

    mutating func header() throws(ZoneError) -> Header {
        let begin = position
        guard bytes[begin...].starts(with: "TZif".utf8) else { throw error(.notTZif, at: begin) }
        try skip(4)
        let version = UInt8(try unsigned(1))
        try skip(15)
        // A count is at most 2^32 - 1, so that sizes in Int cannot overflow.
        let counts = Header(
            version: version, universalCount: Int(try unsigned(4)), standardCount: Int(try unsigned(4)),
            leapCount: Int(try unsigned(4)), timeCount: Int(try unsigned(4)), typeCount: Int(try unsigned(4)),
            nameLength: Int(try unsigned(4)))
        guard (1...256).contains(counts.typeCount), counts.nameLength >= 1,
            [0, counts.typeCount].contains(counts.universalCount), [0, counts.typeCount].contains(counts.standardCount)
        else { throw error(.inconsistent("the counts in its header contradict each other"), at: begin + 20) }
        return counts
    }

    mutating func skip(_ count: Int) throws(ZoneError) {
        guard count <= bytes.count - position else { throw error(.truncated, at: bytes.count) }
        position += count
    }

    /// Big-endian.
    mutating func unsigned(_ size: Int) throws(ZoneError) -> UInt64 {
        guard size <= bytes.count - position else { throw error(.truncated, at: bytes.count) }
        var value: UInt64 = 0
        for byte in bytes[position..<position + size] { value = value << 8 | UInt64(byte) }
        position += size
        return value
    }

    mutating func signed(_ size: Int) throws(ZoneError) -> Int64 {
        let value = try unsigned(size)
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    func error(_ reason: ZoneError.Reason, at offset: Int) -> ZoneError {
        ZoneError(zone: zone, offset: offset, reason: reason)
    }
}
