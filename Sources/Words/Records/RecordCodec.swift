import Metering
import Timekeeping

extension ByteWriter {
    /// Kind, length, body. `wall` is the frame's; readings store their receive time relative to it.
    package mutating func record(_ record: Record, wall: Timestamp) {
        varint(record.kind)
        var body = ByteWriter()
        switch record {
        case .readings(let readings): body.readings(readings, wall: wall)
        case .device(let device): body.device(device)
        case .settings(let settings): body.settings(settings)
        case .command(let command): body.command(command)
        case .clock(let clock):
            body.field(1, signed: clock.offset)
            body.field(2, unsigned: clock.synchronized ? 1 : 0)
            body.field(3, signed: clock.at.milliseconds)
        case .gap(let gap):
            body.field(1, unsigned: gap.epoch)
            body.field(2, unsigned: gap.first)
            body.field(3, unsigned: gap.end)
            body.field(4, unsigned: gap.reason.rawValue)
        case .slot(let slot): body.slot(slot)
        case .unknown(_, let bytes): body.bytes = bytes
        }
        prefixed(body.bytes)
    }

    /// One run per receive time: signed(received − wall), count, then the readings.
    ///
    /// A reading: varint(series × 4 + hasFlags × 2 + hasTime), [signed(time − received)], signed(value), [varint(flags)].
    private mutating func readings(_ readings: [Reading], wall: Timestamp) {
        var i = 0
        while i < readings.count {
            let received = readings[i].received
            var end = i + 1
            while end < readings.count, readings[end].received == received { end += 1 }
            signed(received.milliseconds &- wall.milliseconds)
            varint(UInt64(end - i))
            for reading in readings[i..<end] {
                let hasTime = reading.time != received
                let hasFlags = !reading.flags.isEmpty
                varint(UInt64(reading.series.value) << 2 | (hasFlags ? 2 : 0) | (hasTime ? 1 : 0))
                if hasTime { signed(reading.time.milliseconds &- received.milliseconds) }
                signed(reading.value)
                if hasFlags { varint(UInt64(reading.flags.rawValue)) }
            }
            i = end
        }
    }

    private mutating func command(_ command: Command) {
        field(1) { $0.identifier(command.id) }
        field(2, text: command.actor)
        field(3, unsigned: command.verb.rawValue)
        for argument in command.arguments {
            field(4) {
                $0.field(1, text: argument.name)
                $0.field(2, text: argument.value)
            }
        }
    }

    private mutating func slot(_ slot: SlotUsage) {
        field(1) { $0.identifier(slot.device) }
        field(2, text: slot.channel.name)
        field(3, signed: slot.slot.index)
        if let value = slot.imported { field(4, signed: value) }
        if let value = slot.exported { field(5, signed: value) }
        if let value = slot.produced { field(6, signed: value) }
        if let value = slot.charged { field(7, signed: value) }
        if let value = slot.discharged { field(8, signed: value) }
        field(9, signed: slot.estimated)
        field(10, signed: slot.measuredTime)
        field(11, signed: slot.filledTime)
        field(12, unsigned: slot.source)
    }

    /// Sixteen bytes, high half first, each half little-endian.
    package mutating func identifier<Kind>(_ id: PermanentID<Kind>) {
        fixed(id.high)
        fixed(id.low)
    }
}

extension ByteReader {
    package mutating func identifier<Kind>() throws(RecordError) -> PermanentID<Kind> {
        let high: UInt64 = try fixed()
        let low: UInt64 = try fixed()
        return PermanentID(high: high, low: low)
    }

    /// The next record. Positions in errors count from the start of this reader.
    package mutating func record(wall: Timestamp) throws(RecordError) -> Record {
        let kind = try varint()
        let start = position
        var body = ByteReader(try prefixed())
        do throws(RecordError) {
            return try body.record(kind: kind, wall: wall)
        } catch {
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
        default: .unknown(kind: kind, body: wholeBytes())
        }
    }

    private mutating func readings(wall: Timestamp) throws(RecordError) -> [Reading] {
        var readings: [Reading] = []
        while !isAtEnd {
            let received = wall + (try signed())
            let count = try varint()
            // A reading takes two bytes at least, so a count beyond that is a lie, not a reason to allocate.
            guard count <= UInt64(remaining / 2 + 1) else { throw RecordError(.badValue, at: position) }
            readings.reserveCapacity(readings.count + Int(count))
            for _ in 0..<count {
                let head = try varint()
                guard let series = UInt32(exactly: head >> 2) else { throw RecordError(.badValue, at: position) }
                let time = head & 1 != 0 ? received + (try signed()) : received
                let value = try signed()
                let rawFlags = head & 2 != 0 ? try varint() : 0
                guard let flags = UInt16(exactly: rawFlags) else { throw RecordError(.badValue, at: position) }
                readings.append(
                    Reading(
                        series: SeriesNumber(series), time: time, received: received, value: value,
                        flags: ReadingFlags(rawValue: flags)))
            }
        }
        return readings
    }

    private mutating func clock() throws(RecordError) -> ClockState {
        var clock = ClockState(offset: 0, synchronized: false, at: Timestamp(milliseconds: 0))
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: clock.offset = try field.signed()
            case 2: clock.synchronized = try field.varint() != 0
            case 3: clock.at = Timestamp(milliseconds: try field.signed())
            default: break
            }
        }
        return clock
    }

    private mutating func gap() throws(RecordError) -> Gap {
        var gap = Gap(epoch: 0, first: 0, end: 0, reason: .overwritten)
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: gap.epoch = try field.varint()
            case 2: gap.first = try field.varint()
            case 3: gap.end = try field.varint()
            case 4:
                guard let reason = Gap.Reason(rawValue: try field.varint()) else { throw RecordError(.badValue, at: 0) }
                gap.reason = reason
            default: break
            }
        }
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
                if verb == nil { throw RecordError(.badValue, at: 0) }
            case 4:
                guard arguments.count < 64 else { throw RecordError(.tooLong, at: 0) }
                var argument = Command.Argument(name: "", value: "")
                try field.fields { (tag, field) throws(RecordError) in
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
        guard let id, let verb else { throw RecordError(.missingField, at: 0) }
        return Command(id: id, actor: actor, verb: verb, arguments: arguments)
    }

    private mutating func slot() throws(RecordError) -> SlotUsage {
        var slot = SlotUsage(device: DeviceID(high: 0, low: 0), channel: .total, slot: Slot(index: 0))
        var seen: UInt64 = 0
        try fields { (tag, field) throws(RecordError) in
            if tag < 64 { seen |= 1 << tag }
            switch tag {
            case 1: slot.device = try field.identifier()
            case 2:
                guard let channel = Channel(try field.wholeText(limit: Channel.maximumLength)) else {
                    throw RecordError(.badValue, at: 0)
                }
                slot.channel = channel
            case 3:
                let index = try field.signed()
                guard index.magnitude < 1 << 40 else { throw RecordError(.badValue, at: 0) }
                slot.slot = Slot(index: index)
            case 4: slot.imported = try field.signed()
            case 5: slot.exported = try field.signed()
            case 6: slot.produced = try field.signed()
            case 7: slot.charged = try field.signed()
            case 8: slot.discharged = try field.signed()
            case 9: slot.estimated = try field.signed()
            case 10: slot.measuredTime = try field.signed()
            case 11: slot.filledTime = try field.signed()
            case 12: slot.source = try field.varint()
            default: break
            }
        }
        guard seen & 0b1110 == 0b1110 else { throw RecordError(.missingField, at: 0) }
        return slot
    }
}
