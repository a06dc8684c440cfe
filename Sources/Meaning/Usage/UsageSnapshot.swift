import Metering
import Records
import Timekeeping

// The whole state as bytes: magic, version, content, CRC-32C of all before. Integers are varints, signed ones zigzag.
// Order is that of creation, or of keys where the state holds a dictionary: equal states give equal bytes.
extension UsageState {
    private static let magic: UInt32 = 0x4753_5565  // "eUSG"
    private static let version: UInt16 = 4
    /// In version 3 only registers had curves; in version 2 a source had a mark and the start of its segment, and a
    /// power's energy was in mWh.
    private static let oldestVersion: UInt16 = 2

    /// The state with everything that has not been taken yet.
    public func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 256 + sources.count * 160)
        out.fixed(UsageState.magic)
        out.fixed(UsageState.version)
        for counter in [late, refused, decisionsDropped, commandsRefused] { out.varint(counter) }
        let epoch = Timestamp(milliseconds: 0)
        out.varint(UInt64(devices.count))
        for device in devices.values.sorted(by: { $0.id < $1.id }) { out.record(.device(device), wall: epoch) }
        out.varint(UInt64(table.channels.count))
        for i in table.channels.indices {
            out.channel(table.key(i), floor: table.channels[i].floor, Touch.merged(touches(of: i)))
        }
        out.varint(UInt64(sources.count))
        for source in sources { out.source(source, source.track.line(effects.bytes)) }
        out.varint(UInt64(ready.count))
        for slot in ready { out.record(.slot(slot), wall: epoch) }
        out.varint(UInt64(decisions.count))
        for decision in decisions { out.decision(decision) }
        out.varint(UInt64(recomputes.count))
        for (key, recompute) in recomputes.sorted(by: { $0.key < $1.key }) {
            out.channelKey(key)
            out.signed(recompute.from.milliseconds)
            out.signed(recompute.to.milliseconds)
            out.varint(recompute.source)
        }
        out.varint(UInt64(corrections.count))
        for correction in corrections {
            let command = correction.command(actor: "", decided: epoch, reason: nil)
            out.record(.command(command), wall: epoch)
            out.varint(correction.isActive ? 1 : 0)
        }
        out.varint(UInt64(lateDays.count))
        for (series, day) in lateDays.sorted(by: { $0.key < $1.key }) {
            out.series(series)
            out.signed(day)
        }
        out.fixed(out.bytes.withUnsafeBytes { CRC32C.update(0, $0) })
        return out.bytes
    }

    /// Reads what `encoded` wrote. Throws a `RecordError` that names the place; a version that is not known is not
    /// read: the state is then made again from the log.
    public init(decoding bytes: [UInt8]) throws(RecordError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<UsageState, RecordError> in
            do throws(RecordError) {
                return .success(try UsageState(buffer))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private init(_ buffer: UnsafeRawBufferPointer) throws(RecordError) {
        self.init()
        guard buffer.count >= 10 else { throw RecordError(.truncated, at: buffer.count) }
        let body = UnsafeRawBufferPointer(rebasing: buffer.dropLast(4))
        var tail = ByteReader(UnsafeRawBufferPointer(rebasing: buffer.suffix(4)))
        guard try tail.fixed(UInt32.self) == CRC32C.update(0, body) else {
            throw RecordError(.badChecksum, at: body.count)
        }
        var reader = ByteReader(body)
        guard try reader.fixed(UInt32.self) == UsageState.magic else { throw RecordError(.badValue, at: 0) }
        let version = try reader.fixed(UInt16.self)
        guard (UsageState.oldestVersion...UsageState.version).contains(version) else {
            throw RecordError(.newerFormat, at: 4)
        }
        late = try reader.varint()
        refused = try reader.varint()
        decisionsDropped = try reader.varint()
        commandsRefused = try reader.varint()
        try readContent(&reader, version)
        guard reader.isAtEnd else { throw RecordError(.badValue, at: reader.position) }
        guard index() else { throw RecordError(.badValue, at: reader.position) }
        if version < 4 { expectCurves() }
        for i in table.channels.indices where table.channels[i].touch != nil { touched.append(Int32(i)) }
    }

    private mutating func readContent(_ reader: inout ByteReader, _ version: UInt16) throws(RecordError) {
        let epoch = Timestamp(milliseconds: 0)
        for _ in 0..<(try reader.count()) {
            guard case .device(let device) = try reader.record(wall: epoch) else {
                throw RecordError(.badValue, at: reader.position)
            }
            devices[device.id] = device
        }
        for _ in 0..<(try reader.count()) {
            let start = reader.position
            let key = try reader.channelKey()
            guard table.find(key) == nil, let channel = table.add(key) else { throw RecordError(.badValue, at: start) }
            table.channels[Int(channel)].floor = try reader.floor()
            replaceTouches(of: Int(channel), with: try reader.touches())
        }
        for _ in 0..<(try reader.count()) {
            let stored =
                version == 2
                ? try reader.sourceOfVersion2(channels: table.channels.count)
                : try reader.source(channels: table.channels.count)
            var source = FlowSource(
                channel: stored.channel, kind: kind(stored.quantity, stored.role, stored.traits))
            source.restore(stored, &effects.bytes)
            sources.append(source)
        }
        guard sources.count <= UsageLimits.maximumSources else { throw RecordError(.tooLong, at: reader.position) }
        for _ in 0..<(try reader.count()) {
            guard case .slot(let slot) = try reader.record(wall: epoch) else {
                throw RecordError(.badValue, at: reader.position)
            }
            ready.append(slot)
        }
        for _ in 0..<(try reader.count()) { decisions.append(try reader.decision()) }
        for _ in 0..<(try reader.count()) {
            let key = try reader.channelKey()
            let from = Timestamp(milliseconds: try reader.signed())
            let to = Timestamp(milliseconds: try reader.signed())
            recomputes[key] = Recompute(
                device: key.device, channel: key.channel, from: from, to: to, source: try reader.varint())
        }
        try readCorrections(&reader)
        for _ in 0..<(try reader.count()) {
            let series = try reader.series()
            lateDays[series] = try reader.signed()
        }
    }

    private mutating func readCorrections(_ reader: inout ByteReader) throws(RecordError) {
        let epoch = Timestamp(milliseconds: 0)
        let count = try reader.count()
        guard count <= UsageLimits.maximumCorrections else { throw RecordError(.tooLong, at: reader.position) }
        for _ in 0..<count {
            guard case .command(let command) = try reader.record(wall: epoch),
                var correction = try? Correction(command)
            else { throw RecordError(.badValue, at: reader.position) }
            correction.isActive = try reader.varint() != 0
            corrections.append(correction)
        }
    }
}
