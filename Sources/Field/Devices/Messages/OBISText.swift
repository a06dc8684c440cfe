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

    /// `(00124.477)`
    static func valueAlone(_ line: UnsafeRawBufferPointer) -> OBISLine? {
        let line = trimmed(line)
        guard line.count > 2, line.first == UInt8(ascii: "("), line.last == UInt8(ascii: ")") else { return nil }
        return OBISLine(value: UnsafeRawBufferPointer(rebasing: line[1..<line.count - 1]))
    }

    private init(value: UnsafeRawBufferPointer) {
        code = UnsafeRawBufferPointer(rebasing: value[..<0])
        self.value = value
        unit = code
        time = nil
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
        // By the second digit of a code: what kind of meter is connected there.
        var kinds: [UInt8: [UInt8]] = [:]
        // Before DSMR 4 a gas meter's value stands alone on the line behind its own.
        var pending: [UInt8]?
        for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            guard message.samples.count < MessageDecoder.maximumLines else {
                return message.report(.outOfRange, at: "the telegram")
            }
            if let code = pending, let value = OBISLine.valueAlone(UnsafeRawBufferPointer(rebasing: line)) {
                take(code, value, nil, route, received: received, into: &message)
            }
            pending = nil
            guard let line = OBISLine(UnsafeRawBufferPointer(rebasing: line)) else { continue }
            if line.code.elementsEqual("0-0:1.0.0".utf8) {
                if case .instant(let instant) = TimeText.read(line.value) {
                    time = TimeText.trust(instant, received: received)
                }
                continue
            }
            let meter = line.code.count > 2 ? line.code[2] : 0
            if line.code.count == 10, line.code[3...].elementsEqual(":24.1.0".utf8) { kinds[meter] = Array(line.value) }
            var code = Array(line.code)
            let isVolume = code.count == 10 && code[3...].starts(with: ":24.2.".utf8)
            if isVolume, let kind = kinds[meter], kind != Array("003".utf8), kind != Array("3".utf8) {
                code += Array("@".utf8) + kind.prefix(3)
            }
            if code.count == 10, code[3...].elementsEqual(":24.3.0".utf8) {
                pending = Array(code[..<3]) + Array(":24.2.1".utf8)
                continue
            }
            take(code, line, line.time, route, received: received, into: &message)
        }
        for i in first..<message.samples.count where message.samples[i].time == .none {
            message.samples[i].time = time
            if time == .untrusted { message.samples[i].flags.insert(.timeUntrusted) }
        }
    }

    /// More lines than any telegram has.
    private static let maximumLines = 256

    private func take(
        _ code: [UInt8], _ line: OBISLine, _ time: UnsafeRawBufferPointer?, _ route: Route, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        let tree = trees[Int(route.tree)]
        let table = table(Int(route.tree))
        let children = table.pointee.children(of: Int(route.node))
        let found = code.withUnsafeBytes { table.pointee.find($0, among: children, from: children.lowerBound) }
        guard let node = found, table.pointee.nodes[node].nameLength >= 0, let index = tree.plainField(at: node)
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
            if let text = time, case .instant(let instant) = TimeText.read(text) {
                sample.time = TimeText.trust(instant, received: received)
                if sample.time == .untrusted { sample.flags.insert(.timeUntrusted) }
            }
            message.append(sample, DecodedMessage.Origin(node: Int32(node), field: Int32(index), place: 0))
        }
    }
}
