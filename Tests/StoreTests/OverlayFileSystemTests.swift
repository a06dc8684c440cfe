import Disk
import Simulation
import Testing

/// The overlay answers as a disk would, and the disk below keeps every byte.
@Suite struct OverlayFileSystemTests {
    @Test func `random calls give what a disk gives, and the one below stays as it was`() throws {
        let seed: UInt64 = .random(in: 0 ... .max)
        var dice = SplitMix64(seed: seed)
        let disk = SimulatedDisk()
        let below = SimulatedDisk()
        for one in [disk, below] {
            try one.createDirectory("/d")
            for i in 0..<3 { one.put([UInt8](repeating: UInt8(i + 1), count: 9000), at: "/d/f\(i)") }
        }
        let overlay = OverlayFileSystem(over: below)
        for _ in 0..<400 {
            let name = "/d/f\(dice.next() % 5)"
            let other = "/d/f\(dice.next() % 5)"
            let position = Int64(dice.next() % 12_000)
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: dice.next()), count: Int(dice.next() % 5000))
            let action = dice.next() % 6
            let results = [disk as any FileSystem, overlay].map { system -> String in
                do throws(DiskError) {
                    switch action {
                    case 0:
                        let file = try system.open(name, .update)
                        try file.write(bytes, at: min(position, try file.size()))
                        file.close()
                    case 1: try system.open(name, .create).write(bytes, at: 0)
                    case 2: try system.remove(name)
                    case 3 where name != other: try system.rename(name, to: other)
                    case 4: return try system.list("/d").joined(separator: " ")
                    default:
                        let file = try system.open(name, .read)
                        return "\(try file.size()) \(try file.read(at: position, count: 3000).hashValue)"
                    }
                    return "done"
                } catch {
                    return "error \(error.errno)"
                }
            }
            #expect(results[0] == results[1], "seed \(seed), action \(action) on \(name)")
        }
        for i in 0..<3 { #expect(below.contents("/d/f\(i)") == [UInt8](repeating: UInt8(i + 1), count: 9000)) }
        #expect(below.contents("/d/f4") == nil)
        #expect(!overlay.changes.isEmpty)
    }

    @Test func `beyond its limit the disk counts as full`() throws {
        let overlay = OverlayFileSystem(over: SimulatedDisk(), limit: 8192)
        try overlay.createDirectory("/d")
        let file = try overlay.open("/d/f", .create)
        try file.write([UInt8](repeating: 1, count: 8000), at: 0)
        #expect(throws: DiskError.self) { try file.write([UInt8](repeating: 1, count: 8000), at: 8000) }
    }
}
