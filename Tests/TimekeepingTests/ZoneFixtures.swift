import Foundation

@testable import Timekeeping

/// The zones whose bytes are kept in Fixtures.
let fixtureZones = [
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia",
    "Africa/Casablanca", "UTC", "Europe/London", "Europe/Dublin", "Asia/Kathmandu", "America/Sao_Paulo",
    "Pacific/Chatham", "Africa/Cairo", "Asia/Tehran", "Antarctica/Troll",
]

enum Fixture {
    static func path(_ zone: String, _ suffix: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(zone.replacing("/", with: "-")).\(suffix)").path
    }

    static func bytes(_ zone: String, slim: Bool = false) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(zone, slim ? "slim.tzif" : "tzif"))))
    }

    static func zone(_ name: String, slim: Bool = false) throws -> Zone {
        try Zone(name: name, bytes: try bytes(name, slim: slim))
    }
}

func time(_ text: String) -> Timestamp {
    do {
        return try Timestamp(rfc3339: text)
    } catch {
        fatalError("\(text): \(error)")
    }
}

func day(_ text: String) -> LocalDay { LocalDay(text)! }
