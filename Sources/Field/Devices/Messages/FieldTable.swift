import Glibc
import Metering

/// A field tree laid out for the walk of one message after another: plain memory, in which a node is read without
/// touching the reference count of an array. Lives as long as its decoder, which frees it.
struct FieldTable {
    /// What the walk needs of a field whenever it meets it.
    struct Target {
        let conversion: Conversion
        let quantity: Quantity
        /// Where neither the payload nor the path names one.
        let channel: Channel
        /// The field says which channel, whatever the path's `*` stood for.
        let hasChannel: Bool
        let takesArrays: Bool
        /// None of the rarer options below: a number is all there is to it.
        let isSimple: Bool
        let hasUnit: Bool
        let hasConditions: Bool
        /// A term of combinations, or an amount that counts once.
        let needsSettling: Bool
    }

    let nodes: UnsafeBufferPointer<FieldTree.Node>
    /// By the index of `FieldTree.fields`.
    let targets: UnsafeBufferPointer<Target>
    let choices: UnsafeBufferPointer<Int32>
    /// Twice as many as nodes: which were met in the object that is walked, and in a channel's object within it.
    let marks: UnsafeMutableBufferPointer<Bool>
    private let names: UnsafeBufferPointer<UInt8>
    let objectsAreChannels: Bool
    let isStrict: Bool

    init(_ tree: FieldTree) {
        nodes = FieldTable.copy(tree.nodes)
        names = FieldTable.copy(tree.names)
        choices = FieldTable.copy(tree.choices)
        marks = .allocate(capacity: tree.nodes.count * 2)
        marks.initialize(repeating: false)
        targets = FieldTable.copy(
            tree.fields.map { field in
                Target(
                    conversion: field.conversion, quantity: field.quantity,
                    channel: field.channel ?? .total, hasChannel: field.channel != nil,
                    takesArrays: field.takesArrays,
                    isSimple: field.noValue.isEmpty && field.words.isEmpty && field.validIf.isEmpty
                        && field.sign == nil && field.once == nil && !field.mayBePercent && !field.takesComma
                        && !field.takesUnit,
                    hasUnit: !field.unitPath.isEmpty, hasConditions: field.hasConditions,
                    needsSettling: !field.name.isEmpty || field.isHidden || field.once != nil)
            })
        objectsAreChannels = tree.objectsAreChannels
        isStrict = tree.isStrict
    }

    func deallocate() {
        nodes.deallocate()
        names.deallocate()
        targets.deallocate()
        choices.deallocate()
        marks.deallocate()
    }

    /// Of plain values: freed without a look at them.
    private static func copy<T>(_ elements: [T]) -> UnsafeBufferPointer<T> {
        let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        return UnsafeBufferPointer(memory)
    }

    func children(of node: Int) -> Range<Int> {
        let first = Int(nodes[node].firstChild)
        return first..<first + Int(nodes[node].childCount)
    }

    /// Looks from `hint` to the end, then from the start; the wildcard last.
    func find(_ key: UnsafeRawBufferPointer, among children: Range<Int>, from hint: Int) -> Int? {
        for index in hint..<max(hint, children.upperBound) where isNamed(index, key) { return index }
        for index in children.lowerBound..<min(hint, children.upperBound) where isNamed(index, key) { return index }
        guard let last = children.last, nodes[last].nameLength < 0 else { return nil }
        return last
    }

    @inline(__always)
    private func isNamed(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        let node = nodes[index]
        guard Int(node.nameLength) == key.count, let base = key.baseAddress, let names = names.baseAddress
        else { return false }
        return memcmp(names + Int(node.nameStart), base, key.count) == 0
    }
}
