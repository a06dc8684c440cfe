/// Models that a profile reads. Its registers count from the model's id.
public struct SunSpecModels: Hashable, Sendable {
    /// Any of these; they have the same points at the same places.
    public let ids: [UInt16]
    /// Where the model stands on most devices of the kind: what holds until the chain is known.
    public let base: UInt16
}

extension RegisterMap {
    /// The map for the device whose chain was walked: the first of the profile's models in `chain`, or the one after
    /// `skipping` others. Nil when there is none.
    ///
    /// Registers that the model is too short for are left out.
    public func located(in chain: [SunSpecModel], skipping: Int = 0) -> RegisterMap? {
        guard let sunSpec else { return self }
        let mine = chain.filter { sunSpec.ids.contains($0.id) }
        guard mine.indices.contains(skipping) else { return nil }
        return moved(to: mine[skipping])
    }

    private func moved(to model: SunSpecModel) -> RegisterMap? {
        guard let sunSpec else { return self }
        let offset = Int(model.address) - Int(sunSpec.base)
        let end = Int(model.address) + 2 + model.length
        let registers = registers.compactMap { $0.moved(by: offset) }.filter { register in
            register.end <= end && (register.special?.scaleFactor.map { Int($0.address) < end } ?? true)
        }
        var frame = frame
        frame.sunSpec = SunSpecModels(ids: sunSpec.ids, base: model.address)
        frame.validWhen = validWhen.compactMap { $0.moved(by: offset) }
        return try? RegisterMap(frame, registers: registers)
    }

    /// No model that profiles read is shorter: a power of 103 beside a scale factor of 1 is no header.
    private static let shortestModel: UInt16 = 20

    /// The map for words of which nobody says where the model stands: by the chain if they hold it, else by the model's
    /// own header, else where it usually is.
    public func located(in block: RegisterBlock, words: [UInt16], context: RegisterContext) -> RegisterMap {
        guard let sunSpec else { return self }
        let window = RegisterWindow(block, words: words, context: context, sameFunctions: [3, 4])
        var walk = SunSpecWalk()
        while let request = walk.request {
            walk.take(window.pair(at: Int(request.address)))
        }
        if let found = located(in: walk.models) { return found }
        // A marker or a header at the start of the words, wherever they were read.
        for candidate in [Int(block.address), Int(sunSpec.base), Int(sunSpec.base) + 1] {
            guard let header = window.pair(at: candidate), sunSpec.ids.contains(header[0]),
                header[1] >= RegisterMap.shortestModel, candidate + 2 + Int(header[1]) <= 0x10000
            else { continue }
            let model = SunSpecModel(id: header[0], address: UInt16(candidate), length: Int(header[1]))
            if let found = moved(to: model) { return found }
        }
        return self
    }
}

extension RegisterWindow {
    fileprivate func pair(at address: Int) -> [UInt16]? {
        guard let raw = raw(function: 3, address: address, count: 2, order: .highFirst) else { return nil }
        return [UInt16(truncatingIfNeeded: raw >> 16), UInt16(truncatingIfNeeded: raw)]
    }
}

extension Register {
    /// Nil when it would leave the addresses that there are.
    fileprivate func moved(by offset: Int) -> Register? {
        guard let address = UInt16(exactly: Int(address) + offset), Int(address) + type.words <= 0x10000
        else { return nil }
        var moved = special
        if let special {
            if let place = special.scaleFactor {
                guard let scaleFactor = place.moved(by: offset) else { return nil }
                moved?.scaleFactor = scaleFactor
            }
            moved?.terms = special.terms.compactMap { term in
                UInt16(exactly: Int(term.address) + offset).map {
                    Term(address: $0, isSubtracted: term.isSubtracted)
                }
            }
            guard moved?.terms.count == special.terms.count else { return nil }
            moved?.when = special.when.compactMap { $0.moved(by: offset) }
            moved?.negativeWhen = special.negativeWhen.compactMap { $0.moved(by: offset) }
        }
        return Register(
            function: function, address: address, type: type, wordOrder: wordOrder, quantity: quantity,
            channel: channel, conversion: conversion, sentinels: sentinels, group: group, together: together,
            special: moved)
    }
}
