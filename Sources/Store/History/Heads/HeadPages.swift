/// Bytes of many chains in pages of one size, so that no chain has memory to spare but the rest of its last page, and
/// nothing is copied when one grows.
struct HeadPages: ~Copyable {
    /// Bytes of a page: a line of the processor's cache. The first four are the number of the chain's next page.
    static let pageSize = 64
    private static let linkSize = 4
    /// A slab is taken from the system at once; of one that is not full only what is written to is there.
    private static let slabPages = 4096

    /// One series' bytes.
    struct Chain {
        fileprivate var first: UInt32 = 0
        fileprivate var last: UInt32 = 0
        /// Bytes of the last page in use, the link included; 0: no page.
        fileprivate var fill: UInt8 = 0

        var isEmpty: Bool { fill == 0 }
    }

    private var slabs: [UnsafeMutableRawPointer] = []
    private var used = 0

    /// Bytes of all pages in use.
    var byteCount: Int { used * HeadPages.pageSize }

    deinit { giveBack() }

    private func giveBack() {
        for slab in slabs { AllocatorMemory.giveBack(slab, HeadPages.slabPages * HeadPages.pageSize) }
    }

    /// Forgets all chains.
    mutating func removeAll() {
        giveBack()
        slabs = []
        used = 0
    }

    @inline(__always)
    private func page(_ number: UInt32) -> UnsafeMutableRawPointer {
        slabs[Int(number) / HeadPages.slabPages] + Int(number) % HeadPages.slabPages * HeadPages.pageSize
    }

    private mutating func newPage() -> UInt32 {
        if used == slabs.count * HeadPages.slabPages {
            slabs.append(AllocatorMemory.pages(HeadPages.slabPages * HeadPages.pageSize))
        }
        used += 1
        return UInt32(used - 1)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer, to chain: inout Chain) {
        guard var source = bytes.baseAddress else { return }
        var rest = bytes.count
        while rest > 0 {
            if chain.isEmpty || Int(chain.fill) == HeadPages.pageSize { grow(&chain) }
            let count = min(rest, HeadPages.pageSize - Int(chain.fill))
            (page(chain.last) + Int(chain.fill)).copyMemory(from: source, byteCount: count)
            chain.fill += UInt8(truncatingIfNeeded: count)
            source += count
            rest -= count
        }
    }

    private mutating func grow(_ chain: inout Chain) {
        let number = newPage()
        if chain.isEmpty {
            chain.first = number
        } else {
            page(chain.last).storeBytes(of: number, as: UInt32.self)
        }
        chain.last = number
        chain.fill = UInt8(HeadPages.linkSize)
    }

    /// Calls `body` with the chain's first bytes, as far as the first page has them.
    func withStart<Result>(of chain: Chain, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        precondition(!chain.isEmpty)
        let end = chain.first == chain.last ? Int(chain.fill) : HeadPages.pageSize
        let start = page(chain.first)
        return body(UnsafeRawBufferPointer(start: start + HeadPages.linkSize, count: end - HeadPages.linkSize))
    }

    /// Calls `body` with all bytes of a chain and `HeadReader.slack` more.
    func withBytes<Result>(of chain: Chain, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        precondition(!chain.isEmpty)
        var count = 0
        forEachPage(of: chain) { count += $0.count }
        return withUnsafeTemporaryAllocation(byteCount: count + HeadReader.slack, alignment: 8) { room in
            var filled = 0
            forEachPage(of: chain) { bytes in
                UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(from: bytes)
                filled += bytes.count
            }
            UnsafeMutableRawBufferPointer(rebasing: room[filled...]).initializeMemory(as: UInt8.self, repeating: 0)
            return body(UnsafeRawBufferPointer(room))
        }
    }

    /// Page by page.
    private func forEachPage(of chain: Chain, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard !chain.isEmpty else { return }
        var number = chain.first
        while true {
            let isLast = number == chain.last
            let start = page(number)
            let end = isLast ? Int(chain.fill) : HeadPages.pageSize
            body(UnsafeRawBufferPointer(start: start + HeadPages.linkSize, count: end - HeadPages.linkSize))
            if isLast { return }
            number = start.load(as: UInt32.self)
        }
    }
}
