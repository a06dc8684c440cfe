import Metering
import Timekeeping

/// What edge nodes and their devices said in their birth certificates: data may name its metrics by numbers alone.
final class SparkplugNodes {
    struct Metric {
        var datatype: UInt64?
        /// Nil: nothing that is measured.
        var measured: AnnouncedQuantity?
        var channel: Channel
    }

    /// A node, or a device behind it.
    struct Source {
        var metrics: [String: Metric] = [:]
        var aliases: [UInt64: String] = [:]
    }

    struct Node {
        /// Of the node itself under an empty name.
        var sources: [String: Source] = [:]
        var lastSequence: UInt8?
        var birth: UInt64?
    }

    static let maximumNodes = 1024
    static let maximumSources = 256
    static let maximumMetrics = 1024

    /// By `group/node`.
    var nodes: [String: Node] = [:]
    /// Nodes whose values cannot be used before they say again who they are; a gateway that may publish asks for it.
    private(set) var unknown: Set<String> = []

    func needsBirth(_ node: String) {
        nodes[node] = nil
        if unknown.count < SparkplugNodes.maximumNodes { unknown.insert(node) }
    }

    func isBorn(_ node: String) { unknown.remove(node) }
}

/// A payload's frame around its metrics.
private struct SparkplugPayload {
    var timestamp: UInt64?
    var sequence: UInt64?
    var metrics: [SparkplugMetric] = []

    init(_ bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (1, .varint(let value)): timestamp = value
            case (2, .bytes(let metric)):
                guard metrics.count < SparkplugNodes.maximumMetrics else { throw ProtobufReader.Malformed() }
                metrics.append(try SparkplugMetric(metric))
            case (3, .varint(let value)): sequence = value
            default: break
            }
        }
    }

    var birth: UInt64? {
        for metric in metrics where metric.name == "bdSeq" {
            if case .integer(let value) = metric.value(as: 8) { return UInt64(exactly: value) }
        }
        return nil
    }
}

extension MessageDecoder {
    func readSparkplug(
        _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        guard topic.count <= Announcements.maximumTopicLength else { return }
        let levels = String(decoding: topic, as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
        guard levels.count == 4 || levels.count == 5, levels[1] != "STATE" else { return }
        let kind = levels[2]
        let kinds: [Substring] = levels.count == 4 ? ["NBIRTH", "NDATA", "NDEATH"] : ["DBIRTH", "DDATA", "DDEATH"]
        // Commands, which a wildcard brings along.
        guard kinds.contains(kind) else { return }
        let node = "\(levels[1])/\(levels[3])"
        let device = levels.count == 5 ? String(levels[4]) : ""
        let address = "mqtt:\(profiles[Int(route.profile)].name):\(node)" + (device.isEmpty ? "" : "/\(device)")
        guard address.utf8.count <= Binding.maximumLength else { return }
        let content: SparkplugPayload
        do throws(ProtobufReader.Malformed) { content = try SparkplugPayload(payload) } catch {
            return message.outcome = .malformed(.sparkplug("is no protocol buffer, or has too many metrics"))
        }
        switch kind {
        case "NBIRTH", "DBIRTH":
            guard takeBirth(content, node, device, into: &message), number(address, &message) else { return }
            read(content, node, device, received: received, into: &message)
            if message.samples.isEmpty { message.outcome = .availability(true) }
        case "NDEATH", "DDEATH":
            // A will that belongs to an earlier birth was overtaken by the node's return.
            let own = sparkplug.nodes[node]?.birth
            if kind == "NDEATH", let birth = content.birth, let own, birth != own { return }
            if kind == "NDEATH" { sparkplug.nodes[node] = nil } else { sparkplug.nodes[node]?.sources[device] = nil }
            guard number(address, &message) else { return }
            message.outcome = .availability(false)
        default:
            guard isInOrder(content, node), sparkplug.nodes[node]?.sources[device] != nil else {
                return message.unknownCount += content.metrics.count
            }
            guard number(address, &message) else { return }
            read(content, node, device, received: received, into: &message)
        }
    }

    /// Whether the payload follows the node's last one. The same once more is a repetition, anything else a loss.
    private func isInOrder(_ content: SparkplugPayload, _ node: String) -> Bool {
        guard let sequence = content.sequence.flatMap({ UInt8(exactly: $0) }) else { return true }
        guard let last = sparkplug.nodes[node]?.lastSequence else {
            sparkplug.needsBirth(node)
            return false
        }
        if sequence == last { return false }
        guard sequence == last &+ 1 else {
            sparkplug.needsBirth(node)
            return false
        }
        sparkplug.nodes[node]?.lastSequence = sequence
        return true
    }

    private func takeBirth(
        _ content: SparkplugPayload, _ node: String, _ device: String, into message: inout DecodedMessage
    ) -> Bool {
        if device.isEmpty {
            guard sparkplug.nodes[node] != nil || sparkplug.nodes.count < SparkplugNodes.maximumNodes else {
                message.outcome = .malformed(.sparkplug("is of one node more than \(SparkplugNodes.maximumNodes)"))
                return false
            }
            let sequence = content.sequence.flatMap { UInt8(exactly: $0) } ?? 0
            sparkplug.nodes[node] = SparkplugNodes.Node(lastSequence: sequence, birth: content.birth)
            sparkplug.isBorn(node)
        } else {
            guard isInOrder(content, node), let known = sparkplug.nodes[node],
                known.sources.count < SparkplugNodes.maximumSources || known.sources[device] != nil
            else { return false }
        }
        var source = SparkplugNodes.Source()
        for metric in content.metrics {
            guard let name = metric.name, !name.isEmpty else { continue }
            if let alias = metric.alias { source.aliases[alias] = name }
            source.metrics[name] = SparkplugMetricReader.metric(metric, name, among: source.metrics)
        }
        sparkplug.nodes[node]?.sources[device] = source
        return true
    }

    private func read(
        _ content: SparkplugPayload, _ node: String, _ device: String, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        guard let source = sparkplug.nodes[node]?.sources[device] else { return }
        for metric in content.metrics where !metric.isHistorical {
            guard let name = metric.name ?? metric.alias.flatMap({ source.aliases[$0] }),
                let known = source.metrics[name], let measured = known.measured
            else {
                message.unknownCount += 1
                continue
            }
            let result: Int64?
            switch metric.value(as: known.datatype) {
            case .none:
                message.noValueCount += 1
                continue
            case .other:
                message.report(.wrongType(expected: "a number"), at: name)
                continue
            case .integer(let value):
                result = measured.conversion.thousandths(DecimalText(mantissa: Int128(value), exponent: 0))
            case .real(let value):
                guard value.isFinite else {
                    message.noValueCount += 1
                    continue
                }
                result = measured.conversion.thousandths(value)
            }
            guard let result else {
                message.report(.outOfRange, at: name)
                continue
            }
            var sample = Sample(channel: known.channel, quantity: measured.quantity, value: result)
            if let stated = metric.timestamp ?? content.timestamp, let time = Int64(exactly: stated) {
                sample.time = TimeText.trust(Timestamp(milliseconds: time), received: received)
                if sample.time == .untrusted { sample.flags.insert(.timeUntrusted) }
            }
            message.append(sample, DecodedMessage.Origin(node: 0, field: -1, place: 0))
        }
    }
}

private enum SparkplugMetricReader {
    static func metric(
        _ metric: SparkplugMetric, _ name: String, among others: [String: SparkplugNodes.Metric]
    ) -> SparkplugNodes.Metric {
        let measured = try? AnnouncedQuantity(
            deviceClass: metric.unit.map { ["°C", "C", "°F", "K"].contains($0) ? "temperature" : "" } ?? "",
            unit: metric.unit ?? "", name: name)
        var channel = AnnouncedChannel.hint(name) ?? .total
        let isTaken = others.contains {
            $0.key != name && $0.value.channel == channel && $0.value.measured?.quantity == measured?.quantity
        }
        if isTaken { channel = AnnouncedChannel.slug(name) ?? channel }
        return SparkplugNodes.Metric(datatype: metric.datatype, measured: measured, channel: channel)
    }
}
