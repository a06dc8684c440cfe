import CAllocator

/// The C library's allocator, which every array comes from.
enum AllocatorMemory {
    /// Returns what is free to the system, in about a millisecond: after work that takes much memory and comes seldom.
    static func giveBack() {
        malloc_trim(0)
    }
}
