import Metering
import Records
import Timekeeping

/// A source as it is read, before it is put in its place.
struct StoredSource {
    let channel: Int32
    let quantity: Quantity
    let role: FlowRole
    let traits: CounterTraits
    var mark: Int64 = 0
    var settledFrom: Int64 = 0
    var shadowedFrom = Int64.max
    var jittering = false
    var hasCurve = false
    var rest = FlowSource.Seldom()
    var track = TrackLine()

    init(channel: Int32, quantity: Quantity, role: FlowRole, traits: CounterTraits) {
        self.channel = channel
        self.quantity = quantity
        self.role = role
        self.traits = traits
    }

    /// Makes mW·ms of mWh.
    mutating func refine(remainder: Int64, at place: Int) throws(RecordError) {
        var points = track.points
        let base = points.first?.booked ?? 0
        for i in points.indices {
            let (energy, overflow) = (points[i].booked - base).multipliedReportingOverflow(by: 3_600_000)
            guard !overflow, energy <= 1 << 60 else { throw RecordError(.badValue, at: place) }
            points[i].booked = energy + (i == points.count - 1 ? remainder : 0)
        }
        track = TrackLine(known: points)
    }
}

extension FlowSource {
    mutating func restore(_ stored: StoredSource, _ bytes: inout TrackBytes) {
        track.set(stored.track, &bytes)
        rest = stored.rest
        shadowedFrom = stored.shadowedFrom
        jittering = stored.jittering
        hasCurve = stored.hasCurve
        if role.method == .register { settledFrom = stored.settledFrom }
        mark = stored.mark
        tidy()
    }
}

extension ByteWriter {
    mutating func curve(_ curve: PowerCurve) {
        signed(curve.time)
        signed(curve.power)
        for side in [curve.imports, curve.exports] {
            // Works begin anywhere: at the pin they begin at nothing.
            signed(side.pin)
            signed(side.crossed)
            guard side.pin >= 0 else { continue }
            signed(side.work &- side.pinWork)
            varint(UInt64(side.borders.count))
            for work in side.borders { signed(work &- side.pinWork) }
        }
    }
}

extension ByteReader {
    mutating func curve() throws(RecordError) -> PowerCurve {
        let time = try signed(in: 0...Timestamp.validRange.upperBound.milliseconds)
        let power = try signed(in: -1_000_000_000...1_000_000_000)
        var sides: [PowerCurve.Side] = []
        for _ in 0..<2 {
            var side = PowerCurve.Side()
            side.pin = try signed(in: PowerCurve.Side.behind...Timestamp.validRange.upperBound.milliseconds)
            side.crossed = try signed(in: -1...Timestamp.validRange.upperBound.milliseconds)
            if side.pin >= 0 {
                side.work = try signed(in: -1 << 60...1 << 60)
                for _ in 0..<(try count()) { side.borders.append(try signed(in: -1 << 60...1 << 60)) }
            }
            sides.append(side)
        }
        return PowerCurve(time: time, power: power, imports: sides[0], exports: sides[1])
    }
}
