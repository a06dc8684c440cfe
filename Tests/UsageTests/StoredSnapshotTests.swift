import Metering
import Records
import Testing
import Timekeeping

@testable import Usage

/// Snapshots as versions that were in use wrote them.
enum StoredSnapshots {
    /// A register after a reset, and one spike held back; a power; a net register; amounts: `Meters.written`.
    static let version2 =
        "6555534702000000000004022b0110070000000000000065000000000000000202643103010104047465737405000601010802e8"
        + "390c0100022b0110070000000000000066000000000000000202643203010104047465737405000601010802e8390c0100022701"
        + "10070000000000000067000000000000000202643303010204047465737405000601010c0100022b011007000000000000006800"
        + "0000000000000202643403010104047465737405000601010802e8390c0100040700000000000000650000000000000005746f74"
        + "616cc0dbf001000700000000000000660000000000000005746f74616cc0dbf00100070000000000000067000000000000000574"
        + "6f74616cc0dbf001000700000000000000680000000000000005746f74616cbedbf001000600080000000201d00f00e839c0b12e"
        + "80acc4f0a66780cfe8eea66700010402c082bdf0a6670881b09feea66700c0f541a0fe0ac1a9070080a61d80f104c0a907a09c01"
        + "80c566c08b11c0a907a09c0180cc3a80e20902c082bdf0a66780aaea55c0a9070000010100030502010200e83988be0980acc4f0"
        + "a66780b09feea66700010000000681b09feea6670080c56688be09c0a907dc5680c566dae704c0a9079e14809f49acca01000001"
        + "0101030501010200e8390080acc4f0a66780b09feea66700010000000681b09feea6670080c56600c0a9070080c56600c0a90700"
        + "809f49000000020b0001020206d00f009ca7050080acc4f0a66780b09feea66700010000000681b09feea6670080c566e0c508c0"
        + "a907904e80c566d08603c0a90700809f49000000020b0101020106d00f009ca7050080acc4f0a66780b09feea667000100000006"
        + "81b09feea6670080c56600c0a9070080c56690bf05c0a907904e809f49a08d06000003120002030205d00f00e8390080acc4f0a6"
        + "6700000100000007e18bf7eda66700a0a428b26d809f49e4da01c0cf24b26d809f49e4da01c0cf24b26d809f49e4da01000980b0"
        + "9feea667c0ffc3eea66780cfe8eea667c09e8defa66780eeb1efa667c0bdd6efa667808dfbefa667c0dc9ff0a66780acc4f0a667"
        + "000000000059a80e38"

    /// And a plug with counter and power: `Meters.writtenWithCurve`.
    static let version3 =
        "6555534703000000000005022b0110070000000000000065000000000000000202643103010104047465737405000601010802e8"
        + "390c0100022b0110070000000000000066000000000000000202643203010104047465737405000601010802e8390c0100022701"
        + "10070000000000000067000000000000000202643303010204047465737405000601010c0100022b011007000000000000006800"
        + "0000000000000202643403010104047465737405000601010802e8390c0100022b01100700000000000000690000000000000002"
        + "02643503010104047465737405000601010802e8390c0100050700000000000000650000000000000005746f74616cc0dbf00100"
        + "0700000000000000660000000000000005746f74616cc0dbf001000700000000000000670000000000000005746f74616cc0dbf0"
        + "01000700000000000000680000000000000005746f74616cbedbf001000700000000000000690000000000000005746f74616cc0"
        + "dbf001000900080000000201d00f00e839c6dbf001010402c082bdf0a6670000010881b09feea667a09c01c0f541a0fe0ac1a907"
        + "0080a61d80f104c0a907a09c0180c566c08b11c0a907a09c0180cc3a80e20902c082bdf0a66780aaea55c0a90700000101000305"
        + "02010200e83988be09010000000000010681b09feea6670080c56680e8e389a410c0a90780ecb4ee940180c56680b2aaf6a008c0"
        + "a90780e683de22809f4980fca5acdb020000010101030501010200e83900010000000000010681b09feea6670080c56600c0a907"
        + "0080c56600c0a90700809f49000000020b0001020206d00f009ca70500010000000000010681b09feea6670080c566e0c508c0a9"
        + "07904e80c566d08603c0a90700809f49000000020b0101020106d00f009ca70500010000000000010681b09feea6670080c56600"
        + "c0a9070080c56690bf05c0a907904e809f49a08d06000003120002030205d00f00e839000100000000000107e18bf7eda66700a0"
        + "a428b26d809f49e4da01c0cf24b26d809f49e4da01c0cf24b26d809f49e4da01000980b09feea667c0ffc3eea66780cfe8eea667"
        + "c09e8defa66780eeb1efa667c0bdd6efa667808dfbefa667c0dc9ff0a66780acc4f0a66704080000000201d00f00e83900010000"
        + "000001010681b09feea6670080cc3a807dc0a233b06dc0f541d08c0180f92b8ca506809f49f4cd270000040100030502010200e8"
        + "39c0a907c0dbf0010000000003b099c5f0a66780be920180acc4f0a66780e089f0a66780d0eeca3e0001010101b19da0eea66700"
        + "0000040101030501010200e83900010000000000f099b6eea66706f199b6eea66700c0c850808c8d9e02c0a9070080c56600c0a9"
        + "0700809f4900000000000000000c33e6ff"

    /// And the other counters beside a power: `Meters.writtenWithCurves`.
    static let version4 =
        "6555534704000000000007022b0110070000000000000065000000000000000202643103010104047465737405000601010802"
        + "e8390c0100022b0110070000000000000066000000000000000202643203010104047465737405000601010802e8390c010002"
        + "270110070000000000000067000000000000000202643303010204047465737405000601010c0100022b011007000000000000"
        + "0068000000000000000202643403010104047465737405000601010802e8390c0100022b011007000000000000006900000000"
        + "0000000202643503010104047465737405000601010802e8390c01000227011007000000000000006a00000000000000020264"
        + "3603010204047465737405000601010c0100022b011007000000000000006b0000000000000002026437030101040474657374"
        + "05000601010802e8390c0100070700000000000000650000000000000005746f74616cc0dbf001000700000000000000660000"
        + "000000000005746f74616cc0dbf001000700000000000000670000000000000005746f74616cc0dbf001000700000000000000"
        + "680000000000000005746f74616cbedbf001000700000000000000690000000000000005746f74616cc0dbf001000700000000"
        + "0000006a0000000000000005746f74616cc0dbf0010007000000000000006b0000000000000005746f74616cbedbf001001000"
        + "080000000201d00f00e839c6dbf001010402c082bdf0a6670000010881b09feea667a09c01c0f541a0fe0ac1a9070080a61d80"
        + "f104c0a907a09c0180c566c08b11c0a907a09c0180cc3a80e20902c082bdf0a66780aaea55c0a9070000010100030502010200"
        + "e83988be09010000000000010681b09feea6670080c56680e8e389a410c0a90780ecb4ee940180c56680b2aaf6a008c0a90780"
        + "e683de22809f4980fca5acdb020000010101030501010200e83900010000000000010681b09feea6670080c56600c0a9070080"
        + "c56600c0a90700809f49000000020b0001020206d00f009ca70500010000000000010681b09feea6670080c566e0c508c0a907"
        + "904e80c566d08603c0a90700809f49000000020b0101020106d00f009ca70500010000000000010681b09feea6670080c56600"
        + "c0a9070080c56690bf05c0a907904e809f49a08d06000003120002030205d00f00e839000100000000000107e18bf7eda66700"
        + "a0a428b26d809f49e4da01c0cf24b26d809f49e4da01c0cf24b26d809f49e4da01000980b09feea667c0ffc3eea66780cfe8ee"
        + "a667c09e8defa66780eeb1efa667c0bdd6efa667808dfbefa667c0dc9ff0a66780acc4f0a66704080000000201d00f00e83900"
        + "010000000001010681b09feea6670080cc3a807dc0a233b06dc0f541d08c0180f92b8ca506809f49f4cd270000040100030502"
        + "010200e839c0a907c0dbf0010000000003b099c5f0a66780be920180acc4f0a66780e089f0a66780d0eeca3e0001010101b19d"
        + "a0eea667000000040101030501010200e83900010000000000f099b6eea66706f199b6eea66700c0c850808c8d9e02c0a90700"
        + "80c56600c0a90700809f49000000050b0001020206d00f009ca705e09817010000000001010681b09feea6670080cc3a80e209"
        + "c0a233e0c508c0f541a0fe0a80f92ba217809f49000000050b0101020106d00f009ca705df9817010000000001010681b09fee"
        + "a6670080cc3a00c0a23300c0f5410080f92b00809f49c2a406000006120002030205d00f00e839000100000000010107e18bf7"
        + "eda66700a0a428c03e80cc3ac03ec0a233d836c0f541a84680f92bda26809f49a656000680b09feea66780fcd9eea66780c894"
        + "efa6678094cfefa66780e089f0a66780acc4f0a6670501000305020102009ca705809f49c0dbf0010000000003b099c5f0a667"
        + "bfcf2480acc4f0a66780e089f0a667000080acc4f0a66780e089f0a66780d4dbd20f000101b19da0eea6670000000501010305"
        + "010102009ca705c0cf24c0dbf0010000000000b0d4deefa66701b1d4deefa667000000060100030502010200e839e0d403bedb"
        + "f0010000000003b099c5f0a667a0fe0a80acc4f0a66780e089f0a66780a6e8d8040001010101b19da0eea66700000006010103"
        + "0501010200e8390001000000000001000000000000000006b63030"

    static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

extension Meters {
    /// Forty minutes of four devices.
    static func written() -> Meters {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.add(Meters.device(2))
        meters.add(Meters.device(3, role: .grid, watts: nil))
        meters.add(Meters.device(4))
        for minute in Int64(0)...40 {
            // Reset once, and held back at the end.
            let wh = minute < 10 ? 5000 + 10 * minute : minute < 39 ? 10 * minute : 90_000
            meters.read(60 * minute, 1000 * wh)
            meters.read(60 * minute, minute < 20 ? 333_000 : 77_700, device: 2, .power)
            meters.read(60 * minute, 1000 * (minute < 20 ? 5 * minute : 200 - 5 * minute), device: 3, .energyNet)
            if minute % 5 == 0 { meters.read(60 * minute, 7_001, device: 4, .energyImportDelta) }
        }
        meters.settle()
        return meters
    }

    /// The same, and a plug whose power tells when its counter rose.
    static func writtenWithCurve() -> Meters {
        var meters = written()
        meters.add(Meters.device(5))
        for minute in Int64(0)...40 {
            if minute % 8 == 0 { meters.read(60 * minute, minute < 30 ? 1_000 * minute : 400_000, device: 5) }
            meters.read(60 * minute + 7, minute == 3 ? -5_000 : minute < 30 ? 60_000 : 1_200_000, device: 5, .power)
        }
        meters.settle()
        return meters
    }

    /// And a register that runs both ways and amounts, each beside its power.
    static func writtenWithCurves() -> Meters {
        var meters = writtenWithCurve()
        meters.add(Meters.device(6, role: .grid, watts: nil))
        meters.add(Meters.device(7))
        for minute in Int64(0)...40 {
            if minute % 8 == 0 {
                let wh = minute < 26 ? 10 * minute : 260 - 5 * (minute - 26)
                meters.read(60 * minute, 1_000 * wh, device: 6, .energyNet)
                meters.read(60 * minute, 4_000, device: 7, .energyImportDelta)
            }
            meters.read(60 * minute + 7, minute < 26 ? 600_000 : -300_000, device: 6, .power)
            meters.read(60 * minute + 7, minute < 28 ? 30_000 : 90_000, device: 7, .power)
        }
        meters.settle()
        return meters
    }

    /// And what comes after those.
    mutating func goOnWithCurves() {
        for minute in Int64(41)...96 {
            if minute % 8 == 0 {
                read(60 * minute, 1_000 * (260 - 5 * (min(minute, 92) - 26)), device: 6, .energyNet)
                read(60 * minute, 12_000, device: 7, .energyImportDelta)
            }
            read(60 * minute + 7, minute < 92 ? -300_000 : 0, device: 6, .power)
            read(60 * minute + 7, minute < 92 ? 90_000 : 0, device: 7, .power)
        }
        settle()
    }

    /// And what comes after the others.
    mutating func goOn() {
        for minute in Int64(41)...60 {
            read(60 * minute, 10_000 * minute)
            read(60 * minute, 77_700, device: 2, .power)
            read(60 * minute, 1000 * (200 - 5 * minute), device: 3, .energyNet)
            if minute % 5 == 0 { read(60 * minute, 7_001, device: 4, .energyImportDelta) }
        }
        settle()
    }
}

struct StoredSnapshotTests {
    @Test func `a register's curve goes on from a stored state`() throws {
        var meters = Meters.writtenWithCurve()
        meters.state = try UsageState(decoding: StoredSnapshots.bytes(StoredSnapshots.version3))
        meters.read(2700, 0, device: 5, .power)
        meters.read(2880, 600_000, device: 5)
        meters.settle()
        // 60 W for 360 s up to the border, then for 7 s, then 1.2 kW for 113 s: 21.6 of 157.62 parts of 376 Wh. Of the
        // last 200 Wh all before 2700 s.
        #expect(meters.slots(5).map(\.imported) == [15_000, 9_000 + 51_526, 324_474 + 200_000, 0])
    }

    @Test func `states are written as they were, and every curve goes on`() throws {
        var meters = Meters.writtenWithCurves()
        let bytes = meters.state.encoded()
        #expect(bytes == StoredSnapshots.bytes(StoredSnapshots.version4))
        var restored = meters
        restored.state = try UsageState(decoding: bytes)
        // As a state of version 3 has it, which had curves of registers only.
        var old = meters
        for i in old.state.sources.indices {
            old.state.sources[i].hasCurve = false
            old.state.sources[i].curve = nil
            old.state.sources[i].tidy()
        }
        old.state.expectCurves()
        meters.goOnWithCurves()
        restored.goOnWithCurves()
        old.goOnWithCurves()
        #expect(restored.state.encoded() == meters.state.encoded())
        for device in [6, 7] as [UInt64] {
            #expect(restored.slots(device) == meters.slots(device))
            #expect(old.slots(device).suffix(2).map(\.sameAs) == meters.slots(device).suffix(2).map(\.sameAs))
        }
        // At 30:00 the net register would have shown 241.489 Wh: it rose by 8.8 % of what flowed less than the power
        // tells.
        #expect(meters.slots(6).map(\.imported) == [150_000, 91_489, 0, 0, 0, 0, 0])
        #expect(meters.slots(6).map(\.exported) == [0, 0, 76_489, 75_000, 75_000, 74_716, 10_284])
        // 17,580 of 28,380 Ws of 4 Wh before 30:00; 120 of 247 s of 12 Wh before 90:00.
        #expect(meters.slots(7).map(\.imported) == [4_000, 7_500, 6_977, 13_023, 22_500, 22_500, 25_329, 6_171])
    }

    @Test(arguments: [StoredSnapshots.version2, StoredSnapshots.version3, StoredSnapshots.version4])
    func `the slots go on from a stored state of any version`(text: String) throws {
        var meters = Meters.written()
        meters.state = try UsageState(decoding: StoredSnapshots.bytes(text))
        meters.goOn()
        // As the version that wrote it went on.
        #expect(meters.slots(1).map(\.imported) == [140_000, 150_000, 150_000, 150_000])
        #expect(meters.slots(2).map(\.imported) == [83_250, 40_700, 19_425, 19_425])
        #expect(meters.slots(2).map(\.exported) == [0, 0, 0, 0])
        #expect(meters.slots(3).map(\.imported) == [75_000, 25_000, 0, 0])
        #expect(meters.slots(3).map(\.exported) == [0, 50_000, 75_000, 75_000])
        #expect(meters.slots(4).map(\.imported) == [7_001, 21_003, 21_003, 21_003, 21_003])
        #expect(meters.kinds == [.suspect, .reset, .quarantined, .cancelled])
    }
}
