import Foundation

/// What a counter of a device said: seconds since 1970 and mWh. The tests work out from it what usage has to be.
struct Meter {
    let device: String
    var counters: [String: [(time: Int64, value: Int64)]]

    /// A counter that starts at `start` with `value` and rises every `step` seconds by each of `rises`.
    static func points(
        from start: Int64, every step: Int64, value: Int64, rises: [Int64]
    ) -> [(time: Int64, value: Int64)] {
        var point = (time: start, value: value)
        var points = [point]
        for rise in rises {
            point = (point.time + step, point.value + rise)
            points.append(point)
        }
        return points
    }

    /// One object for each instant, oldest first.
    var objects: [String] {
        var byTime: [Int64: [String]] = [:]
        for (name, points) in counters.sorted(by: { $0.key < $1.key }) {
            for point in points { byTime[point.time, default: []].append("\"\(name)\":\(wattHours(point.value))") }
        }
        return byTime.sorted { $0.key < $1.key }.map { "{\"time\":\($0.key),\($0.value.joined(separator: ","))}" }
    }

    /// The payload of `energy/<device>` that tells it all.
    var payload: String { "[\(objects.joined(separator: ","))]" }

    /// The same as lines of a replay file.
    var lines: [String] {
        var lines: [(time: Int64, text: String)] = []
        for (name, points) in counters.sorted(by: { $0.key < $1.key }) {
            for point in points {
                lines.append(
                    (
                        point.time,
                        "{\"time\":\"\(utc(point.time))\",\"device\":\"\(device)\",\"channel\":\"total\","
                            + "\"quantity\":\"\(name)\",\"value\":\(wattHours(point.value))}"
                    ))
            }
        }
        return lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element.text)
    }
}

/// mWh as Wh without needless zeros.
func wattHours(_ milliwattHours: Int64) -> String { decimal(milliwattHours, scale: 3) }

/// An integer with `scale` digits behind the point, without needless zeros.
func decimal(_ unscaled: Int64, scale: Int) -> String {
    var digits = String(unscaled.magnitude)
    while digits.count <= scale { digits = "0" + digits }
    var text = digits.dropLast(scale) + "." + digits.suffix(scale)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return (unscaled < 0 ? "-" : "") + text
}

func utc(_ seconds: Int64) -> String { local(seconds, "UTC") }

/// RFC 3339 by Foundation, which has zones of its own.
func local(_ seconds: Int64, _ zone: String = "Europe/Berlin") -> String {
    let formatter = ISO8601DateFormatter()
    formatter.timeZone = TimeZone(identifier: zone)
    return formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
}
