import JSONScanner
import Metering
import Timekeeping

extension PriceReader {
    private static let limits = JSONLimits(bytes: PriceReader.maximumBytes, depth: 16, tokens: 1 << 21)

    func json(_ bytes: [UInt8]) throws(PriceError) -> [Point] {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(bytes: bytes, limits: PriceReader.limits)
        } catch {
            throw PriceError("\(error)")
        }
        if let points = try points(in: document.root, path: "", depth: 0) { return points }
        throw PriceError("no list of objects with a time and a price was found")
    }

    /// The prices of the first value that holds any, the value itself before its members.
    private func points(in value: JSONValue, path: String, depth: Int) throws(PriceError) -> [Point]? {
        guard depth < 8 else { return nil }
        switch value.kind {
        case .array:
            if let points = try objects(value, path) { return points }
            for element in value.elements.prefix(8) {
                if let points = try points(in: element, path: path, depth: depth + 1) { return points }
            }
        case .object:
            if let points = try parallel(value, path) { return points }
            if let points = try keyed(value, path) { return points }
            for member in value.members {
                let name = member.key.string() ?? ""
                let inner = path.isEmpty ? name : "\(path).\(name)"
                if let points = try points(in: member.value, path: inner, depth: depth + 1) { return points }
            }
        default: break
        }
        return nil
    }

    /// `[{"time": …, "price": …}, …]`
    private func objects(_ list: JSONValue, _ path: String) throws(PriceError) -> [Point]? {
        guard let first = list.elements.first(where: { _ in true }), first.kind == .object else { return nil }
        let names = first.members.map { $0.key.string() ?? "" }
        let times = names.map { $0.lowercased() }.filter { PriceReader.timeNames.contains($0) || $0 == layout.time }
        // A list of something else, such as zones.
        if times.isEmpty, layout.time == nil { return nil }
        let time = names[try choose("time", layout.time, of: names, usual: PriceReader.timeNames)]
        let price = names[try choose("price", layout.price, of: names, usual: PriceReader.priceNames)]
        var points: [Point] = []
        for (i, element) in list.elements.enumerated() {
            guard let value = element.member(price) else { continue }
            let place = "\(path.isEmpty ? "element" : path) \(i)"
            try points.append(point(element.member(time), value, place, after: points.last?.time))
            guard points.count <= PriceReader.maximumPrices else { break }
        }
        return points
    }

    /// `{"unix_seconds": [ … ], "price": [ … ]}`
    private func parallel(_ object: JSONValue, _ path: String) throws(PriceError) -> [Point]? {
        let lists = object.members.filter { $0.value.kind == .array }
        let names = lists.map { $0.key.string() ?? "" }
        let usual = names.map { $0.lowercased() }.filter { PriceReader.timeNames.contains($0) }
        guard lists.count >= 2, !usual.isEmpty || layout.time.map(names.contains) == true else { return nil }
        let time = try choose("time", layout.time, of: names, usual: PriceReader.timeNames)
        let price = try choose("price", layout.price, of: names, usual: PriceReader.priceNames)
        let times = Array(lists[time].value.elements)
        let values = Array(lists[price].value.elements)
        guard times.count == values.count else {
            throw PriceError("\(names[time]) has \(times.count) elements, \(names[price]) \(values.count)")
        }
        var points: [Point] = []
        for (i, (at, value)) in zip(times, values).enumerated() {
            try points.append(point(at, value, "\(names[price]) \(i)", after: points.last?.time))
        }
        return points
    }

    /// `{"2026-03-29T00:00:00Z": 0.12, …}`
    private func keyed(_ object: JSONValue, _ path: String) throws(PriceError) -> [Point]? {
        guard let first = object.members.first(where: { _ in true }), let name = first.key.string(),
            Int64(name) == nil, time(name, after: nil) != nil
        else { return nil }
        var points: [Point] = []
        for member in object.members {
            let place = "\(path.isEmpty ? "member" : path) \(member.key.string() ?? "")"
            try points.append(point(member.key, member.value, place, after: points.last?.time))
            guard points.count <= PriceReader.maximumPrices else { break }
        }
        return points
    }

    private func point(
        _ at: JSONValue?, _ value: JSONValue, _ place: String, after last: Timestamp?
    ) throws(PriceError) -> Point {
        guard let time = (at?.string() ?? text(at)).flatMap({ time($0, after: last) }) else {
            let what = at.map { "\"\(String(decoding: $0.text.prefix(40), as: UTF8.self))\"" } ?? "there"
            throw PriceError("\(place): \(what) is no time")
        }
        if value.isNull { return Point(time: time, price: nil, place: place) }
        guard let price = (value.string() ?? text(value)).flatMap({ price($0) }) else {
            throw PriceError("\(place): \"\(String(decoding: value.text.prefix(40), as: UTF8.self))\" is no price")
        }
        return Point(time: time, price: price, place: place)
    }

    private func text(_ value: JSONValue?) -> String? {
        value?.numberText.map { String(decoding: $0, as: UTF8.self) }
    }
}
