/// What the disk of a run is like.
enum Mood: String, CaseIterable, Sendable {
    /// Loses and tears and reorders what was not synced, and nothing else.
    case honest
    /// Errors now and then, and times when it is full or read-only.
    case flaky
    /// Confirms writes that go elsewhere or nowhere, and bits that turn.
    case rotten
    /// Confirms syncs that it does not do, in some sessions.
    case lying

    /// What was confirmed may be gone.
    var spoils: Bool { self == .rotten || self == .lying }
}

/// A mistake made on purpose, which the fuzzer must find.
enum Canary: String, CaseIterable, Sendable {
    /// The disk ignores every sync.
    case unsynced = "a disk that ignores sync"
    /// A snapshot that claims more than its state holds.
    case ahead = "a snapshot that is ahead of its state"
    /// History lets the ring have what is not in a file yet.
    case released = "a History that does not hold the ring"
    /// A bit turns on a disk that is taken for a good one.
    case rot = "a disk that turns bits"
    /// After a disk has lied History's answers lack a value that it has.
    case silent = "a History that keeps a value to itself"
}

/// What a check found.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

func require(_ holds: Bool, _ text: @autoclosure () -> String) throws {
    if !holds { throw Finding(text()) }
}
