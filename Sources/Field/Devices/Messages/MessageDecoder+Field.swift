import JSONScanner
import Metering

extension MessageDecoder {
    /// A field's value: one number, or an array with a number per output or phase.
    func takeField(
        _ value: JSONValue, field index: Int, node: Int, name: Channel?, _ walk: inout ObjectWalk,
        into message: inout DecodedMessage
    ) {
        let target = walk.table.pointee.targets[index]
        var conversion = target.conversion
        if target.hasUnit {
            guard let stated = statedConversion(trees[walk.tree].fields[index], node: node, walk, into: &message)
            else { return }
            conversion = stated
        }
        guard value.kind == .array else {
            let channel = walk.channel ?? name ?? target.channel
            if let result = number(value, index, conversion, node: node, walk.tree, into: &message) {
                append(Sample(channel: channel, quantity: target.quantity, value: result), node, &message)
            }
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
        let start = arrays[walk.tree / 2].first
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
            append(Sample(channel: channel, quantity: quantity, value: value), node, &message)
            sum = sum.flatMap { sum in
                let (total, overflow) = sum.addingReportingOverflow(value)
                return overflow ? nil : total
            }
        }
        // Only a whole sum is a total.
        if trees[walk.tree].fields[index].sums, count > 0, let sum {
            append(Sample(channel: .total, quantity: quantity, value: sum, flags: .derived), node, &message)
        }
    }

    /// More outputs than any device has.
    private static let maximumElements = 64

    private func append(_ sample: Sample, _ node: Int, _ message: inout DecodedMessage) {
        message.samples.append(sample)
        message.origins.append(Int32(node))
    }

    private func arePhases(_ walk: inout ObjectWalk) -> Bool {
        if let known = walk.arraysArePhases { return known }
        let path = arrays[walk.tree / 2].phasesWhen
        var value: JSONValue? = path.isEmpty ? nil : walk.root
        for name in path { value = value?.member(name) }
        let result = value.map { $0.kind == .array && $0.elements.reduce(0) { count, _ in count + 1 } == 3 } ?? false
        walk.arraysArePhases = result
        return result
    }

    /// Nil for "no value", and for what is no number, which is reported.
    private func number(
        _ value: JSONValue, _ index: Int, _ conversion: Conversion, node: Int, _ tree: Int,
        into message: inout DecodedMessage
    ) -> Int64? {
        let text: NumberText
        switch value.kind {
        case .number, .string: text = NumberText(value.text)
        case .null: text = .noValue
        case .object, .array, .boolean: text = .notANumber
        }
        switch text {
        case .noValue:
            message.noValueCount += 1
            return nil
        case .notANumber:
            message.report(.wrongType(expected: "a number"), at: trees[tree].path(of: node))
            return nil
        case .number(let decimal):
            guard let result = conversion.thousandths(decimal) else {
                message.report(.outOfRange, at: trees[tree].path(of: node))
                return nil
            }
            if table(tree).pointee.targets[index].hasNoValue, trees[tree].fields[index].noValue.contains(result) {
                message.noValueCount += 1
                return nil
            }
            return result
        }
    }

    /// The unit that the message states for the field, else the profile's.
    private func statedConversion(
        _ field: Field, node: Int, _ walk: ObjectWalk, into message: inout DecodedMessage
    ) -> Conversion? {
        var value: JSONValue? = walk.root
        for name in field.unitPath { value = value?.member(name) }
        guard let value, !value.isNull else { return field.conversion }
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
