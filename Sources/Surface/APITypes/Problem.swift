import JSONText

/// An error answer as RFC 9457 describes it (`application/problem+json`).
public struct Problem: Error, JSONEncodable, CustomStringConvertible {
    /// The HTTP status.
    public var status: Int
    /// The kind of problem, the same for all of one status.
    public var title: String
    /// A sentence the caller can act on.
    public var detail: String

    public init(status: Int, title: String, detail: String) {
        self.status = status
        self.title = title
        self.detail = detail
    }

    /// 400: the request cannot be meant so.
    public static func badRequest(_ detail: String) -> Problem {
        Problem(status: 400, title: "Bad request", detail: detail)
    }

    /// 404: it names what is not there.
    public static func notFound(_ detail: String) -> Problem {
        Problem(status: 404, title: "Not found", detail: detail)
    }

    /// 500: our own failure.
    public static func failed(_ detail: String) -> Problem {
        Problem(status: 500, title: "Failed", detail: detail)
    }

    public var description: String { detail }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("type", text: "about:blank")
            $0.field("title", text: title)
            $0.field("status", number: status)
            $0.field("detail", text: detail)
        }
    }
}
