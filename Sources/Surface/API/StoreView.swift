import APITypes
import Exchange
import Metering
import Timekeeping
import Upkeep

/// What the API knows of the home's store. As `HomeView`: no call blocks the caller's thread on the disk.
public protocol StoreView: Sendable {
    /// The bytes of a file, piece by piece; nil after the last. One caller at a time.
    typealias Pieces = @Sendable () async throws -> [UInt8]?

    /// What the store takes and writes.
    func storeFigures() async throws -> StoreAnswer
    /// Readings of `since ..< until` as the text of a file.
    func export(
        _ filter: SeriesFilter, since: Timestamp?, until: Timestamp?, format: ExchangeFormat
    ) async throws -> ExportStream
    /// Takes in readings of the past, a line of JSON each; what is there already stays as it is. `isRehearsal`:
    /// nothing is taken in, and the answer says what would be.
    func importReadings(_ lines: [UInt8], isRehearsal: Bool) async throws -> ImportAnswer
    /// All of the home's state as a backup file.
    func backup() async throws -> Pieces
}

/// An export on its way.
public struct ExportStream: Sendable {
    let next: StoreView.Pieces
    let damage: @Sendable () async -> ExportDamage

    /// `damage`: what could not be read, asked after the last piece.
    public init(next: @escaping StoreView.Pieces, damage: @escaping @Sendable () async -> ExportDamage) {
        self.next = next
        self.damage = damage
    }
}

extension HomeView {
    /// A home without a store of its own has none to look after.
    public var store: (any StoreView)? { nil }
}
