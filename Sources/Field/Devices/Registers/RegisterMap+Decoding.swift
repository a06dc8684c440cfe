import Metering

extension RegisterMap {
    /// Appends a sample for each register that lies wholly in `block`, belongs to its group and has a value.
    ///
    /// `words` are what the meter answered, and may be longer than the block. `context` holds what other registers
    /// said: see `contextBlocks`. What is returned could not be read; the other registers count.
    public func decode(
        _ block: RegisterBlock, words: [UInt16], context: RegisterContext = RegisterContext(),
        into samples: inout [Sample]
    ) -> [FieldError] {
        guard words.count >= block.count else {
            let error = DecodeError.shortAnswer(words: words.count, expected: block.count)
            return [FieldError(field: "\(block)", error: error)]
        }
        let window = RegisterWindow(block, words: words, context: context, sameFunctions: functions)
        // What is not known to be invalid counts: the status may not be part of what was recorded.
        guard !validWhen.contains(where: { $0.holds(window) == false }) else { return [] }
        let ratios: Ratios
        switch self.ratios(window) {
        case .success(let found): ratios = found
        case .failure(let error): return [error]
        }
        var errors: [FieldError] = []
        var fallbacks: [Int] = []
        let before = samples.count
        let end = window.first + block.count
        for register in registers[firstIndex(from: block.address, function: window.function)...] {
            guard register.function == window.function, Int(register.address) < end else { break }
            guard register.end <= end else { continue }
            if let group = block.group, register.group != group || register.isFallback { continue }
            let ratio = ratios.ratio(of: register.quantity)
            let value: Register.Value?
            if let special = register.special {
                value = register.value(special, in: window, ratio: ratio)
            } else {
                let raw = register.wordOrder.raw(
                    words, at: Int(register.address) - window.first, count: register.type.words)
                value = register.value(ofRaw: raw, ratio: ratio)
            }
            switch value {
            case .thousandths(let value):
                let isDerived = register.special.map { !$0.terms.isEmpty } ?? false
                if register.isFallback { fallbacks.append(samples.count) }
                samples.append(
                    Sample(
                        channel: register.channel, quantity: register.quantity, value: value,
                        flags: isDerived ? .derived : ReadingFlags(rawValue: 0)))
            case nil, .noValue: continue
            case .outOfRange: errors.append(register.error(.outOfRange))
            case .missing(let place):
                let error = register.error(.missingRegister("\(place)"))
                // Of several meanings that a code chooses from, one complaint.
                if errors.last?.field != error.field { errors.append(error) }
            }
        }
        for i in fallbacks.reversed() {
            let series = (samples[i].channel, samples[i].quantity)
            let others = samples[before...].count { ($0.channel, $0.quantity) == series }
            if others > 1 { samples.remove(at: i) }
        }
        if isInverted != context.isInverted {
            for i in before..<samples.count { samples[i].invert() }
        }
        return errors
    }

    private func firstIndex(from address: UInt16, function: UInt8) -> Int {
        var low = 0
        var high = registers.count
        while low < high {
            let middle = (low + high) / 2
            let register = registers[middle]
            if (register.function, register.address) < (function, address) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What power, current and voltage are multiplied with.
    private struct Ratios {
        var current: Scale?
        var voltage: Scale?
        var both: Scale?

        func ratio(of quantity: Quantity) -> Scale? {
            switch quantity.unit {
            case "A": current
            case "V": voltage
            case "W", "VA", "var", "Wh", "varh": both
            default: nil
            }
        }
    }

    private func ratios(_ window: RegisterWindow) -> Result<Ratios, FieldError> {
        let (ct, pt) = (window.context.currentRatio, window.context.voltageRatio)
        guard transformers != nil || ct != nil || pt != nil else { return .success(Ratios()) }
        do throws(FieldError) {
            let current = try RegisterMap.ratio(ct, transformers?.current, window)
            let voltage = try RegisterMap.ratio(pt, transformers?.voltage, window)
            let both = current.map { Conversion(scale: $0) } ?? .canonical
            guard let product = both.scaled(by: voltage ?? .one) else {
                throw FieldError(field: "transformer ratios", error: .outOfRange)
            }
            let isOne = current == nil && voltage == nil
            return .success(Ratios(current: current, voltage: voltage, both: isOne ? nil : product.scale))
        } catch {
            return .failure(error)
        }
    }

    /// Nil when the register is not known: most meters of the kind are connected without transformers.
    private static func ratio(
        _ stated: Scale?, _ ratio: Transformers.Ratio?, _ window: RegisterWindow
    ) throws(FieldError) -> Scale? {
        if let stated { return stated }
        guard let ratio, let word = window.word(ratio.place) else { return nil }
        let numerator = ratio.scale.numerator * Int64(word)
        guard word != 0, let scale = Scale(numerator: numerator, denominator: ratio.scale.denominator) else {
            throw FieldError(field: "transformer ratio at \(ratio.place)", error: .outOfRange)
        }
        return scale
    }
}

extension Register {
    fileprivate func error(_ error: DecodeError) -> FieldError {
        FieldError(field: "register \(hexadecimal(address))", error: error)
    }
}

extension Sample {
    /// As seen with the transformers the other way round. Voltage, frequency and totals of both directions stay.
    mutating func invert() {
        switch quantity {
        case .power, .reactivePower, .powerFactor: value = 0 &- value
        case .energyImport: quantity = .energyExport
        case .energyExport: quantity = .energyImport
        case .reactiveEnergyImport: quantity = .reactiveEnergyExport
        case .reactiveEnergyExport: quantity = .reactiveEnergyImport
        case .energyImportToday: quantity = .energyExportToday
        case .energyExportToday: quantity = .energyImportToday
        default: break
        }
    }
}

extension Quantity {
    fileprivate static let reactiveEnergyImport = Quantity(code: 20)
    fileprivate static let reactiveEnergyExport = Quantity(code: 21)
    fileprivate static let energyExportToday = Quantity(code: 13)
}
