import JSONText

/// An error answer as RFC 9457 describes it (`application/problem+json`).
package struct Problem: Error, JSONEncodable, CustomStringConvertible {
    /// The HTTP status.
    package var status: Int
    /// The kind of problem, the same for all of one status.
    package var title: String
    /// A sentence the caller can act on.
    package var detail: String

    package init(status: Int, title: String, detail: String) {
        self.status = status
        self.title = title
        self.detail = detail
    }

    /// 400: the request cannot be meant so.
    package static func badRequest(_ detail: String) -> Problem {
        Problem(status: 400, title: "Bad request", detail: detail)
    }

    /// 404: it names what is not there.
    package static func notFound(_ detail: String) -> Problem {
        Problem(status: 404, title: "Not found", detail: detail)
    }

    /// 500: our own failure.
    package static func failed(_ detail: String) -> Problem {
        Problem(status: 500, title: "Failed", detail: detail)
    }

    package var description: String { detail }

    package func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("type", text: "about:blank")
            $0.field("title", text: title)
            $0.field("status", number: status)
            $0.field("detail", text: detail)
        }
    }
}
