import Devices
import Intake
import Metering
import Records
import Simulation
import Synchronization
import Timekeeping

/// Keeps what Intake hands on, in order.
final class Kept: RecordSink {
    private struct State {
        var dictionary = SeriesDictionary()
        var records: [Record] = []
        var watched: [Reading] = []
    }

    private let state = Mutex(State())

    var records: [Record] { state.withLock { $0.records } }
    var watched: [Reading] { state.withLock { $0.watched } }
    var readings: [Reading] {
        records.flatMap { record -> [Reading] in
            if case .readings(let readings) = record { return readings }
            return []
        }
    }
    func key(_ reading: Reading) -> SeriesKey? { state.withLock { $0.dictionary[reading.series] } }
    /// Values of one quantity, in order.
    func values(_ quantity: Quantity) -> [Int64] {
        readings.filter { key($0)?.quantity == quantity }.map(\.value)
    }

    func number(for key: SeriesKey) -> SeriesNumber? { state.withLock { $0.dictionary.number(for: key) } }
    func append(_ records: [Record]) { state.withLock { $0.records += records } }
    func watch(_ readings: [Reading]) { state.withLock { $0.watched += readings } }
}

/// An Intake with a clock that stands and a sink that keeps.
struct Bench {
    let clock: ManualClock
    let sink = Kept()
    let intake: Intake

    init(declared: [DeclaredDevice] = [], synchronized: Bool = true) {
        clock = ManualClock(wall: Timestamp(seconds: 1_750_000_000), monotonic: 5000, synchronized: synchronized)
        intake = Intake(
            registry: DeviceRegistry(declared: declared), trust: ClockTrust(lastDurable: nil, start: clock.now()),
            clock: clock, sink: sink)
    }

    func power(_ watts: Int64) -> Sample { Sample(channel: .total, quantity: .power, value: watts * 1000) }
}
