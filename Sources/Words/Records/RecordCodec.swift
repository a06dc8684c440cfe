import Metering
import Timekeeping

extension ByteWriter {
    /// Kind, length, body. `wall` is the frame's; readings store their receive time relative to it.
    ///
    /// Whatever is written can be read: texts and lists beyond their limits are cut, times outside
    /// `Timestamp.validRange` moved to its ends. Who makes a record checks before; this only keeps one odd value from
    /// making a whole frame unreadable.
    public mutating func record(_ record: Record, wall: Timestamp) {
        varint(record.kind)
        prefixed(nested: { $0.body(record, wall: wall) })
    }

    private mutating func body(_ record: Record, wall: Timestamp) {
        switch record {
        case .readings(let readings): self.readings(readings, wall: wall)
        case .device(let device): self.device(device)
        case .settings(let settings): self.settings(settings)
        case .command(let command): self.command(command)
        case .clock(let clock):
            field(1, signed: clock.offset)
            field(2, unsigned: clock.synchronized ? 1 : 0)
            field(3, signed: clock.at.valid.milliseconds)
        case .gap(let gap):
            field(1, unsigned: gap.epoch)
            field(2, unsigned: gap.first)
            field(3, unsigned: gap.end)
            field(4, unsigned: gap.reason.rawValue)
        case .slot(let slot): self.slot(slot)
        case .prices(let run): self.prices(run)
        case .unknown(_, let content): bytes.append(contentsOf: content)
        }
    }

    /// One run per receive time: signed(received − wall), count, then the readings.
    ///
    /// `ReadingBuffer` has the form of a reading.
    private mutating func readings(_ readings: [Reading], wall: Timestamp) {
        readings.withUnsafeBufferPointer { readings in
            var i = 0
            while i < readings.count {
                let received = readings[i].received
                var end = i + 1
                while end < readings.count, readings[end].received.milliseconds == received.milliseconds { end += 1 }
                let receivedKept = received.valid
                signed(receivedKept.milliseconds &- wall.milliseconds)
                varint(UInt64(end - i))
                while i < end {
                    let chunk = UnsafeBufferPointer(rebasing: readings[i..<min(end, i + ReadingBuffer.capacity)])
                    withUnsafeTemporaryAllocation(byteCount: ReadingBuffer.byteCount, alignment: 1) { memory in
                        let written = ReadingBuffer.write(chunk, received: receivedKept, to: memory)
                        bytes.append(contentsOf: memory[..<written])
                    }
                    i += chunk.count
                }
            }
        }
    }

    private mutating func command(_ command: Command) {
        field(1) { $0.identifier(command.id) }
        field(2, text: command.actor, limit: 256)
        field(3, unsigned: command.verb.rawValue)
        for argument in command.arguments.prefix(Command.maximumArguments) {
            field(4) {
                $0.field(1, text: argument.name, limit: 64)
                $0.field(2, text: argument.value, limit: 4096)
            }
        }
    }

    private mutating func slot(_ slot: SlotUsage) {
        field(1) { $0.identifier(slot.device) }
        field(2, slot.channel.name.utf8)
        field(3, signed: slot.slot.index)
        if let value = slot.imported { field(4, signed: value) }
        if let value = slot.exported { field(5, signed: value) }
        if let value = slot.produced { field(6, signed: value) }
        if let value = slot.charged { field(7, signed: value) }
        if let value = slot.discharged { field(8, signed: value) }
        field(9, signed: slot.estimated)
        field(10, signed: max(0, min(slot.measuredTime, Slot.length)))
        field(11, signed: max(0, min(slot.filledTime, Slot.length)))
        field(12, unsigned: slot.source)
    }

    /// Sixteen bytes, high half first, each half little-endian.
    public mutating func identifier<Kind>(_ id: PermanentID<Kind>) {
        fixed(id.high)
        fixed(id.low)
    }
}

extension ByteReader {
    /// What the writer's `identifier` wrote.
    public mutating func identifier<Kind>() throws(RecordError) -> PermanentID<Kind> {
        let high: UInt64 = try fixed()
        let low: UInt64 = try fixed()
        return PermanentID(high: high, low: low)
    }

    /// The next record. Positions in errors count from the start of this reader.
    public mutating func record(wall: Timestamp) throws(RecordError) -> Record {
        let kind = try varint()
        let content = try prefixed()
        let start = position - content.count
        var body = ByteReader(content)
        do throws(RecordError) {
            return try body.record(kind: kind, wall: wall)
        } catch {
            if error.kind == .unknownCode { return .unknown(kind: kind, body: Array(content)) }
            throw RecordError(error.kind, at: start + error.position)
        }
    }

    private mutating func record(kind: UInt64, wall: Timestamp) throws(RecordError) -> Record {
        switch kind {
        case 1: .readings(try readings(wall: wall))
        case 2: .device(try device())
        case 3: .settings(try settings())
        case 4: .command(try command())
        case 5: .clock(try clock())
        case 6: .gap(try gap())
        case 7: .slot(try slot())
        case 8: .prices(try prices())
        default: .unknown(kind: kind, body: wholeBytes())
        }
    }

    private mutating func clock() throws(RecordError) -> ClockState {
        var clock = ClockState(offset: 0, synchronized: false, at: Timestamp(milliseconds: 0))
        try fields(required: 0b1110) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: clock.offset = try field.signed()
            case 2: clock.synchronized = try field.varint() != 0
            case 3: clock.at = try field.instant()
            default: break
            }
        }
        return clock
    }

    private mutating func gap() throws(RecordError) -> Gap {
        var gap = Gap(epoch: 0, first: 0, end: 0, reason: .overwritten)
        try fields(required: 0b1_1110) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: gap.epoch = try field.varint()
            case 2: gap.first = try field.varint()
            case 3: gap.end = try field.varint()
            case 4:
                let code = try field.varint()
                guard let reason = Gap.Reason(rawValue: code) else { throw RecordError(.unknownCode, at: 0) }
                gap.reason = reason
            default: break
            }
        }
        guard gap.first <= gap.end else { throw RecordError(.badValue, at: position) }
        return gap
    }

    private mutating func command() throws(RecordError) -> Command {
        var id: CommandID?
        var actor = ""
        var verb: Command.Verb?
        var arguments: [Command.Argument] = []
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: id = try field.identifier()
            case 2: actor = try field.wholeText(limit: 256)
            case 3:
                verb = Command.Verb(rawValue: try field.varint())
                if verb == nil { throw RecordError(.unknownCode, at: 0) }
            case 4:
                guard arguments.count < Command.maximumArguments else { throw RecordError(.tooLong, at: 0) }
                var argument = Command.Argument(name: "", value: "")
                try field.fields(required: 0b110) { (tag, field) throws(RecordError) in
                    switch tag {
                    case 1: argument.name = try field.wholeText(limit: 64)
                    case 2: argument.value = try field.wholeText(limit: 4096)
                    default: break
                    }
                }
                arguments.append(argument)
            default: break
            }
        }
        guard let id, let verb else { throw RecordError(.missingField, at: position) }
        return Command(id: id, actor: actor, verb: verb, arguments: arguments)
    }

    private mutating func slot() throws(RecordError) -> SlotUsage {
        var slot = SlotUsage(device: DeviceID(high: 0, low: 0), channel: .total, slot: Slot(index: 0))
        try fields(required: 0b1_0000_0000_1110) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: slot.device = try field.identifier()
            case 2:
                guard let channel = Channel(try field.wholeText(limit: Channel.maximumLength)) else {
                    throw RecordError(.badValue, at: 0)
                }
                slot.channel = channel
            case 3:
                slot.slot = Slot(index: try field.signed())
                // First the index: the start of a slot far outside would overflow.
                guard slot.slot >= .first, slot.slot <= .last else { throw RecordError(.badValue, at: 0) }
            case 4: slot.imported = try field.signed()
            case 5: slot.exported = try field.signed()
            case 6: slot.produced = try field.signed()
            case 7: slot.charged = try field.signed()
            case 8: slot.discharged = try field.signed()
            case 9: slot.estimated = try field.signed()
            case 10: slot.measuredTime = try field.slotTime()
            case 11: slot.filledTime = try field.slotTime()
            case 12: slot.source = try field.varint()
            default: break
            }
        }
        return slot
    }

    private mutating func slotTime() throws(RecordError) -> Int64 {
        let span = try signed()
        guard span >= 0, span <= Slot.length else { throw RecordError(.badValue, at: 0) }
        return span
    }

    /// A time stored relative to `start`.
    @inline(__always)
    mutating func time(after start: Timestamp) throws(RecordError) -> Timestamp {
        let time = start.milliseconds &+ (try signed())
        // As integers: a range of timestamps compares through witnesses, and this is done for every reading.
        guard time >= 0, time <= RecordLimits.latestTime else { throw RecordError(.badValue, at: position) }
        return Timestamp(milliseconds: time)
    }

    /// A time of its own.
    mutating func instant() throws(RecordError) -> Timestamp {
        try time(after: Timestamp(milliseconds: 0))
    }
}

extension Timestamp {
    /// Itself, or the nearest end of the range that readers accept.
    var valid: Timestamp {
        max(Timestamp.validRange.lowerBound, min(self, Timestamp.validRange.upperBound))
    }
}

extension Slot {
    /// The slots that hold a time of `Timestamp.validRange`.
    static let first = Slot(containing: Timestamp.validRange.lowerBound)
    static let last = Slot(containing: Timestamp.validRange.upperBound)
}

private enum RecordLimits {
    /// The end of `Timestamp.validRange`, which begins at 0.
    static let latestTime: Int64 = 253_402_300_799_999
}
