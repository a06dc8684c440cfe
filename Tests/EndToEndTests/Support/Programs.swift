import Foundation
import Simulation

/// The programs under test: real ones, built before the tests run.
enum Programs {
    static let energyd = path("energyd")
    static let energyctl = path("energyctl")

    /// `ENERGYD_BINARIES`, else the folder that holds the test bundle, else the debug build of this checkout.
    private static let directory: String = {
        if let given = ProcessInfo.processInfo.environment["ENERGYD_BINARIES"] { return given }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: bundle).deletingLastPathComponent().path
        if FileManager.default.isExecutableFile(atPath: beside + "/energyd") { return beside }
        return checkout + "/.build/debug"
    }()

    private static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Files that the tests compare with.
    static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures").path

    private static func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], in directory: String, environment: [String: String] = [:]
    ) async throws -> Outcome {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw NeverHappened("\(program) is not built: run `swift build`, or set ENERGYD_BINARIES")
        }
        let name = "\(directory)/run-\(UUID().uuidString)"
        let child = try ChildProcess(
            program, arguments, environment: basicEnvironment.merging(environment) { $1 },
            output: .file(name + ".out"), error: .file(name + ".err"))
        guard let status = await child.wait(within: .seconds(60)) else {
            throw NeverHappened("\(program) \(arguments.joined(separator: " ")) did not end within 60 s")
        }
        return Outcome(status: status, output: text(of: name + ".out"), errors: text(of: name + ".err"))
    }

    /// Nothing of the developer's own environment, so that no `ENERGYD_…` of theirs counts.
    static let basicEnvironment = [
        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        "LD_LIBRARY_PATH": ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "", "TZ": "UTC",
    ]
}

/// How a program ended and what it said.
struct Outcome {
    let status: ChildProcess.ExitStatus
    let output: String
    let errors: String

    /// The exit code; nil when a signal ended it.
    var code: Int32? {
        if case .exited(let code) = status { return code }
        return nil
    }
}

/// A file's text; empty when it is not there.
func text(of path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
}
