import History

/// What an export could not read: what these blocks held is not in it.
public struct ExportDamage: Hashable, Sendable {
    /// How many blocks, or files whose index cannot be read; each counts once, up to `maximumCounted` of them.
    public private(set) var blocks = 0
    /// Where the first of them lie, and what is wrong there.
    public private(set) var places: [String] = []
    private var known: Set<BlockError> = []

    public static let maximumPlaces = 3
    /// A card that is dying can have more than memory.
    public static let maximumCounted = 10_000

    public init() {}

    /// As another program counted them.
    public init(blocks: Int, places: [String]) {
        self.blocks = blocks
        self.places = places
    }

    mutating func note(_ error: BlockError) {
        guard blocks < ExportDamage.maximumCounted, known.insert(error).inserted else { return }
        blocks += 1
        if places.count < ExportDamage.maximumPlaces { places.append("\(error)") }
    }
}
