import Devices
import Metering
import Simulation
import Timekeeping

/// Bytes of a three-phase meter's values: 32-bit floats whose last digits are noise, read through the meter's profile.
enum StoreMeterBench {
    private static let steps = 8640

    static func run(in directory: String) throws {
        guard let map = ProfileCatalog.builtIn["eastron_sdm630"]?.registers else {
            preconditionFailure("no profile of the meter")
        }
        var house = House(HouseSettings(seed: 630), start: StoreWorld.start)
        let blocks = map.blocks()
        func samples() -> [Sample] {
            let image = SDM630.inputRegisters(house)
            var samples: [Sample] = []
            for block in blocks {
                let first = Int(block.address)
                let words = (first..<first + block.count).map { $0 < image.count ? image[$0] : 0 }
                _ = map.decode(block, words: words, into: &samples)
            }
            return samples
        }
        var world = try StoreWorld(directory, series: samples().count)
        for step in 0..<steps {
            house.advance(to: StoreWorld.start + Int64(step + 1) * StoreWorld.step)
            let values = samples().map(\.value)
            try world.append(step) { values[$0] }
            if step % 60 == 59 { try world.flush() }
        }
        try world.flush()
        try world.seal()
        report("store.bytes_per_point.sdm630", world.bytesPerPoint, "B")
    }
}
