import Testing

/// The table of ARCHITECTURE.md: a target imports only what stands before it. The build refuses undeclared imports but
/// lets transitive ones through; this reads every import line.
@Suite struct ImportTableTests {
    /// Folders in the order a reading travels, with the folders each may import from.
    static let folders: [(name: String, mayImport: Set<String>)] = [
        ("Libraries", ["Libraries"]),
        ("Words", ["Words"]),
        ("Field", ["Field", "Words", "Libraries"]),
        ("Store", ["Store", "Words", "Libraries"]),
        ("Meaning", ["Meaning", "Words"]),
        ("Reach", ["Reach", "Words", "Store", "Meaning", "Libraries"]),
        ("Surface", ["Surface", "Reach", "Meaning", "Store", "Field", "Words", "Libraries"]),
        ("Testing", ["Testing", "Words", "Field", "Store", "Libraries"]),
        ("Programs", ["Programs", "Testing", "Surface", "Reach", "Meaning", "Store", "Field", "Words", "Libraries"]),
    ]

    /// Modules of the toolchain and of packages, with the folders that may import them.
    static let outside: [String: Set<String>] = [
        "Glibc": ["Libraries", "Words", "Field", "Store", "Reach", "Surface", "Testing", "Programs"],
        "Dispatch": ["Programs"],
        "UnixSignals": ["Programs"],
        "Synchronization": ["Words", "Libraries", "Field", "Store", "Surface", "Programs", "Testing"],
        "Logging": ["Field", "Surface", "Programs"],
        "ServiceLifecycle": ["Surface", "Programs"],
        "Hummingbird": ["Surface"],
        "NIOCore": ["Surface"],
        "ArgumentParser": ["Programs"],
    ]

    /// The one Swift target for each C library; a test's own server is the one exception, and the allocator, which
    /// who starts the process sets and who measures it asks.
    static let onlyImporters: [String: Set<String>] = [
        "CMosquitto": ["MQTT"], "CModbus": ["Modbus", "Simulation"], "CSQLite": ["SQLite"], "CCurl": ["HTTPClient"],
        "CAllocator": ["History", "energyd", "energybench"], "CSimdjson": ["JSONScanner"],
        "CTOML": ["TOML"], "CZstd": ["Compression"], "CChecksum": ["Records"], "CProfiles": ["Devices"],
        "CAllocationCount": ["energybench"],
    ]

    @Test func `every import line is in the table`() throws {
        let files = try Repository.swiftFiles(under: "Sources")
        var folderOfTarget: [String: String] = [:]
        for file in files where file.parts.count > 2 { folderOfTarget[String(file.parts[2])] = String(file.parts[1]) }
        for c in Self.onlyImporters.keys { folderOfTarget[c] = "Libraries" }
        for file in files {
            let folder = String(file.parts[1])
            let target = String(file.parts[2])
            let allowed = try #require(Self.folders.first { $0.name == folder }?.mayImport, "\(file.path)")
            for module in Repository.imports(of: file) where module != target {
                if let importers = Self.onlyImporters[module] {
                    #expect(importers.contains(target), "\(file.path) imports \(module)")
                } else if let from = folderOfTarget[module] {
                    #expect(allowed.contains(from), "\(file.path) imports \(module) of \(from)")
                } else {
                    #expect(Self.outside[module]?.contains(folder) == true, "\(file.path) imports \(module)")
                }
            }
        }
    }

    @Test func `the daemon's sources never import Foundation`() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            let found = Repository.imports(of: file).filter { $0.hasPrefix("Foundation") }
            #expect(found.isEmpty, "\(file.path) imports \(found)")
        }
    }

    @Test func `state machines know no clock, no chance and no input`() throws {
        let banned = ["SystemClock", "SystemRandomNumberGenerator", ".random(", "Date()", "fopen(", "print("]
        for file in try Repository.swiftFiles(under: "Sources/Meaning") {
            for (i, line) in file.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for word in banned { #expect(!line.contains(word), "\(file.path):\(i + 1) has \(word)") }
            }
        }
    }
}
