import CSimdjson

/// Reads JSON documents one after another through the same buffers: after the first few, a scan allocates nothing.
///
/// The whole document is checked before the body sees any of it. One thread at a time: a scanner is not `Sendable`.
public final class JSONScanner {
    public let limits: JSONLimits
    let parser: OpaquePointer
    private var isScanning = false

    /// Traps when there is no memory for an empty parser (about a page).
    public init(limits: JSONLimits = .message) {
        guard let parser = csj_create(limits.asC) else { preconditionFailure("no memory for a JSON parser") }
        self.limits = limits
        self.parser = parser
    }

    deinit { csj_destroy(parser) }

    /// Calls `body` with the root of the document. Values are valid only inside `body`: one that is kept and used after
    /// this scan traps. Scans of one scanner do not nest.
    public func scan<R>(
        _ bytes: UnsafeRawBufferPointer, _ body: (JSONValue) -> R
    ) throws(JSONError) -> R {
        let root = try begin(bytes)
        defer { end() }
        return body(root)
    }

    /// As above, for a body with an error type of its own: `malformed` turns a `JSONError` into it.
    public func scan<R, Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, malformed: (JSONError) -> Failure,
        _ body: (JSONValue) throws(Failure) -> R
    ) throws(Failure) -> R {
        let root: JSONValue
        do { root = try begin(bytes) } catch { throw malformed(error) }
        defer { end() }
        return try body(root)
    }

    private func begin(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        precondition(!isScanning, "a JSON scan inside another of the same scanner")
        let root = try load(bytes, owner: nil)
        isScanning = true
        return root
    }

    private func end() {
        isScanning = false
        csj_end(parser)
    }

    func load(_ bytes: UnsafeRawBufferPointer, owner: JSONScanner?) throws(JSONError) -> JSONValue {
        var offset = 0
        let code = csj_scan(parser, bytes.baseAddress, bytes.count, &offset)
        guard code == Int32(CSJ_OK), let tape = csj_tape_of(parser) else {
            throw JSONError(code: Int(code), offset: offset, limits: limits)
        }
        return JSONValue(tape: tape, index: 0, generation: tape.pointee.generation, owner: owner)
    }
}
