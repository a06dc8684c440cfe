import Metering
import Timekeeping

/// A payload's frame around its metrics, all of which can be read.
private struct SparkplugPayload {
    var timestamp: UInt64?
    var sequence: UInt64?
    private(set) var count = 0
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        self.bytes = bytes
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (1, .varint(let value)): timestamp = value
            case (2, .bytes(let metric)):
                guard count < SparkplugNodes.maximumMetrics else { throw ProtobufReader.Malformed() }
                _ = try SparkplugMetric(metric)
                count += 1
            case (3, .varint(let value)): sequence = value
            default: break
            }
        }
    }

    /// Read once more instead of kept: data comes all the time and asks for no memory.
    func forEachMetric(_ body: (SparkplugMetric) -> Void) {
        var reader = ProtobufReader(bytes)
        while let (number, value) = try? reader.next() {
            if number == 2, case .bytes(let bytes) = value, let metric = try? SparkplugMetric(bytes) { body(metric) }
        }
    }

    var birth: UInt64? {
        var birth: UInt64?
        forEachMetric { metric in
            guard birth == nil, metric.name.elementsEqual("bdSeq".utf8), case .integer(let value) = metric.value(as: 8)
            else { return }
            birth = UInt64(exactly: value)
        }
        return birth
    }
}

extension MessageDecoder {
    func readSparkplug(
        _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        // Data on a topic that was heard before.
        if let source = sparkplug.source(of: route.device) {
            guard let content = content(payload, &message) else { return }
            guard isInOrder(content, source.node.name, source.node) else {
                return message.unknownCount += content.count
            }
            message.device = Int(route.device)
            return read(content, source, received: received, into: &message)
        }
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
        guard address.utf8.count <= Binding.maximumLength, let content = content(payload, &message) else { return }
        switch kind {
        case "NBIRTH", "DBIRTH":
            guard let source = takeBirth(content, node, device, into: &message), number(address, &message)
            else { return }
            read(content, source, received: received, into: &message)
            if message.samples.isEmpty { message.outcome = .availability(true) }
        case "NDEATH", "DDEATH":
            // A will that belongs to an earlier birth was overtaken by the node's return.
            let known = sparkplug.nodes[node]
            if kind == "NDEATH", let birth = content.birth, let own = known?.birth, birth != own { return }
            if kind == "NDEATH" {
                sparkplug.forget(node)
            } else if let known {
                sparkplug.set(nil, of: device, behind: known)
            }
            guard number(address, &message) else { return }
            message.outcome = .availability(false)
        default:
            guard isInOrder(content, node, sparkplug.nodes[node]),
                let source = sparkplug.nodes[node]?.sources[device]
            else { return message.unknownCount += content.count }
            guard number(address, &message) else { return }
            remember(source, of: message)
            read(content, source, received: received, into: &message)
        }
    }

    private func content(
        _ payload: UnsafeRawBufferPointer, _ message: inout DecodedMessage
    ) -> SparkplugPayload? {
        do throws(ProtobufReader.Malformed) { return try SparkplugPayload(payload) } catch {
            message.outcome = .malformed(.sparkplug("is no protocol buffer, or has too many metrics"))
            return nil
        }
    }

    /// Of whom the topic's data is, for the next message on it.
    private func remember(_ source: SparkplugNodes.Source, of message: DecodedMessage) {
        guard message.entry >= 0, message.entry < cache.count else { return }
        sparkplug.remember(source, as: message.device)
        cache.entry(message.entry).pointee.route.device = Int32(message.device)
    }

    /// Whether the payload follows the node's last one. The same once more is a repetition, anything else a loss.
    private func isInOrder(_ content: SparkplugPayload, _ name: String, _ node: SparkplugNodes.Node?) -> Bool {
        guard let sequence = content.sequence.flatMap({ UInt8(exactly: $0) }) else { return true }
        guard let node, let last = node.lastSequence else {
            sparkplug.needsBirth(name)
            return false
        }
        if sequence == last { return false }
        guard sequence == last &+ 1 else {
            sparkplug.needsBirth(name)
            return false
        }
        node.lastSequence = sequence
        return true
    }

    private func takeBirth(
        _ content: SparkplugPayload, _ name: String, _ device: String, into message: inout DecodedMessage
    ) -> SparkplugNodes.Source? {
        let node: SparkplugNodes.Node
        if device.isEmpty {
            let sequence = content.sequence.flatMap { UInt8(exactly: $0) } ?? 0
            node = SparkplugNodes.Node(name, lastSequence: sequence, birth: content.birth)
            guard sparkplug.takeBirth(node) else {
                message.outcome = .malformed(.sparkplug("is of one node more than \(SparkplugNodes.maximumNodes)"))
                return nil
            }
        } else {
            guard isInOrder(content, name, sparkplug.nodes[name]), let known = sparkplug.nodes[name],
                known.sources.count < SparkplugNodes.maximumSources || known.sources[device] != nil
            else { return nil }
            node = known
        }
        let source = SparkplugNodes.Source(node)
        content.forEachMetric { metric in
            guard let name = String(validating: metric.name, as: UTF8.self), !name.isEmpty else { return }
            source.add(SparkplugMetricReader.metric(metric, name, among: source.metrics), alias: metric.alias)
        }
        sparkplug.set(source, of: device, behind: node)
        return source
    }

    private func read(
        _ content: SparkplugPayload, _ source: SparkplugNodes.Source, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        content.forEachMetric { metric in
            if metric.isHistorical { return }
            guard let place = source.place(of: metric), let measured = source.metrics[place].measured else {
                return message.unknownCount += 1
            }
            let result: Int64?
            switch metric.value(as: source.metrics[place].datatype) {
            case .none: return message.noValueCount += 1
            case .other: return message.report(.wrongType(expected: "a number"), at: source.name(place))
            case .integer(let value):
                result = measured.conversion.thousandths(DecimalText(mantissa: Int128(value), exponent: 0))
            case .real(let value):
                guard value.isFinite else { return message.noValueCount += 1 }
                result = measured.conversion.thousandths(value)
            }
            guard let result else { return message.report(.outOfRange, at: source.name(place)) }
            var sample = Sample(
                channel: source.metrics[place].channel, quantity: measured.quantity, value: result)
            if let stated = metric.timestamp ?? content.timestamp, let time = Int64(exactly: stated) {
                sample.time = TimeText.trust(Timestamp(milliseconds: time), received: received)
                if sample.time == .untrusted { sample.flags.insert(.timeUntrusted) }
            }
            message.append(sample, DecodedMessage.Origin(node: 0, field: -1, place: 0))
        }
    }
}

extension SparkplugNodes.Source {
    /// For people.
    fileprivate func name(_ place: Int) -> String { String(decoding: metrics[place].name, as: UTF8.self) }
}

private enum SparkplugMetricReader {
    static func metric(
        _ metric: SparkplugMetric, _ name: String, among others: [SparkplugNodes.Metric]
    ) -> SparkplugNodes.Metric {
        let unit = metric.unit
        let measured = try? AnnouncedQuantity(
            deviceClass: unit.map { ["°C", "C", "°F", "K"].contains($0) ? "temperature" : "" } ?? "",
            unit: unit ?? "", name: name)
        let bytes = Array(name.utf8)
        var channel = AnnouncedChannel.hint(name) ?? .total
        let isTaken = others.contains {
            $0.name != bytes && $0.channel == channel && $0.measured?.quantity == measured?.quantity
        }
        if isTaken { channel = AnnouncedChannel.slug(name) ?? channel }
        return SparkplugNodes.Metric(name: bytes, datatype: metric.datatype, measured: measured, channel: channel)
    }
}
