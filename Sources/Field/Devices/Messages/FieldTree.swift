import Metering

/// What one named value of a payload, or of a topic, becomes.
package struct Field: Hashable, Sendable {
    /// What to do when another member stands in the same object.
    struct Beside: Hashable, Sendable {
        /// Bits of the siblings in the parent node.
        var siblings: [String]
        /// Nil drops the sample.
        var quantity: Quantity?
    }

    var path: [String]
    var quantity: Quantity
    var conversion: Conversion
    /// The channel of a single value; nil: named by the path's `*`.
    var channel: Channel?
    /// Arrays give one sample per element; else an array is a wrong type.
    var takesArrays = true
    /// Adds the elements of an array up to a derived value of channel `total`.
    var sums = false
    /// Source values that mean "no value", in thousandths after conversion.
    var noValue: [Int64] = []
    /// A member of the root that names the unit.
    var unitPath: [String] = []
    var beside: Beside?

    var name: String { path.joined(separator: ".") }
}

/// The members that a payload may have, as a tree that is walked together with the payload.
///
/// Children of one node stand side by side and in the order of the profile. Devices write their members in the same
/// order every time, so a search that starts behind the last hit mostly needs one comparison.
struct FieldTree: Hashable, Sendable {
    enum Role: Hashable, Sendable {
        case object
        case field(Int)
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
        /// Bits of the children that make this field mean something else.
        var beside: UInt64 = 0
    }

    /// The root is node 0.
    private(set) var nodes: [Node] = []
    private(set) var names: [UInt8] = []
    private(set) var fields: [Field] = []
    /// Members of the root, or of an array's objects, that hold objects are channels with the root's fields.
    var objectsAreChannels = false
    /// The root may be an array of objects, each with a time of its own.
    var takesBatches = false
    /// A member that is not named is an error and not just unknown.
    var isStrict = false

    static let maximumSiblings = 64
    static let maximumDepth = 8
    static let wildcard = "*"

    private final class Draft {
        var children: [(name: String, draft: Draft)] = []
        var role: Role = .object

        func child(_ name: String) -> Draft {
            if let known = children.first(where: { $0.name == name }) { return known.draft }
            let new = Draft()
            children.append((name, new))
            return new
        }
    }

    /// Nil when an object would have more than `maximumSiblings` members, or a path is longer than `maximumDepth`.
    init?(fields: [Field], time: [String]?, ignored: [[String]]) {
        let root = Draft()
        for (index, field) in fields.enumerated() {
            FieldTree.place(field.path, .field(index), under: root)
        }
        if let time { FieldTree.place(time, .time, under: root) }
        for path in ignored { FieldTree.place(path, .ignored, under: root) }
        self.fields = fields
        // Breadth first: children of one node get consecutive indexes.
        var queue: [(draft: Draft, depth: Int)] = [(root, 0)]
        nodes = [Node(nameStart: 0, nameLength: 0, parent: -1)]
        nodes[0].role = root.role
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
                    nameStart: Int32(names.count), nameLength: Int32(bytes.count), parent: Int32(at), role: child.role)
                if name == FieldTree.wildcard { node.nameLength = -1 }
                names += bytes
                nodes.append(node)
                queue.append((child, depth + 1))
            }
            at += 1
        }
        resolveSiblings()
    }

    private static func place(_ path: [String], _ role: Role, under root: Draft) {
        var draft = root
        for name in path { draft = draft.child(name) }
        draft.role = role
    }

    private mutating func resolveSiblings() {
        for index in nodes.indices {
            guard case .field(let field) = nodes[index].role, let beside = fields[field].beside else { continue }
            let parent = nodes[Int(nodes[index].parent)]
            for (bit, child) in children(of: parent).enumerated() where beside.siblings.contains(name(of: child)) {
                nodes[index].beside |= 1 << UInt64(bit)
            }
        }
    }

    func children(of node: Node) -> Range<Int> {
        Int(node.firstChild)..<Int(node.firstChild + node.childCount)
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
        return names.reversed().joined(separator: ".")
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
