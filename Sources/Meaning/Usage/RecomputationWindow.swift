import Metering
import Timekeeping

// Which readings a recomputation needs: enough before its span that the counters stand as they would have after all
// readings from the first on, and enough after it that they go on as they did.
extension UsageState {
    /// What a recomputation feeds, and which slots it may change.
    struct Window {
        /// One quantity, and from when on its readings are fed.
        struct Series {
            var quantity: Quantity
            var isRegister: Bool
            var start: Timestamp?
        }

        /// In the order in which they were first heard.
        var series: [Series] = []
        var end: Timestamp
        /// Whether readings after `end` are fed as well, as long as there are any: such that were refused.
        var isOpen = false
        var first: Slot
        var last: Slot
    }

    /// How much is read before and after a span, so that the counters' states are settled at its ends.
    private static let settlingTime = 3 * Span.hour
    private static let settlingReadings = 16
    /// The same where a longer run of readings must come to the same.
    private static let provingReadings = 6
    /// Readings are taken from the archive in pieces of this length.
    private static let piece = 2 * Span.day

    func window(
        of channel: Int, _ key: ChannelKey, from: Timestamp, to: Timestamp, _ archive: some ReadingArchive
    ) throws -> Window {
        var window = Window(end: to, first: Slot(containing: from), last: Slot(containing: to))
        let newest = members(channel).map { sources[$0].newest }.max() ?? -1
        var owners: [Int] = []
        for i in members(channel) where window.series.last?.quantity != sources[i].quantity {
            owners.append(i)
            let (source, method) = (sources[i], sources[i].role.method)
            window.series.append(Window.Series(quantity: source.quantity, isRegister: method == .register))
            let series = SeriesKey(device: key.device, channel: key.channel, quantity: source.quantity)
            // The live track is right about what came before the first reading that was late. A point at a border may
            // stand for a share of what came after it.
            let before = source.track.line(effects.bytes).points.last {
                $0.time < from.milliseconds && !$0.time.isMultiple(of: Slot.length)
            }
            // A series that says nothing from there on needs to be known, and changes nothing.
            if let before, source.newest >= from.milliseconds {
                window.first = min(window.first, Slot(index: before.slot))
            }
            // An amount reaches back as far as a value holds.
            if method == .delta { window.first = min(window.first, Slot(containing: from - UsageLimits.maximumHold)) }
            if source.newest >= to.milliseconds { try UsageState.tail(series, after: to, newest, archive, &window) }
        }
        // What one series needs may begin before what another was read from.
        var first = window.first.next
        while first != window.first {
            first = window.first
            for (i, owner) in owners.enumerated() {
                let series = SeriesKey(device: key.device, channel: key.channel, quantity: window.series[i].quantity)
                window.series[i].start = try anchor(of: owner, series, before: first, archive)
                if window.series[i].start == nil {
                    let isHeard = sources[owner].newest >= from.milliseconds
                    window.series[i].start = try lead(series, before: from, isHeard, archive, &window)
                }
            }
        }
        for (i, owner) in owners.enumerated() where sources[owner].role.method == .power {
            // Power is rounded at full hours, and holds beyond them; and it splits what counters say from their start
            // on.
            let counters = owners.indices.filter { sources[owners[$0]].role.method != .power }
                .compactMap { window.series[$0].start }
            let before = min(first.start, counters.min() ?? first.start).milliseconds
            let hour = Timestamp(milliseconds: max(0, before / Span.hour * Span.hour - Span.hour))
            window.series[i].start = window.series[i].start.map { min($0, hour) }
        }
        return window
    }

    /// Powers that had flowed both ways before what is fed.
    func knownSigns(of channel: Int, before window: Window) -> Set<Quantity> {
        let known = members(channel).filter { i in
            let start = window.series.first { $0.quantity == sources[i].quantity }?.start ?? window.end
            return sources[i].role.method == .power && sources[i].role.sign < 0
                && sources[i].signSince < start.milliseconds
        }
        return Set(known.map { sources[$0].quantity })
    }

    /// The time of a reading that the live register is known to have accepted as it was, the last before `slot`: from
    /// it on, counting is as if it had gone on from the first of all readings.
    private func anchor(
        of source: Int, _ series: SeriesKey, before slot: Slot, _ archive: some ReadingArchive
    ) throws -> Timestamp? {
        guard sources[source].role.method == .register else { return nil }
        let points = sources[source].track.line(effects.bytes).points
        guard
            let last = points.lastIndex(where: { $0.slot < slot.index && !$0.time.isMultiple(of: Slot.length) }),
            points[last].slot >= sources[source].settledFrom, !points[(last + 1)...].contains(where: \.opens)
        else { return nil }
        let time = Timestamp(milliseconds: points[last].time)
        var found = false
        try archive.readings(of: series, from: time, until: time + 1) { _, value in
            if value == points[last].booked { found = true }
        }
        return found ? time : nil
    }

    /// From where a series must be read so that it is settled at `time`. Of a register two beginnings, one far before
    /// the other, must come to the same.
    private func lead(
        _ series: SeriesKey, before time: Timestamp, _ isHeard: Bool, _ archive: some ReadingArchive,
        _ window: inout Window
    ) throws -> Timestamp {
        var span = UsageState.settlingTime
        var shorter: Probe?
        while true {
            let start = max(time - span, Timestamp.validRange.lowerBound)
            let probe = try probe(series, from: start, until: time, archive)
            let isLast = span >= UsageLimits.maximumGap || start == Timestamp.validRange.lowerBound
            let needed = probe.needsProof ? UsageState.provingReadings : UsageState.settlingReadings
            if isHeard, let last = probe.last { window.first = min(window.first, last) }
            let isEnough = probe.count >= needed && probe.first ?? window.first < window.first
            let isSettled = shorter.map { $0.isEnough && $0.state == probe.state } ?? !probe.needsProof
            if isLast || isEnough && isSettled {
                if isLast || !probe.needsProof { return start }
                return shorter?.start ?? start
            }
            shorter = probe
            shorter?.isEnough = isEnough
            span *= 4
        }
    }

    /// How a series stands after the readings of a span, and nothing before.
    private struct Probe {
        var start: Timestamp
        var count = 0
        /// Slots of the first reading, and of the last that was accepted.
        var first: Slot?
        var last: Slot?
        var state: State?
        var needsProof = false
        var isEnough = false

        struct State: Equatable {
            var mark: Int64
            var newest: Int64
            var last: Int64?
            var rest: FlowSource.Seldom
        }
    }

    private func probe(
        _ series: SeriesKey, from: Timestamp, until: Timestamp, _ archive: some ReadingArchive
    ) throws -> Probe {
        var probe = Probe(start: from)
        var fresh = blank(for: ChannelKey(device: series.device, channel: series.channel))
        let own = Window.Series(quantity: series.quantity, isRegister: true, start: from)
        let window = Window(series: [own], end: until, first: Slot(index: 0), last: Slot(index: 0))
        let key = ChannelKey(device: series.device, channel: series.channel)
        let fed = try fresh.feed(window, of: key, archive, 0) { probe.count += 1 }
        probe.first = fed.first.map { Slot(containing: $0) }
        guard let source = fresh.sources.first else { return probe }
        probe.last = source.track.last.map { Slot(index: $0.slot) }
        probe.needsProof = source.role.method == .register || source.role.method == .net
        probe.state = Probe.State(
            mark: source.mark, newest: source.newest, last: source.track.last?.time, rest: source.rest)
        return probe
    }

    /// Widens the window until enough of a series lies after `time`.
    private static func tail(
        _ series: SeriesKey, after time: Timestamp, _ newest: Int64, _ archive: some ReadingArchive,
        _ window: inout Window
    ) throws {
        var span = settlingTime
        while true {
            var count = 0
            var settled: Timestamp?
            try archive.readings(of: series, from: time, until: time + span) { at, _ in
                count += 1
                if settled == nil, count > 6, at - time >= Span.hour / 2 { settled = at }
            }
            guard count >= settlingReadings || (time + span).milliseconds > newest else {
                span *= 4
                continue
            }
            window.last = max(window.last, Slot(containing: settled ?? time + span))
            window.end = max(window.end, time + span)
            return
        }
    }

    /// Feeds the readings of the window in the order of time, those of one instant in the order of `series`; returns
    /// the quantities that had any, and the time of the first.
    mutating func feed(
        _ window: Window, of key: ChannelKey, _ archive: some ReadingArchive, _ offset: UInt64,
        each: () -> Void = {}
    ) throws -> (seen: Set<Quantity>, first: Timestamp?) {
        var seen: Set<Quantity> = []
        var first: Timestamp?
        var start = window.series.compactMap(\.start).min() ?? window.end
        var goesOn = true
        while start < window.end || window.isOpen && goesOn {
            let end = start < window.end ? min(start + UsageState.piece, window.end) : start + UsageState.piece
            var batch: [(time: Int64, order: Int, value: Int64)] = []
            for (order, own) in window.series.enumerated() {
                guard let from = own.start, from < end else { continue }
                let series = SeriesKey(device: key.device, channel: key.channel, quantity: own.quantity)
                let before = batch.count
                try archive.readings(of: series, from: max(start, from), until: end) { time, value in
                    // Of a register's values of one instant the highest counts: `takeLateRegister`.
                    if own.isRegister, let last = batch.last, last.order == order, last.time == time.milliseconds {
                        batch[batch.count - 1].value = max(last.value, value)
                    } else {
                        batch.append((time.milliseconds, order, value))
                    }
                }
                if batch.count > before { seen.insert(own.quantity) }
            }
            goesOn = !batch.isEmpty
            batch.sort { ($0.time, $0.order) < ($1.time, $1.order) }
            if first == nil { first = batch.first.map { Timestamp(milliseconds: $0.time) } }
            for (time, order, value) in batch {
                let series = SeriesKey(
                    device: key.device, channel: key.channel, quantity: window.series[order].quantity)
                guard let source = route(to: series) else { continue }
                each()
                feed(source, time, value, offset, series)
            }
            start = end
        }
        return (seen, first)
    }
}
