/// A document that owns its text: its values may be kept for as long as one likes, and keep it alive.
///
/// For answers, files and the command line. Messages go through `JSONScanner`, which reuses its buffers.
public struct JSONDocument {
    public let root: JSONValue

    public init(bytes: [UInt8], limits: JSONLimits = .answer) throws(JSONError) {
        let scanner = JSONScanner(limits: limits)
        root = try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
            try scanner.load(UnsafeRawBufferPointer(bytes), owner: scanner)
        }
    }
}
