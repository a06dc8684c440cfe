import Metering
import Records
import Timekeeping

// The parts of a Usage snapshot. Everything read is checked so far that no later reading can overflow or trap.

/// Slots and times of a stored state lie within `Timestamp.validRange`.
private let lastTime = Timestamp.validRange.upperBound.milliseconds
private let lastSlot = Timestamp.validRange.upperBound.milliseconds / Slot.length

extension ByteWriter {
    mutating func series(_ key: SeriesKey) {
        identifier(key.device)
        prefixed(key.channel.name.utf8)
        varint(UInt64(key.quantity.code))
    }

    mutating func decision(_ decision: Decision) {
        series(decision.series)
        signed(decision.time.milliseconds)
        prefixed(decision.kind.rawValue.utf8)
        for value in [decision.from, decision.to] {
            varint(value == nil ? 0 : 1)
            if let value { signed(value) }
        }
        prefixed(decision.rule.utf8)
    }

    mutating func channelKey(_ key: UsageState.ChannelKey) {
        identifier(key.device)
        prefixed(key.channel.name.utf8)
    }

    mutating func channel(_ key: UsageState.ChannelKey, floor: Int64, _ touches: [Touch]) {
        channelKey(key)
        signed(floor)
        varint(UInt64(touches.count))
        for touch in touches {
            signed(touch.from)
            varint(UInt64(touch.to - touch.from))
            varint(touch.source)
        }
    }

    mutating func source(_ source: FlowSource, _ track: TrackLine) {
        varint(UInt64(source.channel))
        varint(UInt64(source.quantity.code))
        varint(UInt64(source.role.flow.rawValue))
        varint(UInt64(source.role.method.rawValue))
        varint(UInt64(source.role.rank))
        signed(Int64(source.role.sign))
        varint(UInt64(source.traits.counterClass.rawValue))
        for number in [source.traits.step, source.traits.modulus, source.traits.watts] { signed(number) }
        let rest = source.rest
        switch source.role.method {
        case .register: signed(source.settledFrom)
        case .net, .power: signed(source.mark)
        case .delta: signed(0)
        }
        signed(source.shadowedFrom == .max ? -1 : source.shadowedFrom)
        varint(UInt64(rest.hold.rawValue) << 1 | (source.jittering ? 1 : 0))
        varint(UInt64(rest.heldCount))
        signed(rest.heldSince)
        signed(rest.setSegment)
        varint((rest.curve == nil ? 0 : 2) | (source.hasCurve ? 1 : 0))
        if let powers = rest.curve { curve(powers) }
        signed(rest.signSince == .max ? -1 : rest.signSince)
        line(track)
        line(rest.held)
        varint(UInt64(rest.messages.count))
        for time in rest.messages { signed(time) }
    }

    private mutating func line(_ line: TrackLine) {
        varint(UInt64(line.points.count))
        var time: Int64 = 0
        var booked: Int64 = 0
        for point in line.points {
            varint(UInt64(point.time - time) << 1 | (point.opens ? 1 : 0))
            signed(point.booked &- booked)
            time = point.time
            booked = point.booked
        }
    }
}

extension ByteReader {
    /// A number of elements, each of at least one byte: never more than the bytes that are left.
    mutating func count() throws(RecordError) -> Int {
        let start = position
        let count = try varint()
        guard count <= UInt64(remaining) else { throw RecordError(.truncated, at: start) }
        return Int(count)
    }

    mutating func signed(in range: ClosedRange<Int64>) throws(RecordError) -> Int64 {
        let start = position
        let value = try signed()
        guard range.contains(value) else { throw RecordError(.badValue, at: start) }
        return value
    }

    private mutating func small(below limit: UInt64) throws(RecordError) -> UInt8 {
        let start = position
        let value = try varint()
        guard value < min(limit, 256) else { throw RecordError(.badValue, at: start) }
        return UInt8(value)
    }

    private mutating func channelName() throws(RecordError) -> Channel {
        let start = position
        guard let channel = Channel(try text(limit: Channel.maximumLength)) else {
            throw RecordError(.badValue, at: start)
        }
        return channel
    }

    private mutating func quantity() throws(RecordError) -> Quantity {
        let start = position
        guard let code = UInt16(exactly: try varint()) else { throw RecordError(.badValue, at: start) }
        return Quantity(code: code)
    }

    mutating func channelKey() throws(RecordError) -> UsageState.ChannelKey {
        let device: DeviceID = try identifier()
        return UsageState.ChannelKey(device: device, channel: try channelName())
    }

    mutating func series() throws(RecordError) -> SeriesKey {
        let device: DeviceID = try identifier()
        let channel = try channelName()
        return SeriesKey(device: device, channel: channel, quantity: try quantity())
    }

    mutating func decision() throws(RecordError) -> Decision {
        let series = try series()
        let time = Timestamp(milliseconds: try signed())
        let start = position
        guard let kind = Decision.Kind(rawValue: try text(limit: 32)) else { throw RecordError(.badValue, at: start) }
        var values: [Int64?] = []
        for _ in 0..<2 { values.append(try small(below: 2) == 1 ? try signed() : nil) }
        return Decision(
            series: series, time: time, kind: kind, from: values[0], to: values[1], rule: try text(limit: 128))
    }

    mutating func floor() throws(RecordError) -> Int64 { try signed(in: 0...lastSlot) }

    mutating func touches() throws(RecordError) -> [Touch] {
        var touches: [Touch] = []
        for _ in 0..<(try count()) {
            let from = try signed(in: 0...lastSlot)
            let length = try varint()
            guard length <= UInt64(min(lastSlot - from, UsageLimits.longestRun)) else {
                throw RecordError(.badValue, at: position)
            }
            touches.append(Touch(from: from, to: from + Int64(length), source: try varint()))
        }
        return touches
    }

    private mutating func identity(channels: Int) throws(RecordError) -> StoredSource {
        let start = position
        let channel = try varint()
        guard channel < UInt64(min(channels, UsageLimits.maximumSources)) else {
            throw RecordError(.badValue, at: start)
        }
        let quantity = try quantity()
        guard let flow = Flow(rawValue: try small(below: 256)), let method = Method(rawValue: try small(below: 256))
        else { throw RecordError(.badValue, at: position) }
        let rank = try small(below: 16)
        let sign = Int8(try signed(in: -1...1))
        guard let counterClass = CounterClass(rawValue: try small(below: 256)) else {
            throw RecordError(.badValue, at: position)
        }
        let traits = CounterTraits(
            counterClass: counterClass, step: try signed(), modulus: try signed(), watts: try signed())
        return StoredSource(
            channel: Int32(channel), quantity: quantity,
            role: FlowRole(flow: flow, method: method, rank: rank, sign: sign), traits: traits)
    }

    mutating func source(channels: Int) throws(RecordError) -> StoredSource {
        let start = position
        var source = try identity(channels: channels)
        let energy = UsageLimits.maximumEnergy
        switch source.role.method {
        case .register: source.settledFrom = try signed(in: 0...lastSlot + 1)
        case .net: source.mark = try signed(in: -energy...energy)
        case .power: source.mark = try signed(in: 0...1_000_000_000)
        case .delta: _ = try signed(in: 0...0)
        }
        try readHold(&source)
        source.rest.setSegment = try signed(in: 0...lastTime)
        let curve = try small(below: 4)
        source.hasCurve = curve & 1 != 0
        if curve & 2 != 0 { source.rest.curve = try self.curve() }
        let sign = try signed(in: -1...lastTime)
        if sign >= 0 { source.rest.signSince = sign }
        guard source.rest.curve == nil || source.role.method == .power, source.rest.curve == nil || source.hasCurve
        else { throw RecordError(.badValue, at: start) }
        source.track = try line(limit: 1 << 60, mayFall: source.role.method == .power)
        try readRest(&source, from: start)
        if source.role.method == .register { source.mark = source.track.last?.booked ?? 0 }
        return source
    }

    /// A source as version 2 had it.
    mutating func sourceOfVersion2(channels: Int) throws(RecordError) -> StoredSource {
        let start = position
        var source = try identity(channels: channels)
        let method = source.role.method
        let energy = UsageLimits.maximumEnergy
        source.mark = try signed(in: method == .power ? 0...1_000_000_000 : -energy...energy)
        _ = try signed(in: -1...lastTime)
        let segmentStart = try signed(in: 0...lastTime)
        let remainder = try signed(in: 0...3_599_999)
        try readHold(&source)
        source.track = try line(limit: 1 << 60, mayFall: false)
        try readRest(&source, from: start)
        switch method {
        case .register:
            source.settledFrom = segmentStart / Slot.length + 1
            if let last = source.track.last, segmentStart > last.time { source.rest.setSegment = segmentStart }
        case .power:
            // Beside a counter it has points only once it had flowed that way.
            let flowed = source.track.last?.booked ?? 0 > 0 || source.mark > 0
            if source.role.sign < 0, flowed, let first = source.track.first { source.rest.signSince = first.time }
            try source.refine(remainder: remainder, at: start)
        case .net, .delta: break
        }
        return source
    }

    private mutating func readHold(_ source: inout StoredSource) throws(RecordError) {
        let shadow = try signed(in: -1...lastSlot)
        source.shadowedFrom = shadow < 0 ? .max : shadow
        let hold = try small(below: 6)
        source.jittering = hold & 1 != 0
        source.rest.hold = FlowSource.Hold(rawValue: hold >> 1) ?? .none
        source.rest.heldCount = try small(below: 4)
        source.rest.heldSince = try signed(in: 0...lastTime)
    }

    private mutating func readRest(_ source: inout StoredSource, from start: Int) throws(RecordError) {
        source.rest.held = try line(limit: UsageLimits.maximumEnergy, mayFall: true)
        for _ in 0..<(try count()) { source.rest.messages.append(try signed(in: 0...lastTime)) }
        guard source.rest.held.isEmpty == (source.rest.hold == .none),
            source.rest.held.isEmpty || !source.track.isEmpty,
            source.rest.held.first.map({ $0.time > source.track.last?.time ?? -1 }) ?? true,
            source.rest.messages.count <= UsageLimits.rememberedDeltas
        else { throw RecordError(.badValue, at: start) }
    }

    private mutating func line(limit: Int64, mayFall: Bool) throws(RecordError) -> TrackLine {
        let start = position
        var points: [TrackPoint] = []
        var time: Int64 = 0
        var booked: Int64 = 0
        for _ in 0..<(try count()) {
            let head = try varint()
            guard head >> 1 <= UInt64(lastTime - time) else { throw RecordError(.badValue, at: start) }
            time += Int64(head >> 1)
            let (sum, overflow) = booked.addingReportingOverflow(try signed())
            guard !overflow, sum.magnitude <= UInt64(limit) else { throw RecordError(.badValue, at: start) }
            booked = sum
            points.append(TrackPoint(time: time, booked: booked, opens: head & 1 != 0))
        }
        guard let line = TrackLine(stored: points, mayFall: mayFall) else { throw RecordError(.badValue, at: start) }
        return line
    }
}
