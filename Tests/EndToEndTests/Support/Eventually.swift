/// What a test waited for in vain.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Asks until the answer is yes. The limit is generous because machines under test are slow; nothing waits it out.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NeverHappened("within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(50))
    }
}
