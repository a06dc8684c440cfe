import Testing

@Suite struct HouseStyleTests {
    @Test func `no file is longer than 300 lines and none wider than 120 columns`() throws {
        for folder in ["Sources", "Tests"] {
            for file in try Repository.swiftFiles(under: folder) {
                #expect(file.lines.count <= 301, "\(file.path) has \(file.lines.count) lines")
                for (i, line) in file.lines.enumerated() where line.count > 120 {
                    // What a device said is quoted as it was said.
                    if folder == "Tests", line.contains("\"") { continue }
                    Issue.record("\(file.path):\(i + 1) has \(line.count) columns")
                }
            }
        }
    }

    /// By indentation, which swift-format keeps: from a line with `func` or `init` to the closing brace below it.
    @Test func `no function is longer than 60 lines`() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            for (i, line) in file.lines.enumerated() {
                let body = line.drop { $0 == " " }
                let words = body.prefix { $0 != "(" }.split(separator: " ")
                guard words.contains("func") || words.last == "init", !body.hasPrefix("//") else { continue }
                let closing = String(repeating: " ", count: line.count - body.count) + "}"
                // The signature may take several lines; a body on the line of its end is short.
                guard let open = file.lines[i...].firstIndex(where: { $0.hasSuffix("{") || $0.hasSuffix("}") }),
                    file.lines[open].hasSuffix("{"), !file.lines[i..<open].contains(""),
                    let end = file.lines[open...].firstIndex(where: { $0 == closing })
                else { continue }
                #expect(end - i < 60, "\(file.path):\(i + 1) is \(end - i + 1) lines long")
            }
        }
    }

    /// Why: ARCHITECTURE.md, below the table of folders.
    @Test func `what other targets use is public, since only that is optimised across them`() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            for (i, line) in file.lines.enumerated() {
                let body = line.drop { $0 == " " }
                #expect(!body.hasPrefix("package ") && !body.hasPrefix("package("), "\(file.path):\(i + 1)")
            }
        }
    }

    @Test func `names say what things are`() throws {
        let banned = ["Manager", "Helper", "Util"]
        for file in try Repository.swiftFiles(under: "Sources") {
            let name = file.parts.last.map(String.init) ?? ""
            for word in banned { #expect(!name.contains(word), "\(file.path)") }
        }
    }

    @Test func `every key of the annotated configuration is explained there`() throws {
        let text = try Repository.text("etc/energyd.toml")
        for key in [
            "zone", "host", "port", "password_file", "bus", "unit", "profile", "interval", "binding", "role", "parent",
            "rating", "import", "export", "valid_from", "flush_interval", "log_budget", "history_days", "directories",
        ] {
            #expect(text.contains("\(key) = "), "\(key)")
        }
    }
}
