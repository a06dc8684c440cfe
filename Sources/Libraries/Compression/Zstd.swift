import CZstd

/// Makes zstd frames (RFC 8878) without checksum and content size: the formats that use them have their own.
///
/// Owns a context of some 100 KB; made for a run of blocks and let go after it. One thread at a time.
public final class ZstdCompressor {
    private let context: OpaquePointer

    /// `level` 1 is the fastest. Traps where there is no memory for the context.
    public init(level: Int32 = 1) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("no memory for a compressor") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// The frame's length in `target`; nil where it does not fit, as with bytes that cannot be compressed.
    public func compress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int? {
        let count = czstd_compress(context, target.baseAddress, target.count, source.baseAddress, source.count)
        return count < 0 ? nil : count
    }
}

/// Reads zstd frames. One thread at a time; who has it may pass it on.
public final class ZstdDecompressor: @unchecked Sendable {  // passed from hand to hand, one user at a time
    private let context: OpaquePointer

    /// Traps where there is no memory for the context.
    public init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory for a decompressor") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decodes one frame that must fill `target` exactly; false for anything else. `target` bounds the memory that
    /// hostile bytes can ask for.
    public func decompress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        czstd_decompress(context, target.baseAddress, target.count, source.baseAddress, source.count)
            == target.count
    }
}
