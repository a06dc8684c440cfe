/// Why a time zone cannot be used, and where in its file the reason stands.
public struct ZoneError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The file ends before what its header announces.
        case truncated
        /// It does not begin as a TZif file does.
        case notTZif
        /// A count or an index contradicts the others.
        case inconsistent(String)
        /// It counts leap seconds, which a `Timestamp` does not.
        case leapSeconds
        /// The rule for the years after the table cannot be read.
        case badRule(String)
        /// The name is none that a zone may have.
        case invalidName
        /// No file has that name; the nearest name that exists, if one is near.
        case unknown(nearest: String?)
        /// None of the directories holds a time zone database.
        case noDatabase(directories: [String])
        /// The file is there and cannot be read: `errno`, or 0 when it is no regular file of sane size.
        case unreadable(path: String, errno: Int32)
    }

    public let zone: String
    /// Byte offset in the TZif file; nil when the reason is not inside the file.
    public let offset: Int?
    public let reason: Reason

    public init(zone: String, offset: Int? = nil, reason: Reason) {
        self.zone = zone
        self.offset = offset
        self.reason = reason
    }

    public var description: String {
        let place = offset.map { " (at byte \($0) of its file)" } ?? ""
        let reinstall = "; reinstall it: apt install --reinstall tzdata"
        let text =
            switch reason {
            case .truncated: "the file is cut short\(place)\(reinstall)"
            case .notTZif: "the file is not a TZif file\(place)\(reinstall)"
            case .inconsistent(let what): "\(what)\(place)\(reinstall)"
            case .leapSeconds: "the file counts leap seconds; use the same zone outside right/"
            case .badRule(let what): "its rule for future years is wrong: \(what)\(place)\(reinstall)"
            case .invalidName: "a zone is named like Europe/Berlin or UTC"
            case .unknown(let nearest?): "there is no such zone; did you mean \(nearest)?"
            case .unknown(nil): "there is no such zone; names are like Europe/Berlin or UTC"
            case .noDatabase(let directories):
                "no time zone data in \(directories.joined(separator: ", ")); install it: apt install tzdata"
            case .unreadable(let path, 0): "\(path) is not a file of a time zone\(reinstall)"
            case .unreadable(let path, let errno): "\(path) cannot be read (errno \(errno))"
            }
        return "time zone \"\(zone)\": \(text)"
    }
}
