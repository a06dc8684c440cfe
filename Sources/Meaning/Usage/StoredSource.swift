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
        if role.method == .register { settledFrom = stored.settledFrom }
        mark = stored.mark
        tidy()
    }
}
