import JSONScanner
import Metering

extension MessageDecoder {
    /// A message to learn a shape from.
    struct Lesson {
        let entry: Int
        let text: UnsafeRawBufferPointer
    }

    /// Nil when there is nothing to learn: the last attempts of this topic were in vain, or it is too long.
    func lesson(for message: DecodedMessage, _ text: UnsafeRawBufferPointer) -> Lesson? {
        guard shapes.isOn, message.entry >= 0, message.entry < cache.count, !message.isPlain,
            text.count <= MessageShape.maximumBytes
        else { return nil }
        let entry = cache.entry(message.entry)
        entry.pointee.misses &+= 1
        // At the 2nd, 4th, 8th … in a row: a device that never writes alike costs little more than without shapes. The
        // first message on a topic may be its only one.
        let misses = entry.pointee.misses
        guard misses > 1, misses & (misses - 1) == 0 || misses & 1023 == 0 else { return nil }
        return Lesson(entry: message.entry, text: text)
    }

    func learn(_ lesson: Lesson, _ document: JSONValue, _ start: WalkStart, _ message: DecodedMessage) {
        guard !message.isIrregular, message.errorCount == 0, !message.samples.isEmpty, message.outcome == .nothing,
            let root = document.descendant(start.root)
        else { return }
        var learner = ShapeLearner(
            text: lesson.text, message: message, tree: trees[Int(start.route.tree)], root: root)
        learner.shape.tree = start.route.tree
        learner.shape.start = Int32(start.route.rule)
        learner.shape.zone = start.zone
        guard let shape = learner.learned(document), let number = shapes.add(shape) else { return }
        cache.entry(lesson.entry).pointee.shape = Int32(number)
    }
}

/// Takes the values out of one message.
private struct ShapeLearner {
    let text: UnsafeRawBufferPointer
    let message: DecodedMessage
    let tree: FieldTree
    let root: JSONValue
    var shape = MessageShape()
    /// Up to where the text has been taken over.
    private var at = 0
    private var nextSample = 0
    private var isImpossible = false
    private var literal = 0

    init(text: UnsafeRawBufferPointer, message: DecodedMessage, tree: FieldTree, root: JSONValue) {
        self.root = root
        self.text = text
        self.message = message
        self.tree = tree
    }

    mutating func learned(_ document: JSONValue) -> MessageShape? {
        visit(document)
        guard !isImpossible, nextSample == message.samples.count, shape.steps.count <= MessageShape.maximumSteps
        else { return nil }
        takeLiteral(to: text.count)
        shape.tailStart = literal
        shape.unknownCount = message.unknownCount
        shape.noValueCount = message.noValueCount
        return shape
    }

    private mutating func visit(_ value: JSONValue) {
        switch value.kind {
        case .object: for member in value.members { visit(member.value) }
        case .array: for element in value.elements { visit(element) }
        case .string, .number, .boolean: scalar(value)
        case .null: return
        }
        while nextSample < message.samples.count, isSum(nextSample) {
            add(.sum, nextSample, to: nil)
            nextSample += 1
        }
    }

    private func isSum(_ sample: Int) -> Bool { message.origins[sample].field < 0 }

    private mutating func scalar(_ value: JSONValue) {
        let place = UInt32(value.offset)
        if message.origins.contains(where: { $0.keyPlace == place }) { return key(value, place) }
        let isSample =
            nextSample < message.samples.count && !isSum(nextSample) && message.origins[nextSample].place == place
        if isSample {
            defer { nextSample += 1 }
            let field = tree.fields[Int(message.origins[nextSample].field)]
            let isWord = field.words.contains { value.text.elementsEqual($0.text) }
            // What is told by a word, a sibling's sign or a rule on the number stays as it is in this shape.
            if value.kind == .boolean || isWord || field.sign != nil {
                return add(.constant, nextSample, to: nil)
            }
            let isPlain = !field.takesComma && !field.takesUnit && (value.kind == .number || field.words.isEmpty)
            guard isPlain, !message.consulted.contains(place) else {
                isImpossible = true
                return
            }
            return add(.number, nextSample, to: value)
        }
        if message.consulted.contains(place) || value.kind == .boolean { return }
        if message.timePlace == place { return add(value.kind == .number ? .timeNumber : .timeText, nil, to: value) }
        add(value.kind == .number ? .skipNumber : .skipText, nil, to: value)
    }

    /// What tells an amount from its repetition: of one amount, which came before it, and for nothing else.
    private mutating func key(_ value: JSONValue, _ place: UInt32) {
        let keyed = message.origins.indices.filter { message.origins[$0].keyPlace == place }
        let isOther =
            message.timePlace == place || message.consulted.contains(place)
            || message.origins.contains { $0.field >= 0 && $0.place == place }
        guard keyed.count == 1, keyed[0] < nextSample, !isOther, value.kind == .number || value.kind == .string
        else {
            isImpossible = true
            return
        }
        add(value.kind == .number ? .keyNumber : .keyText, nil, to: value)
        shape.steps[shape.steps.count - 1].output = UInt16(keyed[0])
    }

    /// `value` is taken out of the text; nil leaves it in.
    private mutating func add(_ action: MessageShape.Action, _ sample: Int?, to value: JSONValue?) {
        // A literal that holds a value must end behind it, or the next literal would begin too early.
        if let value { takeLiteral(to: value.offset) }
        var step = MessageShape.Step(
            literalStart: UInt32(literal), literalCount: UInt32(shape.literals.count - literal), action: action)
        literal = shape.literals.count
        if let sample {
            step.output = UInt16(shape.outputs.count)
            let origin = message.origins[sample]
            if origin.field < 0 { step.count = UInt16(origin.place) }
            shape.outputs.append(output(sample, origin, isConstant: action == .constant))
        }
        shape.steps.append(step)
        if let value { at = value.offset + value.text.count }
    }

    private mutating func output(
        _ sample: Int, _ origin: DecodedMessage.Origin, isConstant: Bool
    ) -> MessageShape.Output {
        var template = message.samples[sample]
        template.time = .none
        template.flags.remove(.timeUntrusted)
        if !isConstant { template.value = 0 }
        let field = origin.field < 0 ? nil : tree.fields[Int(origin.field)]
        let conversion = field.map { used($0) } ?? .canonical
        let isWhole = conversion.offset == 0 && conversion.scale.denominator == 1
        let codes = field?.noValue ?? []
        let firstCode = shape.codes.count
        shape.codes += codes
        var origin = origin
        // Each message has its own.
        if origin.keyPlace != DecodedMessage.Origin.nowhere { origin.key = 0 }
        return MessageShape.Output(
            sample: template, conversion: conversion, origin: origin, factor: isWhole ? conversion.scale.numerator : 0,
            isConstant: isConstant, mayBePercent: field?.mayBePercent ?? false, firstCode: UInt16(firstCode),
            codeCount: UInt16(codes.count))
    }

    /// The unit that the message states stays as it is in this shape.
    private func used(_ field: Field) -> Conversion {
        guard !field.unitPath.isEmpty, let text = root.descendant(field.unitPath)?.text else { return field.conversion }
        return Conversion.units(of: field.quantity).first { text.elementsEqual($0.name.utf8) }?.conversion
            ?? field.conversion
    }

    private mutating func takeLiteral(to end: Int) {
        guard end > at else { return }
        shape.literals.append(contentsOf: text[at..<end])
        at = end
    }
}
