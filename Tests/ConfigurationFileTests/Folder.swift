import ConfigurationFile
import Devices
import Foundation

/// Configuration files in a directory that goes with the value.
final class Folder {
    private let path: String

    /// By their path in the directory.
    init(_ files: [String: String]) throws {
        path = NSTemporaryDirectory() + "/configuration-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path + "/conf.d", withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func load(_ environment: [String: String] = [:]) throws(ConfigurationError) -> Configuration {
        try Configuration.load(
            path: path + "/t.toml", environment: environment, profileNames: ProfileCatalog.builtIn.names)
    }

    /// What is wrong, without the directory's name; empty when all is well.
    func problems(_ environment: [String: String] = [:]) -> [String] {
        do throws(ConfigurationError) {
            _ = try load(environment)
            return []
        } catch {
            return error.problems.map { $0.description.replacingOccurrences(of: path + "/", with: "") }
        }
    }
}
