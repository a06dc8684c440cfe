/// Where something stands in a file. Lines and columns count from 1, columns in characters.
package struct TOMLPlace: Hashable, Sendable, CustomStringConvertible {
    package let file: String
    package let line: Int
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, as editors jump to it.
    package var description: String { "\(file):\(line):\(column)" }
}
