import Disk
import Glibc
import Synchronization

/// Places of files that the disk refuses to read: bad sectors of a worn card. One that stays unreadable while the disk
/// takes writes is damage like any other. Until that is sure, whoever makes files of it has to try again: what a
/// passing error hides must not be taken for lost.
final class UnreadablePlaces: Sendable {
    private struct Place: Hashable {
        let path: String
        let position: Int
    }

    /// Reads of a place that failed in a row until it is given up.
    private static let patience = 8
    /// Of more places none is remembered: then it is not sectors that are bad.
    private static let maximumCount = 256

    private let failures = Mutex<[Place: Int]>([:])
    private let isDiskThere: @Sendable () -> Bool

    /// `isDiskThere`: false while the disk takes no writes either.
    init(isDiskThere: @escaping @Sendable () -> Bool) {
        self.isDiskThere = isDiskThere
    }

    /// What `body` reads; nil for damage. A query (`isQuery`) leaves out at once what cannot be read, since it is asked
    /// again and changes nothing.
    func read<Value>(
        _ path: String, at position: Int, isQuery: Bool, _ body: () throws(DiskError) -> Value?
    ) throws(DiskError) -> Value? {
        let place = Place(path: path, position: position)
        do throws(DiskError) {
            let value = try body()
            failures.withLock { if !$0.isEmpty { $0[place] = nil } }
            return value
        } catch {
            guard error.errno == EIO, error.operation == .read, isDiskThere() else { throw error }
            let count = failures.withLock { failures in
                if failures.count >= UnreadablePlaces.maximumCount, failures[place] == nil { failures = [:] }
                failures[place, default: 0] += 1
                return failures[place, default: 0]
            }
            guard isQuery || count >= UnreadablePlaces.patience else { throw error }
            return nil
        }
    }
}
