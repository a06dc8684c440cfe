import Glibc
import Metering
import Timekeeping

/// One message held against a shape. Every answer `false` means: take the long way.
struct ShapeScan {
    let text: UnsafePointer<UInt8>
    let end: Int
    let received: Timestamp
    let zone: Zone?
    private var at = 0
    private(set) var time = SampleTime.none

    init(text: UnsafePointer<UInt8>, end: Int, received: Timestamp, zone: Zone?) {
        self.text = text
        self.end = end
        self.received = received
        self.zone = zone
    }

    var isAtEnd: Bool { at == end }

    @inline(__always)
    mutating func take(_ literal: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard end - at >= count, memcmp(text + at, literal, count) == 0 else { return false }
        at += count
        return true
    }

    @inline(__always)
    mutating func run(
        _ step: MessageShape.Step, _ outputs: UnsafeBufferPointer<MessageShape.Output>,
        _ codes: UnsafeBufferPointer<Int64>, _ message: inout DecodedMessage
    ) -> Bool {
        switch step.action {
        case .number:
            let output = outputs.baseAddress! + Int(step.output)
            guard let value = value(output) else { return false }
            if output.pointee.mayBePercent, value.magnitude > 1200 { return false }
            let first = Int(output.pointee.firstCode)
            for code in first..<first + Int(output.pointee.codeCount) where codes[code] == value { return false }
            append(output, value, &message)
            return true
        case .skipNumber:
            var digits = Digits()
            return number(&digits)
        case .skipText: return skipText()
        case .keyText, .keyNumber: return takeKey(step, &message)
        case .timeText, .timeNumber: return takeTime(isNumber: step.action == .timeNumber, &message)
        case .sum:
            var sum: Int64 = 0
            for i in (message.samples.count - Int(step.count))..<message.samples.count {
                let (total, overflow) = sum.addingReportingOverflow(message.samples[i].value)
                // Without its total the message is still a message.
                if overflow { return false }
                sum = total
            }
            append(outputs.baseAddress! + Int(step.output), sum, &message)
            return true
        case .constant:
            let output = outputs.baseAddress! + Int(step.output)
            append(output, output.pointee.sample.value, &message)
            return true
        }
    }

    @inline(__always)
    private func append(
        _ output: UnsafePointer<MessageShape.Output>, _ value: Int64, _ message: inout DecodedMessage
    ) {
        var sample = output.pointee.sample
        sample.value = value
        message.append(sample, output.pointee.origin)
    }

    /// A number as JSON writes it: up to 18 digits without an exponent; the rest takes the long way.
    private struct Digits {
        var mantissa: Int64 = 0
        var decimals = 0
    }

    @inline(__always)
    private mutating func number(_ digits: inout Digits) -> Bool {
        // Some firmware pads its numbers.
        while at < end, text[at] == 0x20 { at += 1 }
        var isNegative = false
        if at < end, text[at] == UInt8(ascii: "-") {
            isNegative = true
            at += 1
        }
        let first = at
        var value: Int64 = 0
        while at < end, text[at] &- 0x30 < 10 {
            value = value &* 10 &+ Int64(text[at] &- 0x30)
            at += 1
        }
        let whole = at - first
        guard whole > 0, whole == 1 || text[first] != 0x30 else { return false }
        var decimals = 0
        if at < end, text[at] == UInt8(ascii: ".") {
            at += 1
            let point = at
            while at < end, text[at] &- 0x30 < 10 {
                value = value &* 10 &+ Int64(text[at] &- 0x30)
                at += 1
            }
            decimals = at - point
            guard decimals > 0 else { return false }
        }
        guard whole + decimals <= 18 else { return false }
        digits.mantissa = isNegative ? -value : value
        digits.decimals = decimals
        return true
    }

    @inline(__always)
    private mutating func value(_ output: UnsafePointer<MessageShape.Output>) -> Int64? {
        var digits = Digits()
        guard number(&digits) else { return nil }
        let factor = output.pointee.factor
        if factor != 0, digits.decimals <= 3 {
            let power: Int64 =
                switch digits.decimals {
                case 3: 1
                case 2: 10
                case 1: 100
                default: 1000
                }
            let (wide, a) = digits.mantissa.multipliedReportingOverflow(by: power)
            let (product, b) = wide.multipliedReportingOverflow(by: factor)
            return a || b ? nil : product
        }
        let decimal = DecimalText(mantissa: Int128(digits.mantissa), exponent: -digits.decimals)
        return output.pointee.conversion.thousandths(decimal)
    }

    /// Up to the closing quote; only plain ASCII.
    @inline(__always)
    private mutating func skipText() -> Bool {
        while at < end, text[at] != UInt8(ascii: "\"") {
            guard text[at] >= 0x20, text[at] < 0x80, text[at] != UInt8(ascii: "\\") else { return false }
            at += 1
        }
        return true
    }

    private mutating func takeTime(isNumber: Bool, _ message: inout DecodedMessage) -> Bool {
        let start = at
        if isNumber {
            var digits = Digits()
            guard number(&digits) else { return false }
            let decimal = DecimalText(mantissa: Int128(digits.mantissa), exponent: -digits.decimals)
            guard case .instant(let instant) = TimeText.read(epoch: decimal) else { return false }
            time = TimeText.trust(instant, received: received)
        } else {
            guard skipText() else { return false }
            let bytes = UnsafeRawBufferPointer(start: text + start, count: at - start)
            switch TimeText.read(bytes) {
            case .instant(let instant): time = TimeText.trust(instant, received: received)
            case .local: time = TimeText.believed(bytes, zone: zone, received: received)
            case .unreadable: return false
            }
        }
        message.timeKey = key(from: start, isNumber: isNumber)
        return true
    }

    private mutating func takeKey(_ step: MessageShape.Step, _ message: inout DecodedMessage) -> Bool {
        let start = at
        let isNumber = step.action == .keyNumber
        if isNumber {
            var digits = Digits()
            guard number(&digits) else { return false }
        } else {
            guard skipText() else { return false }
        }
        message.origins[Int(step.output)].key = key(from: start, isNumber: isNumber)
        return true
    }

    /// A hash of the value's own characters, as the long way makes it.
    private func key(from start: Int, isNumber: Bool) -> UInt64 {
        var from = start
        // Blanks before a number are none of it, those in a text are.
        while isNumber, from < at, text[from] == 0x20 { from += 1 }
        return TopicCache.hash(UnsafeRawBufferPointer(start: text + from, count: at - from)) | 1
    }
}
