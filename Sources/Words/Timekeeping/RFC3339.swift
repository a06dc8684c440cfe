/// Why a text is not an RFC 3339 time, and where.
public struct RFC3339Error: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: String, Hashable, Sendable {
        case tooLong = "it is longer than 64 bytes"
        case digitExpected = "a digit is expected"
        case separatorExpected = "a separator is missing (2026-03-29T02:30:00+02:00 shows where they stand)"
        case offsetMissing = "Z or an offset such as +02:00 must follow the time"
        case noSuchDay = "there is no such day"
        case noSuchTime = "there is no such time of day"
        case noSuchOffset = "an offset goes from -23:59 to +23:59"
        case trailingText = "nothing may follow the offset"
        case outOfRange = "only the years 1970 to 9999 are accepted"
    }

    public let reason: Reason
    /// Index of the byte where reading stopped.
    public let position: Int

    public var description: String { "not an RFC 3339 time: at character \(position + 1), \(reason.rawValue)" }
}

extension Timestamp {
    /// Reads an RFC 3339 time, such as `2026-03-29T02:30:00.250+02:00`.
    ///
    /// `T`, `t` or one space stands between date and time; the offset is required. Digits of the fraction beyond the
    /// millisecond are cut. A leap second (`:60`, only at 23:59 UTC) reads as the last millisecond before the next
    /// minute, so that it stays on its day and order is kept.
    public init(rfc3339 text: some StringProtocol) throws(RFC3339Error) {
        // One more than the limit tells that it is too long, without copying all of a hostile text.
        let bytes = Array(text.utf8.prefix(RFC3339Reader.maximumLength + 1))
        self = try bytes.withUnsafeBytes { RFC3339Reader.read($0) }.get()
    }

    /// Reads an RFC 3339 time from bytes, without allocating.
    public init(rfc3339 bytes: UnsafeRawBufferPointer) throws(RFC3339Error) {
        self = try RFC3339Reader.read(bytes).get()
    }

    /// When a printed time shows its milliseconds.
    public enum MillisecondStyle: Sendable {
        case always
        case never
        case whenNonZero
    }

    /// The time as RFC 3339 text at `offsetSeconds` east of UTC; offset 0 prints `Z`.
    ///
    /// What the format cannot say exactly is printed in UTC, so that reading it back gives the same instant: an offset
    /// with seconds (local mean times before standard time), one of a day or more, and a year that the offset would
    /// push out of 0...9999. A year beyond those even in UTC has a sign and six digits.
    public func rfc3339(offsetSeconds: Int = 0, milliseconds style: MillisecondStyle = .whenNonZero) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        appendRFC3339(to: &bytes, offsetSeconds: offsetSeconds, milliseconds: style)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends what `rfc3339(offsetSeconds:milliseconds:)` returns.
    public func appendRFC3339(
        to bytes: inout [UInt8], offsetSeconds: Int = 0, milliseconds style: MillisecondStyle = .whenNonZero
    ) {
        var offset = offsetSeconds % 60 == 0 && offsetSeconds.magnitude < 86_400 ? offsetSeconds : 0
        var local = secondsFloor + Int64(offset)
        var date = CivilDate(daysSinceEpoch: floorDivide(local, 86_400))
        if offset != 0, !(0...9999).contains(date.year) {
            offset = 0
            local = secondsFloor
            date = CivilDate(daysSinceEpoch: floorDivide(local, 86_400))
        }
        let second = Int(floorModulo(local, 86_400))
        if (0...9999).contains(date.year) {
            appendDigits(date.year, 4, to: &bytes)
            bytes.append(UInt8(ascii: "-"))
            appendDigits(date.month, 2, to: &bytes)
            bytes.append(UInt8(ascii: "-"))
            appendDigits(date.day, 2, to: &bytes)
        } else {
            bytes += date.description.utf8
        }
        bytes.append(UInt8(ascii: "T"))
        appendDigits(second / 3600, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(second / 60 % 60, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(second % 60, 2, to: &bytes)
        let fraction = Int(floorModulo(milliseconds, 1000))
        if style == .always || (style == .whenNonZero && fraction != 0) {
            bytes.append(UInt8(ascii: "."))
            appendDigits(fraction, 3, to: &bytes)
        }
        guard offset != 0 else { return bytes.append(UInt8(ascii: "Z")) }
        bytes.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        appendDigits(Int(offset.magnitude) / 3600, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(Int(offset.magnitude) / 60 % 60, 2, to: &bytes)
    }
}

private func appendDigits(_ value: Int, _ width: Int, to bytes: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
        divisor /= 10
    }
}

/// One pass over the bytes; every access is behind a check of the length.
private struct RFC3339Reader {
    static let maximumLength = 64

    let bytes: UnsafeRawBufferPointer
    var position = 0

    /// A result rather than a throw: closures of the standard library's pointer calls lose the error's type.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Result<Timestamp, RFC3339Error> {
        var reader = RFC3339Reader(bytes: bytes)
        do throws(RFC3339Error) {
            return .success(try reader.time())
        } catch {
            return .failure(error)
        }
    }

    mutating func time() throws(RFC3339Error) -> Timestamp {
        guard bytes.count <= RFC3339Reader.maximumLength else { throw error(.tooLong) }
        let year = try digits(4)
        try separator("-")
        let month = try digits(2)
        try separator("-")
        let day = try digits(2)
        guard let date = CivilDate(year: year, month: month, day: day) else { throw error(.noSuchDay, back: 10) }
        try dateTimeSeparator()
        let hour = try digits(2)
        try separator(":")
        let minute = try digits(2)
        try separator(":")
        var second = try digits(2)
        guard hour <= 23, minute <= 59, second <= 60 else { throw error(.noSuchTime, back: 8) }
        let timeEnd = position
        var fraction = try self.fraction()
        let offset = try self.offset()
        guard position == bytes.count else { throw error(.trailingText) }

        if second == 60 {
            guard floorModulo(Int64(hour * 60 + minute) - offset, 1440) == 1439 else {
                throw RFC3339Error(reason: .noSuchTime, position: timeEnd - 2)
            }
            second = 59
            fraction = 999
        }
        let minutes = date.daysSinceEpoch * 1440 + Int64(hour * 60 + minute) - offset
        let result = Timestamp(milliseconds: (minutes * 60 + Int64(second)) * 1000 + Int64(fraction))
        guard Timestamp.validRange.contains(result) else { throw RFC3339Error(reason: .outOfRange, position: 0) }
        return result
    }

    /// Milliseconds of the optional `.digits`.
    private mutating func fraction() throws(RFC3339Error) -> Int {
        guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return 0 }
        position += 1
        var value = 0
        var scale = 100
        repeat {
            value += try digits(1) * scale
            scale /= 10
        } while position < bytes.count && isDigit(bytes[position])
        return value
    }

    /// Minutes east of UTC.
    private mutating func offset() throws(RFC3339Error) -> Int64 {
        guard position < bytes.count else { throw error(.offsetMissing) }
        let sign = bytes[position]
        switch sign {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            position += 1
            return 0
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            position += 1
            let hours = try digits(2)
            try separator(":")
            let minutes = try digits(2)
            guard hours <= 23, minutes <= 59 else { throw error(.noSuchOffset, back: 6) }
            return Int64(hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
        default:
            throw error(.offsetMissing)
        }
    }

    private mutating func digits(_ count: Int) throws(RFC3339Error) -> Int {
        var value = 0
        for _ in 0..<count {
            guard position < bytes.count, isDigit(bytes[position]) else { throw error(.digitExpected) }
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        return value
    }

    private mutating func separator(_ expected: Unicode.Scalar) throws(RFC3339Error) {
        guard position < bytes.count, bytes[position] == UInt8(ascii: expected) else {
            throw error(.separatorExpected)
        }
        position += 1
    }

    private mutating func dateTimeSeparator() throws(RFC3339Error) {
        guard position < bytes.count else { throw error(.separatorExpected) }
        switch bytes[position] {
        case UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " "): position += 1
        default: throw error(.separatorExpected)
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func error(_ reason: RFC3339Error.Reason, back: Int = 0) -> RFC3339Error {
        RFC3339Error(reason: reason, position: position - back)
    }
}
