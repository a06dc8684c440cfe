// swift-tools-version:6.2
// Targets stand in the order a reading travels; each lists all it may import (ARCHITECTURE.md has the same table).
import Foundation
import PackageDescription

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let cxx: [CXXSetting] = [.treatAllWarnings(as: .error)]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

/// Format documents stand beside the code that implements them; SwiftPM must not take them for resources.
func documents(in path: String) -> [String] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(path)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted()
}
func library(_ folder: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)",
        exclude: documents(in: "Sources/\(folder)/\(name)"), swiftSettings: swift)
}
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/Programs/\(name)", swiftSettings: swift)
}
func shim(_ name: String, links: [String]) -> Target {
    .target(
        name: name, path: "Sources/Libraries/\(name)", cxxSettings: cxx,
        linkerSettings: links.map { .linkedLibrary($0) })
}
func system(_ name: String, _ pkgConfig: String, _ debian: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/Libraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}
func tests(_ subject: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(subject)Tests", dependencies: dependencies, path: "Tests/\(subject)Tests",
        exclude: FileManager.default.fileExists(atPath: "Tests/\(subject)Tests/Fixtures") ? ["Fixtures"] : [],
        swiftSettings: swift)
}

let targets: [Target] = [
    // Libraries: C and C++ at the edge, a thin safe Swift over each.
    system("CMosquitto", "libmosquitto", "libmosquitto-dev"),
    system("CModbus", "libmodbus", "libmodbus-dev"),
    system("CSQLite", "sqlite3", "libsqlite3-dev"),
    system("CCurl", "libcurl", "libcurl4-openssl-dev"),
    shim("CSimdjson", links: ["simdjson"]),  // JSON text -> flat tape of tokens
    shim("CTOML", links: []),  // TOML text -> events with line and column
    library("Libraries", "SQLite", ["CSQLite"]),  // statements, transactions, migrations
    library("Libraries", "TOML", ["CTOML"]),  // values that know their file, line and column
    library("Libraries", "JSONScanner", ["CSimdjson"]),  // tape of one document, no allocation per message
    library("Libraries", "HTTPClient", ["CCurl"]),  // HTTP requests, over TCP or a Unix socket

    // Words: what everything below talks about.
    library("Words", "Timekeeping", []),  // timestamps, slots, local days, zones, clock
    library("Words", "Metering", ["Timekeeping"]),  // identifiers, quantities, readings, devices, money, tariffs
    library("Words", "Records", ["Metering", "Timekeeping"]),  // record kinds and the frame codec

    // Field: from the wire to readings.
    library("Field", "Modbus", ["CModbus"]),  // moves words, owns buses, knows no meter
    library("Field", "MQTT", ["CMosquitto"]),  // moves bytes, knows no plug
    .target(  // profiles and decoders, pure
        name: "Devices", dependencies: ["JSONScanner", "TOML", "Metering", "Timekeeping"],
        path: "Sources/Field/Devices", exclude: ["EnergyTopics.md"],
        resources: [.embedInCode("Profiles")], swiftSettings: swift),
    library(
        "Field", "Intake", ["Modbus", "MQTT", "Devices", "Metering", "Records", "Timekeeping", logging]),  // discovery, schedules

    // Store: readings at rest.
    library("Store", "Disk", []),  // the file system behind a protocol
    library("Store", "ReadingLog", ["Disk", "Metering", "Records", "Timekeeping"]),  // segments, ring, recovery, cursors
    library("Store", "History", ["Disk", "ReadingLog", "Metering", "Records", "Timekeeping"]),  // every series, sealed blocks

    // Meaning: deterministic, no clock, no I/O, no randomness.
    library("Meaning", "Usage", ["Metering", "Records", "Timekeeping"]),  // counters -> 15-minute slots
    library("Meaning", "Billing", ["Usage", "Metering", "Records", "Timekeeping"]),  // slots x tariff -> cost

    // Reach: what the home keeps and tells.
    library("Reach", "Ledger", ["Usage", "Metering", "Records", "Timekeeping", "SQLite"]),  // slots at rest

    // Surface: how people and programs talk to it.
    library(
        "Surface", "ConfigurationFile", ["TOML", "Devices", "Intake", "Modbus", "Metering", "Timekeeping"]),  // schema and checks of energyd.toml
    library("Surface", "APITypes", ["Billing", "Usage", "Metering", "Timekeeping"]),  // one type per answer, shared with energyctl
    library(
        "Surface", "API",
        ["APITypes", "Billing", "Usage", "Metering", "Timekeeping", hummingbird, nioCore, logging, lifecycle]),  // HTTP

    // Testing: seeded worlds; used by tests and energysim only.
    library(
        "Testing", "Simulation", ["CMosquitto", "CModbus", "Modbus", "MQTT", "Disk", "Metering", "Timekeeping"]),

    // Programs: wiring, a page each.
    library(
        "Programs", "Gateway",
        [
            "API", "APITypes", "Billing", "ConfigurationFile", "Devices", "Disk", "History", "Intake", "Ledger", "MQTT",
            "Metering", "Modbus", "ReadingLog", "Records", "Timekeeping", "Usage", logging, lifecycle, signals,
        ]),
    program("energyd", ["APITypes", "Gateway", argumentParser, logging]),
    program(
        "energyctl",
        [
            "APITypes", "Billing", "ConfigurationFile", "Devices", "HTTPClient", "Intake", "JSONScanner", "Metering",
            "Records", "Timekeeping", "Usage", argumentParser,
        ]),
    program("energysim", ["Simulation", "Metering", "Timekeeping", argumentParser]),
    program("energybench", ["Disk", "ReadingLog", "Metering", "Records", "Timekeeping"]),

    tests("Libraries", ["SQLite", "TOML", "JSONScanner", "HTTPClient"]),
    tests("Timekeeping", ["Timekeeping"]),
    tests("Metering", ["Metering", "Timekeeping"]),
    tests("Records", ["Records", "Metering", "Timekeeping"]),
    tests("Field", ["Modbus", "MQTT", "Simulation"]),
    tests("Devices", ["Devices", "Metering", "Timekeeping", "JSONScanner"]),
    tests(
        "Intake",
        ["Intake", "Devices", "MQTT", "Metering", "Modbus", "Records", "Simulation", "Timekeeping", logging]),
    tests("Store", ["Disk", "ReadingLog", "History", "Records", "Metering", "Timekeeping", "Simulation"]),
    tests("Usage", ["Usage", "Metering", "Records", "Timekeeping"]),
    tests("Billing", ["Billing", "Usage", "Metering", "Records", "Timekeeping"]),
    tests("Ledger", ["Ledger", "Usage", "Metering", "Records", "Timekeeping"]),
    tests("ConfigurationFile", ["ConfigurationFile", "Devices", "Intake", "Metering", "Timekeeping"]),
    tests(
        "API", ["API", "APITypes", "Billing", "HTTPClient", "JSONScanner", "Metering", "Timekeeping", logging]),
    tests("Simulation", ["Simulation", "Metering", "Timekeeping"]),
    tests("EndToEnd", ["Simulation", "Modbus", "JSONScanner"]),
    tests("Repository", []),
]

// BOOTSTRAP: leave out what is not written yet.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
func exists(_ path: String?) -> Bool {
    guard let path, let e = FileManager.default.enumerator(atPath: root + "/" + path) else { return false }
    for case let f as String in e where [".swift", ".cpp", ".modulemap"].contains(where: f.hasSuffix) { return true }
    return false
}
var present = targets.filter { exists($0.path) }
var dropped = true
while dropped {
    let names = Set(present.map(\.name))
    let kept = present.filter { target in
        target.dependencies.allSatisfy {
            if case .byNameItem(let name, _) = $0 { return names.contains(name) }
            return true
        }
    }
    dropped = kept.count != present.count
    present = kept
}

let package = Package(
    name: "energyd",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: present,
    cxxLanguageStandard: .cxx17
)
