// swift-tools-version:6.2
// Targets stand in the order a reading travels; each lists all it may import (ARCHITECTURE.md has the same table).
import PackageDescription

/// `ENERGYD_FUZZ=1`: every target counts its branches for libFuzzer, and the fuzz targets are there (`make fuzz`).
let isFuzzing = Context.environment["ENERGYD_FUZZ"] != nil

let swift: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])
/// A reading passes ten modules; without this each accessor between them is a call that nothing specialises.
let crossModule = SwiftSetting.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))
/// What people ask comes seldom: there the program's size counts.
let small = SwiftSetting.unsafeFlags(["-Osize"], .when(configuration: .release))
let c: [CSetting] = [.treatAllWarnings(as: .error)]
let cxx: [CXXSetting] = [.treatAllWarnings(as: .error)]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

/// `documents`: pages on formats, which stand beside the code that implements them.
func library(
    _ folder: String, _ name: String, _ dependencies: [Target.Dependency], documents: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)", exclude: documents,
        swiftSettings: swift + (["Reach", "Surface", "Programs"].contains(folder) ? [small] : [crossModule]))
}
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/Programs/\(name)", swiftSettings: swift)
}
/// libFuzzer brings a `main` that ours goes before.
func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/Testing/\(name)",
        swiftSettings: swift,
        linkerSettings: [.unsafeFlags(["-use-ld=lld", "-sanitize=fuzzer", "-Xlinker", "-z", "-Xlinker", "muldefs"])])
}
func shim(_ name: String, links: [String]) -> Target {
    .target(
        name: name, path: "Sources/Libraries/\(name)", cSettings: c, cxxSettings: cxx,
        linkerSettings: links.map { .linkedLibrary($0) })
}
func system(_ name: String, _ pkgConfig: String, _ debian: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/Libraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}
/// `fixtures`: golden files, which the tests read from the checkout.
func tests(_ subject: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
    .testTarget(
        name: "\(subject)Tests", dependencies: dependencies, path: "Tests/\(subject)Tests",
        exclude: fixtures ? ["Fixtures"] : [], swiftSettings: swift)
}

let targets: [Target] = [
    // Libraries: C and C++ at the edge, a thin safe Swift over each.
    system("CMosquitto", "libmosquitto", "libmosquitto-dev"),
    system("CModbus", "libmodbus", "libmodbus-dev"),
    system("CSQLite", "sqlite3", "libsqlite3-dev"),
    system("CCurl", "libcurl", "libcurl4-openssl-dev"),
    system("CZstd", "libzstd", "libzstd-dev"),
    // CRC-32C by the processor's instruction
    .systemLibrary(name: "CChecksum", path: "Sources/Libraries/CChecksum"),
    // what of malloc.h Swift's Glibc lacks
    .systemLibrary(name: "CAllocator", path: "Sources/Libraries/CAllocator"),
    // JSON text -> flat tape of tokens
    shim("CSimdjson", links: ["simdjson"]),
    // TOML text -> events with line and column
    shim("CTOML", links: []),
    // the profiles of Devices as bytes
    shim("CProfiles", links: []),
    // statements, transactions, migrations
    library("Libraries", "SQLite", ["CSQLite"]),
    // values that know their file, line and column
    library("Libraries", "TOML", ["CTOML"]),
    // tape of one document, no allocation per message
    library("Libraries", "JSONScanner", ["CSimdjson"]),
    // threads of our own, and what wakes them
    library("Libraries", "Threads", []),
    // JSON out: numbers exactly as given
    library("Libraries", "JSONText", []),
    // zstd frames
    library("Libraries", "Compression", ["CZstd"]),
    // HTTP requests, over TCP or a Unix socket
    library("Libraries", "HTTPClient", ["CCurl"]),

    // Words: what everything below talks about.
    // timestamps, slots, local days, zones, clock
    library("Words", "Timekeeping", []),
    // identifiers, quantities, readings, devices, money, tariffs
    library("Words", "Metering", ["Timekeeping"]),
    // record kinds and the frame codec
    library("Words", "Records", ["CChecksum", "Metering", "Timekeeping"], documents: ["Records.md"]),

    // Field: from the wire to readings.
    // moves words, owns buses, knows no meter
    library("Field", "Modbus", ["CModbus", "Threads"]),
    // moves bytes, knows no plug
    library("Field", "MQTT", ["CMosquitto", "Threads"]),
    // profiles and decoders, pure
    library(
        "Field", "Devices", ["CProfiles", "JSONScanner", "TOML", "Metering", "Timekeeping"],
        documents: ["EnergyTopics.md", "MessageProfiles.md", "Profiles", "RegisterProfiles.md"]),
    // price lists: CSV and JSON -> prices of slots
    library("Field", "Prices", ["JSONScanner", "Metering", "Timekeeping"]),
    // discovery, schedules
    library(
        "Field", "Intake", ["Modbus", "MQTT", "Devices", "Metering", "Records", "Timekeeping", logging]),

    // Store: readings at rest.
    // the file system behind a protocol
    library("Store", "Disk", []),
    // segments, ring, recovery, cursors
    library("Store", "ReadingLog", ["Disk", "Metering", "Records", "Timekeeping"], documents: ["SegmentFormat.md"]),
    // every series, sealed blocks
    library(
        "Store", "History",
        ["CAllocator", "Compression", "Disk", "ReadingLog", "Metering", "Records", "Timekeeping"],
        documents: ["BlockFormat.md"]),
    // readings in files: csv, jsonl, line protocol, OpenMetrics; pure
    library("Store", "Exchange", ["JSONScanner", "Metering", "Timekeeping"], documents: ["Formats.md"]),

    // Meaning: deterministic, no clock, no I/O, no randomness.
    // counters -> 15-minute slots
    library("Meaning", "Usage", ["Metering", "Records", "Timekeeping"]),
    // slots x tariff -> cost
    library(
        "Meaning", "Billing", ["Usage", "Metering", "Records", "Timekeeping"], documents: ["Billing.md"]),

    // Reach: what the home keeps and tells.
    // slots at rest
    library("Reach", "Ledger", ["Usage", "Metering", "Records", "Timekeeping", "SQLite"]),
    // figures, checks, repair, export, backup and restore of all that is at rest
    library(
        "Reach", "Upkeep",
        ["Exchange", "Disk", "ReadingLog", "History", "Ledger", "Usage", "Metering", "Records", "Timekeeping"],
        documents: ["BackupFormat.md"]),

    // values and discovery out to the broker
    library("Reach", "Bridge", ["JSONText", "Metering", "Records", "Timekeeping"]),

    // Surface: how people and programs talk to it.
    // schema and checks of energyd.toml
    library(
        "Surface", "ConfigurationFile",
        ["Devices", "Intake", "Metering", "Modbus", "MQTT", "Prices", "Timekeeping", "TOML"]),
    // one type per answer, shared with energyctl
    library("Surface", "APITypes", ["JSONText", "Billing", "Upkeep", "Usage", "Metering", "Timekeeping"]),
    // HTTP
    library(
        "Surface", "API",
        [
            "APITypes", "Billing", "Exchange", "JSONScanner", "JSONText", "Metering", "Timekeeping", "Upkeep", "Usage",
            hummingbird,
            nioCore,
            logging,
            lifecycle,
        ]),

    // Testing: seeded worlds; used by tests and energysim only.
    library(
        "Testing", "Simulation",
        ["CMosquitto", "CModbus", "Threads", "Modbus", "MQTT", "Disk", "Metering", "Timekeeping"]),

    // how often a thread asks for memory: a malloc that counts; used by energybench only
    .target(name: "CAllocationCount", path: "Sources/Testing/CAllocationCount", cSettings: c),

    // Programs: wiring, a page each.
    library(
        "Programs", "Gateway",
        [
            "API", "APITypes", "Billing", "Bridge", "ConfigurationFile", "Devices", "Disk", "Exchange", "History",
            "HTTPClient",
            "Intake", "Ledger", "Metering", "Modbus", "MQTT", "Prices", "ReadingLog", "Records", "Threads",
            "Timekeeping", "Upkeep", "Usage", logging, lifecycle, signals,
        ]),
    program("energyd", ["APITypes", "CAllocator", "Gateway", argumentParser, logging]),
    program(
        "energyctl",
        [
            "APITypes", "Billing", "ConfigurationFile", "Devices", "Disk", "Exchange", "HTTPClient", "History",
            "Intake",
            "JSONScanner", "JSONText", "Metering", "Modbus", "MQTT", "Prices", "ReadingLog", "Records", "Timekeeping",
            "Upkeep", "Usage", argumentParser,
        ]),
    program("energysim", ["Simulation", "Metering", "Modbus", "Threads", "Timekeeping", argumentParser]),
    program(
        "energyfuzz",
        ["Disk", "History", "ReadingLog", "Simulation", "Metering", "Records", "Timekeeping", argumentParser]),
    program(
        "energybench",
        [
            "CAllocationCount", "CAllocator", "Devices", "Disk", "History", "HTTPClient", "Intake", "Modbus",
            "ReadingLog", "Simulation", "Usage", "Metering", "Records", "Timekeeping",
        ]),

    tests("Libraries", ["SQLite", "TOML", "JSONScanner", "HTTPClient", "Simulation"]),
    tests("Timekeeping", ["Simulation", "Timekeeping"], fixtures: true),
    tests("Metering", ["Metering", "Timekeeping"], fixtures: true),
    tests("Records", ["Records", "Metering", "Simulation", "Timekeeping"], fixtures: true),
    tests("Field", ["Modbus", "MQTT", "Simulation", "Threads"]),
    tests("Devices", ["Devices", "JSONScanner", "Metering", "Simulation", "Timekeeping"], fixtures: true),
    tests("Prices", ["Prices", "Metering", "Simulation", "Timekeeping"]),
    tests(
        "Intake",
        ["Intake", "Devices", "MQTT", "Metering", "Modbus", "Records", "Simulation", "Timekeeping", logging]),
    tests(
        "Store",
        ["Compression", "Disk", "History", "Metering", "ReadingLog", "Records", "Simulation", "Timekeeping"],
        fixtures: true),
    tests(
        "Upkeep",
        [
            "Upkeep", "Disk", "Exchange", "History", "Metering", "ReadingLog", "Records", "Simulation", "Timekeeping",
        ]),
    tests("Exchange", ["Exchange", "Metering", "Simulation", "Timekeeping"], fixtures: true),
    tests("Usage", ["Usage", "Metering", "Records", "Simulation", "Timekeeping"]),
    tests("Billing", ["Billing", "Usage", "Metering", "Records", "Simulation", "Timekeeping"], fixtures: true),
    tests("Ledger", ["Ledger", "Metering", "Records", "Simulation", "SQLite", "Timekeeping", "Usage"]),
    tests("Bridge", ["Bridge", "Metering", "Records", "Timekeeping"]),
    tests(
        "ConfigurationFile",
        [
            "ConfigurationFile", "Devices", "Intake", "Metering", "Modbus", "MQTT", "Prices", "Simulation",
            "Timekeeping",
        ]),
    tests(
        "API",
        [
            "API", "APITypes", "Billing", "Disk", "Exchange", "HTTPClient", "JSONScanner", "JSONText", "Metering",
            "Timekeeping",
            "Upkeep", logging,
        ]),
    tests(
        "Gateway",
        [
            "Gateway", "Billing", "ConfigurationFile", "History", "Metering", "ReadingLog", "Records", "Simulation",
            "Timekeeping", "Usage", logging,
        ]),
    tests("Simulation", ["Threads", "Simulation", "Metering", "Timekeeping"]),
    tests("EndToEnd", ["Simulation", "MQTT", "Modbus", "JSONScanner", "Timekeeping"], fixtures: true),
    tests("Repository", []),
]
let fuzzTargets: [Target] = [
    fuzz("FuzzMessages", ["Devices", "Metering", "Timekeeping"]),
    fuzz("FuzzRegisters", ["Devices", "Metering"]),
]

let package = Package(
    name: "energyd",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: isFuzzing ? targets + fuzzTargets : targets,
    cxxLanguageStandard: .cxx17
)
