/// Where something stands in a file. Lines and columns count from 1, columns in characters.
public struct TOMLPlace: Hashable, Sendable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, as editors jump to it.
    public var description: String { "\(file):\(line):\(column)" }
}
