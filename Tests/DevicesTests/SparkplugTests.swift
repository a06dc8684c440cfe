import Devices
import Metering
import Testing

/// Sparkplug B payloads, made by hand from the specification's protobuf.
@Suite struct SparkplugTests {
    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(value & 0x7F) | (value > 0x7F ? 0x80 : 0))
            value >>= 7
        } while value > 0
        return bytes
    }

    private static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    private static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(value.count)) + value
    }

    private static func float(_ field: UInt64, _ value: Float) -> [UInt8] {
        varint(field << 3 | 5) + (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }

    private static func metric(
        _ name: String?, alias: UInt64? = nil, unit: String? = nil, value: [UInt8], type: UInt64 = 9,
        historical: Bool = false
    ) -> [UInt8] {
        var metric = name.map { bytes(1, Array($0.utf8)) } ?? []
        if let alias { metric += number(2, alias) }
        metric += number(4, type)
        if historical { metric += number(5, 1) }
        if let unit {
            metric += bytes(9, bytes(1, Array("engUnit".utf8)) + bytes(2, number(1, 12) + bytes(8, Array(unit.utf8))))
        }
        return bytes(2, metric + value)
    }

    private static func payload(_ sequence: UInt64, _ metrics: [UInt8]) -> [UInt8] {
        number(1, 1_715_409_600_000) + metrics + number(3, sequence)
    }

    private static let birth = payload(
        0,
        metric("bdSeq", value: number(11, 3), type: 8)
            + metric("Mains/power", alias: 7, unit: "kW", value: float(12, 1.25))
            + metric("Mains/voltage_l2", alias: 8, unit: "V", value: number(10, 231), type: 7)
            + metric("Properties/version", value: bytes(15, [0x31]), type: 12))

    @Test func `data names metrics by the aliases of the birth certificate`() {
        let decoding = Decoding()
        decoding.decode("spBv1.0/home/NBIRTH/cellar", Self.birth)
        #expect(
            decoding.lines() == ["total power 1250 @1715409600000", "l2 voltage 231 @1715409600000"])
        #expect(decoding.device() == "home/cellar")
        decoding.decode(
            "spBv1.0/home/NDATA/cellar", Self.payload(1, Self.metric(nil, alias: 7, value: Self.float(12, -0.5))))
        #expect(decoding.lines() == ["total power -500 @1715409600000"])
        let null = Self.metric(nil, alias: 7, value: Self.number(7, 1))
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(2, null)).outcome == .nothing)
        let old = Self.metric(nil, alias: 7, value: Self.float(12, 9), historical: true)
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(3, old)).outcome == .nothing)
        let negative = Self.metric(nil, alias: 8, value: Self.number(10, 0xFFFF_FFFF), type: 3)
        decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(4, negative))
        #expect(decoding.lines() == ["l2 voltage -1 @1715409600000"])
    }

    @Test func `before a birth, behind a gap and twice the same there are no values`() {
        let decoding = Decoding()
        let data = Self.metric(nil, alias: 7, value: Self.float(12, 2))
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(1, data)).outcome == .nothing)
        decoding.decode("spBv1.0/home/NBIRTH/cellar", Self.birth)
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(1, data)).outcome == .readings)
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(1, data)).outcome == .nothing)
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(3, data)).outcome == .nothing)
        #expect(decoding.decode("spBv1.0/home/NDATA/cellar", Self.payload(4, data)).outcome == .nothing)
        #expect(decoding.decode("spBv1.0/home/NBIRTH/cellar", Self.birth).outcome == .readings)
    }

    @Test func `devices have their own births, and a will is of its own birth`() {
        let decoding = Decoding()
        decoding.decode("spBv1.0/home/NBIRTH/cellar", Self.birth)
        let device = Self.payload(
            1, Self.metric("energy_import", alias: 1, unit: "kWh", value: Self.number(11, 5), type: 8))
        decoding.decode("spBv1.0/home/DBIRTH/cellar/washer", device)
        #expect(decoding.lines() == ["total energy_import 5000 @1715409600000"])
        #expect(decoding.device() == "home/cellar/washer")
        let old = Self.payload(0, Self.metric("bdSeq", value: Self.number(11, 2), type: 8))
        #expect(decoding.decode("spBv1.0/home/NDEATH/cellar", old).outcome == .nothing)
        let own = Self.payload(0, Self.metric("bdSeq", value: Self.number(11, 3), type: 8))
        #expect(decoding.decode("spBv1.0/home/NDEATH/cellar", own).outcome == .availability(false))
    }

    @Test func `a topic that was heard before follows the newest birth, and after a death says nothing`() {
        let decoding = Decoding()
        func data(_ sequence: UInt64) -> DecodedMessage {
            decoding.decode(
                "spBv1.0/home/NDATA/cellar",
                Self.payload(sequence, Self.metric(nil, alias: 7, value: Self.float(12, 2))))
        }
        decoding.decode("spBv1.0/home/NBIRTH/cellar", Self.birth)
        for sequence in 1...3 { #expect(data(UInt64(sequence)).outcome == .readings) }
        #expect(decoding.lines() == ["total power 2000 @1715409600000"])
        // The same number stands for something else from now on.
        let metric = Self.metric("Mains/current_l1", alias: 7, unit: "A", value: Self.float(12, 1))
        decoding.decode("spBv1.0/home/NBIRTH/cellar", Self.payload(0, metric))
        #expect(data(1).outcome == .readings)
        #expect(decoding.lines() == ["l1 current 2 @1715409600000"])
        decoding.decode(
            "spBv1.0/home/NDATA/cellar",
            Self.payload(
                2,
                Self.metric("Mains/current_l1", value: Self.float(12, 3))
                    + Self.metric("Mains/current_l2", value: Self.float(12, 4))))
        #expect(decoding.lines() == ["l1 current 3 @1715409600000"])
        #expect(decoding.message.unknownCount == 1)
        decoding.decode("spBv1.0/home/NDEATH/cellar", Self.payload(0, []))
        #expect(data(3).outcome == .nothing)
        #expect(decoding.message.unknownCount == 1)
    }

    @Test(arguments: ["spBv1.0/home/NCMD/cellar", "spBv1.0/STATE/scada", "spBv1.0/home/DCMD/cellar/x", "spBv1.0/home"])
    func `commands and states are nothing of ours`(topic: String) {
        #expect(Decoding().decode(topic, [0xFF, 0xFF]).outcome == .nothing)
    }

    @Test func `what is no protocol buffer says so`() {
        for bytes in [
            [0x0A, 0xFF], [0x07], [0x12, 0x05, 0x0A], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] {
            guard case .malformed = Decoding().decode("spBv1.0/home/NBIRTH/cellar", bytes.map { UInt8($0) }).outcome
            else {
                Issue.record("\(bytes) was taken")
                continue
            }
        }
    }
}
