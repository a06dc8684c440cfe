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

    /// And what comes after them.
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
    @Test(arguments: [StoredSnapshots.version2])
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
