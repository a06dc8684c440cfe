import CAllocator

/// The C library's allocator, which every array comes from.
enum AllocatorMemory {
    /// Returns what is free to the system: after work that takes much memory and comes seldom. Takes about a millisecond.
    static func giveBack() {
        malloc_trim(0)
    }
}
