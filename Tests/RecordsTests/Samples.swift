import Metering
import Records
import Timekeeping

/// The records that the golden files hold. Never changed: what one version wrote, every later one reads.
enum Samples {
    static let wall = Timestamp(milliseconds: 1_774_746_000_000)
    static let plug = DeviceID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
    static let meter = DeviceID(high: 1, low: 2)

    static let readings = Record.readings([
        Reading(series: SeriesNumber(0), time: wall + -250, received: wall + -250, value: 1_234_567),
        Reading(series: SeriesNumber(1), time: wall + -10_250, received: wall + -250, value: -1, flags: .retained),
        Reading(
            series: SeriesNumber(300), time: wall, received: wall, value: .max,
            flags: [.late, .clockUnsynced, ReadingFlags(rawValue: 1 << 15)]),
        Reading(series: SeriesNumber(65_535), time: wall + 1, received: wall + 5, value: .min),
    ])
    static let device = Record.device(
        Device(
            id: plug, name: "Wäsche", role: .load, family: "tasmota", profile: "tasmota", profileVersion: 3,
            model: "Plug S", ratingWatts: 3680, parent: meter,
            counters: [
                Counter(quantity: .energyImport, counterClass: .lifetime, step: 1_000_000),
                Counter(quantity: .energyImportToday, counterClass: .period, step: 1000, modulus: 655_360_000),
            ],
            bindings: [Binding(address: "mqtt:tasmota:plug_washer"), Binding(address: "modbus:tcp://meter:502/1")],
            validFrom: wall))
    static let settings = Record.settings(
        HomeSettings(
            name: "Home", zone: "Europe/Berlin",
            tariffs: [
                Tariff(
                    name: "flat", currency: .euro, importPrice: Decimal(price: "0.321500001")!,
                    exportPrice: Decimal(price: "-0.05"), validFrom: Timestamp(milliseconds: 0)),
                Tariff(name: "new", currency: Currency("CHF")!, importPrice: .zero, validFrom: wall),
            ], validFrom: wall))
    static let command = Record.command(
        Command(
            id: CommandID(high: 7, low: 8), actor: "anna", verb: .rename,
            arguments: [.init(name: "device", value: plug.description), .init(name: "name", value: "Trockner")]))
    static let clock = Record.clock(ClockState(offset: 1_774_745_000_123, synchronized: true, at: wall))
    static let gap = Record.gap(Gap(epoch: 116_309_753_856_004_660, first: 1000, end: 2000, reason: .damaged))
    static let slot = Record.slot(
        SlotUsage(
            device: meter, channel: .phase(3), slot: Slot(containing: wall), imported: 250_001, exported: 0,
            produced: nil, charged: 5, discharged: -5, estimated: 17, measuredTime: 840_000, filledTime: 60_000,
            source: 4711))
    static let unknown = Record.unknown(kind: 4000, body: [0xDE, 0xAD, 0xBE, 0xEF])

    static let all: [(name: String, record: Record)] = [
        ("readings", readings), ("device", device), ("settings", settings), ("command", command), ("clock", clock),
        ("gap", gap), ("slot", slot), ("unknown", unknown),
    ]

    static let dictionary: [(SeriesNumber, SeriesKey)] = [
        (SeriesNumber(0), SeriesKey(device: plug, channel: .total, quantity: .power)),
        (SeriesNumber(1), SeriesKey(device: plug, channel: .total, quantity: .energyImport)),
        (SeriesNumber(300), SeriesKey(device: meter, channel: .phase(1), quantity: .voltage)),
        (SeriesNumber(65_535), SeriesKey(device: meter, channel: .output(12), quantity: Quantity(code: 40_000))),
    ]

    static func header(count: UInt32) -> FrameHeader {
        FrameHeader(
            topic: .facts, length: 0, segment: 0x0102_0304_0506_0708, position: 8192, count: count,
            epoch: 116_309_753_856_004_661, firstOffset: 123_456_789, gateway: GatewayID(high: 3, low: 4),
            boot: BootID(bytes: Array(0..<16)), wall: wall, monotonic: 999_877, partition: 0, dictionaryLength: 0)
    }

    static func frame() -> [UInt8] {
        var dictionary = ByteWriter()
        for (number, key) in Samples.dictionary { dictionary.seriesEntry(number, key) }
        var records = ByteWriter()
        for sample in all { records.record(sample.record, wall: wall) }
        return Frame.encode(header(count: UInt32(all.count)), dictionary: dictionary.bytes, records: records.bytes)
    }

    static func heartbeat() -> [UInt8] { Frame.encode(header(count: 0), dictionary: [], records: []) }
}

func encoded(_ record: Record, wall: Timestamp = Samples.wall) -> [UInt8] {
    var writer = ByteWriter()
    writer.record(record, wall: wall)
    return writer.bytes
}

func decoded(_ bytes: [UInt8], wall: Timestamp = Samples.wall) throws(RecordError) -> Record {
    let result = bytes.withUnsafeBytes { (buffer) -> Result<Record, RecordError> in
        var reader = ByteReader(buffer)
        do throws(RecordError) {
            let record = try reader.record(wall: wall)
            return reader.isAtEnd ? .success(record) : .failure(RecordError(.badValue, at: reader.position))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// All that a frame holds, read the way a consumer reads it.
struct FrameContent: Equatable {
    var header: FrameHeader
    var dictionary: [SeriesKey] = []
    var numbers: [SeriesNumber] = []
    var offsets: [UInt64] = []
    var records: [Record] = []

    init(_ bytes: [UInt8]) throws {
        let read = try bytes.withUnsafeBytes { buffer in
            let header = try Frame.header(buffer)
            var records: [(UInt64, Record)] = []
            let dictionary = try Frame.dictionary(buffer, header)
            try Frame.records(buffer, header) { records.append(($0, $1)) }
            return (header, dictionary, records)
        }
        header = read.0
        dictionary = read.1.map(\.1)
        numbers = read.1.map(\.0)
        offsets = read.2.map(\.0)
        records = read.2.map(\.1)
    }
}
