import Metering

/// What edge nodes and their devices said in their birth certificates: data may name its metrics by numbers alone.
final class SparkplugNodes {
    struct Metric {
        let name: [UInt8]
        var datatype: UInt64?
        /// Nil: nothing that is measured.
        var measured: AnnouncedQuantity?
        var channel: Channel
    }

    /// A node, or a device behind it, from a birth to its death or the next birth.
    final class Source {
        unowned let node: Node
        private(set) var metrics: [Metric] = []
        private var aliases: [UInt64: Int] = [:]
        /// By the name's hash, of the first that has it.
        private var names: [UInt64: Int] = [:]

        init(_ node: Node) { self.node = node }

        func add(_ metric: Metric, alias: UInt64?) {
            if let alias { aliases[alias] = metrics.count }
            let hash = metric.name.withUnsafeBytes { TopicCache.hash($0) }
            if names[hash] == nil { names[hash] = metrics.count }
            metrics.append(metric)
        }

        /// Where a metric of data is among those of the birth.
        func place(of metric: SparkplugMetric) -> Int? {
            guard !metric.name.isEmpty else { return metric.alias.flatMap { aliases[$0] } }
            guard let first = names[TopicCache.hash(metric.name)] else { return nil }
            if metrics[first].name.elementsEqual(metric.name) { return first }
            return metrics.firstIndex { $0.name.elementsEqual(metric.name) }
        }
    }

    final class Node {
        let name: String
        /// Of the node itself under an empty name.
        var sources: [String: Source] = [:]
        var lastSequence: UInt8?
        var birth: UInt64?

        init(_ name: String, lastSequence: UInt8, birth: UInt64?) {
            self.name = name
            self.lastSequence = lastSequence
            self.birth = birth
        }
    }

    static let maximumNodes = 1024
    static let maximumSources = 256
    static let maximumMetrics = 1024

    /// By `group/node`.
    private(set) var nodes: [String: Node] = [:]
    /// By the decoder's device number, for topics that were heard before; none of a node that is forgotten.
    private var sources: [Source?] = []
    /// Nodes whose values cannot be used before they say again who they are; a gateway that may publish asks for it.
    private(set) var unknown: Set<String> = []

    func needsBirth(_ node: String) {
        forget(node)
        if unknown.count < SparkplugNodes.maximumNodes { unknown.insert(node) }
    }

    /// False when there is no room for one more.
    func takeBirth(_ node: Node) -> Bool {
        guard nodes[node.name] != nil || nodes.count < SparkplugNodes.maximumNodes else { return false }
        forget(node.name)
        nodes[node.name] = node
        unknown.remove(node.name)
        return true
    }

    func forget(_ name: String) {
        guard let node = nodes.removeValue(forKey: name) else { return }
        for i in sources.indices where sources[i]?.node === node { sources[i] = nil }
    }

    /// A device behind a node is born anew or, without a source, has died.
    func set(_ source: Source?, of device: String, behind node: Node) {
        if let old = node.sources[device] {
            for i in sources.indices where sources[i] === old { sources[i] = nil }
        }
        node.sources[device] = source
    }

    func source(of number: Int32) -> Source? {
        number >= 0 && number < sources.count ? sources[Int(number)] : nil
    }

    func remember(_ source: Source, as number: Int) {
        if number >= sources.count {
            sources.append(contentsOf: repeatElement(nil, count: number + 1 - sources.count))
        }
        sources[number] = source
    }
}
