import CAllocator

/// The C library's allocator, which every array comes from.
enum AllocatorMemory {
    /// Returns what is free to the system, in about a millisecond: after work that takes much memory and comes seldom.
    static func giveBack() {
        allocator_trim()
    }

    /// `size` bytes beside the heap, a multiple of the system's pages; taken as they are written to.
    static func pages(_ size: Int) -> UnsafeMutableRawPointer {
        guard let pages = allocator_pages(size) else { preconditionFailure("the system has no \(size) bytes left") }
        return pages
    }

    /// Ends what `pages` began.
    static func giveBack(_ pages: UnsafeMutableRawPointer, _ size: Int) {
        allocator_give_back(pages, size)
    }
}
