import Timekeeping

extension BlockColumns {
    /// Whether this is the block that the index of a file of `tier` names: both have right checksums where another
    /// program, or a bug, wrote what does not belong together.
    func fits(_ entry: BlockEntry, _ tier: HistoryTier) -> Bool {
        instants.count == entry.count && instants.first == entry.first.milliseconds
            && instants.last == entry.last.milliseconds && (self as? BucketColumns)?.step == tier.step
    }
}
