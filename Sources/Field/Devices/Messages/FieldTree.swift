import Metering

/// The members that a payload may have, as a tree that is walked together with the payload.
///
/// Children of one node stand side by side and in the order of the profile. Devices write their members in the same
/// order every time, so a search that starts behind the last hit mostly needs one comparison.
struct FieldTree: Hashable, Sendable {
    enum Role: Hashable, Sendable {
        case object
        /// Of the fields `choices[first..<first + count]` the first whose conditions hold.
        case field(first: Int32, count: Int32)
        case time
        case ignored
    }

    struct Node: Hashable, Sendable {
        /// Where the name stands in `names`; of the wildcard: empty.
        var nameStart: Int32
        var nameLength: Int32
        var firstChild: Int32 = 0
        var childCount: Int32 = 0
        var parent: Int32
        var role: Role = .object
    }

    /// The root is node 0.
    private(set) var nodes: [Node] = []
    private(set) var names: [UInt8] = []
    private(set) var fields: [Field] = []
    private(set) var choices: [Int32] = []
    /// Members of the root, or of an array's objects, that hold objects are channels with the root's fields.
    var objectsAreChannels = false
    /// The root may be an array of objects, each with a time of its own.
    var takesBatches = false
    /// A member that is not named is an error and not just unknown.
    var isStrict = false

    static let maximumSiblings = 256
    static let maximumDepth = 8
    static let wildcard = "*"

    private final class Draft {
        var children: [(name: String, draft: Draft)] = []
        private var places: [String: Int] = [:]
        var role: Role = .object
        var fields: [Int32] = []

        func child(_ name: String) -> Draft {
            if let known = places[name] { return children[known].draft }
            let new = Draft()
            places[name] = children.count
            children.append((name, new))
            return new
        }
    }

    /// Nil when an object would have more than `maximumSiblings` members, or a path is longer than `maximumDepth`.
    init?(fields: [Field], time: [[String]], ignored: [[String]]) {
        let root = Draft()
        for (index, field) in fields.enumerated() {
            FieldTree.draft(at: field.path, under: root).fields.append(Int32(index))
        }
        for path in time { FieldTree.draft(at: path, under: root).role = .time }
        for path in ignored { FieldTree.draft(at: path, under: root).role = .ignored }
        self.fields = fields
        // Breadth first: children of one node get consecutive indexes.
        var queue: [(draft: Draft, depth: Int)] = [(root, 0)]
        nodes = [Node(nameStart: 0, nameLength: 0, parent: -1)]
        nodes[0].role = role(of: root)
        var at = 0
        while at < queue.count {
            let (draft, depth) = queue[at]
            guard draft.children.count <= FieldTree.maximumSiblings, depth <= FieldTree.maximumDepth else { return nil }
            nodes[at].firstChild = Int32(nodes.count)
            nodes[at].childCount = Int32(draft.children.count)
            // The wildcard comes last: it takes only what no name took.
            let named = draft.children.filter { $0.name != FieldTree.wildcard }
            for (name, child) in named + draft.children.filter({ $0.name == FieldTree.wildcard }) {
                let bytes = name == FieldTree.wildcard ? [] : Array(name.utf8)
                var node = Node(
                    nameStart: Int32(names.count), nameLength: Int32(bytes.count), parent: Int32(at),
                    role: role(of: child))
                if name == FieldTree.wildcard { node.nameLength = -1 }
                names += bytes
                nodes.append(node)
                queue.append((child, depth + 1))
            }
            at += 1
        }
    }

    private static func draft(at path: [String], under root: Draft) -> Draft {
        path.reduce(root) { $0.child($1) }
    }

    private mutating func role(of draft: Draft) -> Role {
        guard !draft.fields.isEmpty else { return draft.role }
        let first = choices.count
        choices += draft.fields
        return .field(first: Int32(first), count: Int32(draft.fields.count))
    }

    func children(of node: Node) -> Range<Int> {
        Int(node.firstChild)..<Int(node.firstChild + node.childCount)
    }

    /// The node at `path`; nil where the profile names none.
    func node(at path: [String]) -> Int? {
        var at = 0
        for name in path {
            guard let child = children(of: nodes[at]).first(where: { self.name(of: $0) == name }) else { return nil }
            at = child
        }
        return at
    }

    /// The first field at `node` that needs no sibling; nil when there is none.
    func plainField(at node: Int) -> Int? {
        guard case .field(let first, let count) = nodes[node].role else { return nil }
        return choices[Int(first)..<Int(first + count)].map(Int.init).first {
            fields[$0].beside.isEmpty && fields[$0].when == nil
        }
    }

    func name(of node: Int) -> String {
        let node = nodes[node]
        guard node.nameLength >= 0 else { return FieldTree.wildcard }
        return String(decoding: names[Int(node.nameStart)..<Int(node.nameStart + node.nameLength)], as: UTF8.self)
    }

    /// For messages to people: `ENERGY.Power`.
    func path(of node: Int) -> String {
        var names: [String] = []
        var at = node
        while at > 0 {
            names.append(name(of: at))
            at = Int(nodes[at].parent)
        }
        return Field.text(names.reversed())
    }

    func isWithin(_ node: Int, _ ancestor: Int) -> Bool {
        var at = node
        while at >= 0 {
            if at == ancestor { return true }
            at = Int(nodes[at].parent)
        }
        return false
    }
}
