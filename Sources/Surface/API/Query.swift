import APITypes
import Hummingbird
import Metering
import Timekeeping

/// The query part of a request, checked: an unknown or repeated name is an error, not a silence.
struct Query {
    private let values: [String: String]

    init(_ request: Request, known: [String]) throws(Problem) {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            let name = String(name)
            guard known.contains(name) else {
                throw .badRequest(
                    "\(name) is not a parameter of \(request.uri.path); it takes \(known.joined(separator: ", "))")
            }
            guard values[name] == nil else { throw .badRequest("\(name) is given twice") }
            values[name] = String(value)
        }
        self.values = values
    }

    func text(_ name: String) -> String? { values[name] }

    func flag(_ name: String) throws(Problem) -> Bool {
        switch values[name] {
        case nil, "0", "false": return false
        case "1", "true", "": return true
        case .some(let other): throw .badRequest("\(name)=\(other) is neither true nor false")
        }
    }

    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = values[name] else { return nil }
        do {
            return try Timestamp(rfc3339: text)
        } catch {
            throw .badRequest("\(name)=\(text) is not a time such as 2026-03-01T00:00:00Z: \(error)")
        }
    }

    /// `since` and `until`; what is given of them, and something between them when both are.
    func span() throws(Problem) -> (since: Timestamp?, until: Timestamp?) {
        let (since, until) = (try time("since"), try time("until"))
        if let since, let until, since >= until { throw .badRequest("since is not before until") }
        return (since, until)
    }

    func integer(_ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .badRequest("\(name)=\(text) is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func filter() throws(Problem) -> SeriesFilter {
        var filter = SeriesFilter(device: values["device"])
        if let name = values["channel"] {
            guard let channel = Channel(name) else { throw .badRequest("channel=\(name) is not a channel name") }
            filter.channel = channel
        }
        if let name = values["quantity"] {
            guard let quantity = Quantity(name: name) else {
                throw .badRequest(
                    "quantity=\(name) is not known; quantities are "
                        + Quantity.all.map(\.name).joined(separator: ", "))
            }
            filter.quantity = quantity
        }
        return filter
    }
}
