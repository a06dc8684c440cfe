import JSONScanner
import Metering
import Timekeeping

extension MessageDecoder {
    /// A field's value: one number, or an array with a number per output or phase.
    func takeField(
        _ value: JSONValue, of object: JSONValue, field index: Int, node: Int, name: Channel?,
        _ walk: inout ObjectWalk, into message: inout DecodedMessage
    ) {
        let target = walk.table.pointee.targets[index]
        var conversion = target.conversion
        if target.hasUnit {
            guard let stated = statedConversion(trees[walk.tree].fields[index], node: node, walk, into: &message)
            else { return }
            conversion = stated
        }
        var origin = DecodedMessage.Origin(node: Int32(node), field: Int32(index), place: UInt32(value.offset))
        guard value.kind == .array else {
            let channel = target.hasChannel ? target.channel : walk.channel ?? name ?? target.channel
            guard var result = number(value, index, conversion, node: node, walk.tree, into: &message) else { return }
            if !target.isSimple {
                let field = trees[walk.tree].fields[index]
                guard let signed = signed(result, field, of: object, into: &message) else { return }
                result = signed
                takeKey(field, of: object, into: &origin)
            }
            message.append(Sample(channel: channel, quantity: target.quantity, value: result), origin)
            return
        }
        guard target.takesArrays else {
            message.report(.wrongType(expected: "a number"), at: trees[walk.tree].path(of: node))
            return
        }
        takeArray(value, index, conversion, node: node, &walk, into: &message)
    }

    private func takeArray(
        _ array: JSONValue, _ index: Int, _ conversion: Conversion, node: Int, _ walk: inout ObjectWalk,
        into message: inout DecodedMessage
    ) {
        let quantity = walk.table.pointee.targets[index].quantity
        let count = array.elements.reduce(0) { count, _ in count + 1 }
        let phases = count == 3 && arePhases(&walk)
        let start = arrays(walk.tree).first
        var sum: Int64? = 0
        var position = 0
        for element in array.elements {
            defer { position += 1 }
            guard position < MessageDecoder.maximumElements else {
                message.report(.outOfRange, at: trees[walk.tree].path(of: node))
                return
            }
            guard let value = number(element, index, conversion, node: node, walk.tree, into: &message) else {
                sum = nil
                continue
            }
            let channel = phases ? Channel.phase(position + 1) : Channel.output(start + position)
            message.append(
                Sample(channel: channel, quantity: quantity, value: value),
                DecodedMessage.Origin(node: Int32(node), field: Int32(index), place: UInt32(element.offset)))
            sum = sum.flatMap { sum in
                let (total, overflow) = sum.addingReportingOverflow(value)
                return overflow ? nil : total
            }
        }
        // Only a whole sum is a total.
        if trees[walk.tree].fields[index].sums, count > 0, let sum {
            message.append(
                Sample(channel: .total, quantity: quantity, value: sum, flags: .derived),
                DecodedMessage.Origin(node: Int32(node), field: -1, place: UInt32(count)))
        }
    }

    /// More outputs than any device has.
    private static let maximumElements = 64

    func arrays(_ tree: Int) -> MessageProfile.ArrayChannels { families[tree / 2].profile.arrays }

    private func arePhases(_ walk: inout ObjectWalk) -> Bool {
        if let known = walk.arraysArePhases { return known }
        let path = arrays(walk.tree).phasesWhen
        let value = path.isEmpty ? nil : walk.root.descendant(path)
        let result = value.map { $0.kind == .array && $0.elements.reduce(0) { count, _ in count + 1 } == 3 } ?? false
        walk.arraysArePhases = result
        return result
    }

    /// Nil for "no value", and for what is no number, which is reported.
    private func number(
        _ value: JSONValue, _ index: Int, _ conversion: Conversion, node: Int, _ tree: Int,
        into message: inout DecodedMessage
    ) -> Int64? {
        let isSimple = table(tree).pointee.targets[index].isSimple
        switch value.kind {
        case .null:
            message.noValueCount += 1
            return nil
        case .object, .array:
            message.report(.wrongType(expected: "a number"), at: trees[tree].path(of: node))
            return nil
        case .boolean where isSimple:
            message.report(.wrongType(expected: "a number"), at: trees[tree].path(of: node))
            return nil
        case .boolean, .number, .string: break
        }
        let result = trees[tree].fields[index].value(of: value.text, conversion: conversion, isSimple: isSimple)
        switch result {
        case .value(let value): return value
        case .noValue:
            message.noValueCount += 1
            // A number that means nothing today may mean something in the next message.
            message.isIrregular = true
        case .wrong(.outOfRange): message.report(.outOfRange, at: trees[tree].path(of: node))
        case .wrong(.unknownUnit(let unit)): message.report(.unknownUnit(unit), at: trees[tree].path(of: node))
        case .wrong: message.report(.wrongType(expected: "a number"), at: trees[tree].path(of: node))
        }
        return nil
    }

    /// The unit that the message states for the field, else the profile's.
    private func statedConversion(
        _ field: Field, node: Int, _ walk: ObjectWalk, into message: inout DecodedMessage
    ) -> Conversion? {
        guard let value = walk.root.descendant(field.unitPath), !value.isNull else { return field.conversion }
        message.consulted.append(UInt32(value.offset))
        guard value.kind == .string else {
            message.report(.wrongType(expected: "a unit"), at: field.unitPath.joined(separator: "."))
            return nil
        }
        let text = value.text
        for unit in Conversion.units(of: field.quantity) where text.elementsEqual(unit.name.utf8) {
            return unit.conversion
        }
        message.report(.unknownUnit(DecodeError.excerpt(text)), at: trees[walk.tree].path(of: node))
        return nil
    }

    /// With the sign that a sibling tells; nil when it tells none, or another that the value is not valid.
    private func signed(
        _ value: Int64, _ field: Field, of object: JSONValue, into message: inout DecodedMessage
    ) -> Int64? {
        if !field.validIf.isEmpty, let word = object.member(field.validIf) {
            message.consulted.append(UInt32(word.offset))
            if word.bool == false || word.text.elementsEqual([UInt8(ascii: "0")]) { return noValue(&message) }
        }
        guard let sign = field.sign else { return value }
        guard let word = object.member(sign.sibling) else { return noValue(&message) }
        message.consulted.append(UInt32(word.offset))
        if sign.negative.contains(where: word.text.elementsEqual) { return -value }
        if sign.positive.contains(where: word.text.elementsEqual) { return value }
        return noValue(&message)
    }

    /// A value that counts for nothing still has to be one: its message teaches no shape.
    private func noValue(_ message: inout DecodedMessage) -> Int64? {
        message.noValueCount += 1
        message.isIrregular = true
        return nil
    }

    /// What tells the amount from its repetition, where something does.
    private func takeKey(_ field: Field, of object: JSONValue, into origin: inout DecodedMessage.Origin) {
        guard case .sibling(let name) = field.once, let value = object.member(name), !value.isNull else { return }
        origin.keyPlace = UInt32(value.offset)
        origin.key = TopicCache.hash(value.text) | 1
    }

    func takeTime(
        _ value: JSONValue, node: Int, _ walk: inout ObjectWalk, into message: inout DecodedMessage
    ) {
        if value.isNull || walk.isInChannel { return }
        message.timePlace = UInt32(value.offset)
        message.timeKey = TopicCache.hash(value.text) | 1
        // Families with local times state them in every message; ours must name an instant.
        let isOurs = walk.table.pointee.isStrict
        walk.hasBadTime = false
        switch TimeText.read(value) {
        case .instant(let instant): walk.time = TimeText.trust(instant, received: walk.start.received)
        case .local where !isOurs:
            walk.time = TimeText.believed(value.text, zone: walk.start.zone, received: walk.start.received)
        case .local, .unreadable:
            message.report(.badTime(DecodeError.excerpt(value.text)), at: trees[walk.tree].path(of: node))
            walk.hasBadTime = isOurs
        }
    }

    /// A section's name as a channel: `DS18B20-1` is `ds18b20_1`. Nil when it is too long for one.
    func channelName(_ key: UnsafeRawBufferPointer) -> Channel? {
        guard !key.isEmpty, key.count <= Channel.maximumLength else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: key.count, alignment: 1) { name in
            for (i, byte) in key.enumerated() {
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): name[i] = byte | 0x20
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): name[i] = byte
                default: name[i] = UInt8(ascii: "_")
                }
            }
            return Channel(utf8: UnsafeRawBufferPointer(name))
        }
    }
}
