import JSONScanner
import Metering
import Timekeeping

/// One line of a meter's telegram: `1-0:1.8.1(006120.114*kWh)`, `0-1:24.2.1(240511080000S)(04139.079*m3)`.
struct OBISLine {
    let code: UnsafeRawBufferPointer
    /// What stands in the last pair of brackets, up to its unit.
    let value: UnsafeRawBufferPointer
    let unit: UnsafeRawBufferPointer
    /// What stands in the first of several pairs: the meter's own time of the value.
    let time: UnsafeRawBufferPointer?

    /// Nil for what is no such line.
    init?(_ line: UnsafeRawBufferPointer) {
        let line = trimmed(line)
        guard let open = line.firstIndex(of: UInt8(ascii: "(")), line.last == UInt8(ascii: ")") else { return nil }
        code = UnsafeRawBufferPointer(rebasing: line[..<open])
        var groups: [Range<Int>] = []
        var at = open
        while at < line.count {
            guard line[at] == UInt8(ascii: "("), groups.count < 16,
                let close = line[at...].firstIndex(of: UInt8(ascii: ")"))
            else { return nil }
            groups.append(at + 1..<close)
            at = close + 1
        }
        guard let last = groups.last, !code.isEmpty else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: line[last])
        let star = body.firstIndex(of: UInt8(ascii: "*")) ?? body.count
        value = UnsafeRawBufferPointer(rebasing: body[..<star])
        unit = UnsafeRawBufferPointer(rebasing: body[min(star + 1, body.count)...])
        time = groups.count == 2 ? UnsafeRawBufferPointer(rebasing: line[groups[0]]) : nil
    }
}

extension MessageDecoder {
    /// Lines, each a field by its code. The line `0-0:1.0.0` is the telegram's time.
    func readOBIS(
        _ route: Route, _ payload: UnsafeRawBufferPointer, received: Timestamp, into message: inout DecodedMessage
    ) {
        guard case .obis(let root) = rules[Int(route.rule)].topic.payload else { return }
        guard !root.isEmpty else {
            return readOBIS(payload, route, received: received, into: &message)
        }
        let text = withoutByteOrderMark(trimmed(payload))
        scan(text, into: &message) { [self] document, _, message in
            guard let lines = document.descendant(root)?.string() else { return }
            Array(lines.utf8).withUnsafeBytes { readOBIS($0, route, received: received, into: &message) }
        }
    }

    private func readOBIS(
        _ text: UnsafeRawBufferPointer, _ route: Route, received: Timestamp, into message: inout DecodedMessage
    ) {
        var time = SampleTime.none
        let first = message.samples.count
        for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            guard message.samples.count < MessageDecoder.maximumLines else {
                return message.report(.outOfRange, at: "the telegram")
            }
            guard let line = OBISLine(UnsafeRawBufferPointer(rebasing: line)) else { continue }
            if line.code.elementsEqual("0-0:1.0.0".utf8) {
                if case .instant(let instant) = TimeText.read(line.value) {
                    time = TimeText.trust(instant, received: received)
                }
                continue
            }
            take(line, route, received: received, into: &message)
        }
        for i in first..<message.samples.count where message.samples[i].time == .none {
            message.samples[i].time = time
            if time == .untrusted { message.samples[i].flags.insert(.timeUntrusted) }
        }
    }

    /// More lines than any telegram has.
    private static let maximumLines = 256

    private func take(
        _ line: OBISLine, _ route: Route, received: Timestamp, into message: inout DecodedMessage
    ) {
        let tree = trees[Int(route.tree)]
        let table = table(Int(route.tree))
        let children = table.pointee.children(of: Int(route.node))
        guard let node = table.pointee.find(line.code, among: children, from: children.lowerBound),
            let index = tree.plainField(at: node)
        else {
            message.unknownCount += 1
            return
        }
        let field = tree.fields[index]
        var conversion = field.conversion
        if !line.unit.isEmpty {
            let name = String(decoding: line.unit.prefix(16), as: UTF8.self)
            guard let stated = Conversion(unit: name, of: field.quantity) else {
                return message.report(.unknownUnit(name), at: field.pathText)
            }
            conversion = stated
        }
        switch field.value(of: line.value, conversion: conversion) {
        case .noValue: message.noValueCount += 1
        case .wrong(let error): message.report(error, at: field.pathText)
        case .value(let value):
            var sample = Sample(channel: field.channel ?? .total, quantity: field.quantity, value: value)
            if let text = line.time, case .instant(let instant) = TimeText.read(text) {
                sample.time = TimeText.trust(instant, received: received)
                if sample.time == .untrusted { sample.flags.insert(.timeUntrusted) }
            }
            message.append(sample, DecodedMessage.Origin(node: Int32(node), field: Int32(index), place: 0))
        }
    }
}
