import Simulation
import Synchronization

/// Which pages of which files each flush wrote, so that what a rotten disk loses can be told from what it may not.
final class WriteLog: Sendable {
    struct Write {
        let path: String
        let range: Range<Int>
    }

    struct Flush {
        let offsets: Range<UInt64>
        let writes: [Write]

        /// The disk has something else at one of its pages, or at the first page of one of its files.
        func isHit(_ damage: [String: [Range<Int>]]) -> Bool {
            writes.contains { write in
                let there = (damage[write.path] ?? []) + (damage[write.path + ".damaged"] ?? [])
                return there.contains { $0.overlaps(write.range) || $0.lowerBound < 4096 }
            }
        }
    }

    private let writes = Mutex<[Write]>([])

    func note(_ event: SimulatedDisk.Event) {
        guard case .write(let path, let position, let count) = event, path.contains("/segment-") else { return }
        writes.withLock { $0.append(Write(path: path, range: position..<position + count)) }
    }

    func begin() { writes.withLock { $0 = [] } }
    func end() -> [Write] { writes.withLock { $0 } }
}
