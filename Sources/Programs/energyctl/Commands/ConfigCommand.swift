import ArgumentParser
import ConfigurationFile
import Devices

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks a configuration.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Says what is wrong in a configuration, with file, line and the nearest valid key.")

        @Argument(help: "The file; conf.d/*.toml beside it is read too.")
        var file = "/etc/energyd/energyd.toml"

        func run() throws {
            let configuration = try Check.load(file)
            func count(_ number: Int, _ one: String) -> String { "\(number) \(one)\(number == 1 ? "" : "s")" }
            let parts = [
                count(configuration.buses.flatMap(\.devices).count, "Modbus device"),
                count(configuration.devices.count, "named device"), count(configuration.tariffs.count, "tariff"),
                count(configuration.candidates.count, "candidate tariff"),
            ]
            Terminal.write("\(file) is good: \(parts.joined(separator: ", "))\n")
        }

        /// Ends the program with status 5 and all problems when the file cannot be used.
        static func load(_ file: String) throws -> Configuration {
            let configuration: Configuration
            do throws(ConfigurationError) {
                // Twice, because where the profiles are stands in what is checked against them.
                let first = try Configuration.load(path: file)
                let (catalog, problems) = ProfileCatalog.load(directories: first.profileDirectories)
                for problem in problems { Terminal.complain("a profile is left out: \(problem)") }
                let meters = catalog.profiles.filter { $0.registers != nil }.map(\.name)
                configuration = try Configuration.load(path: file, profileNames: meters)
            } catch {
                throw Failure(.badConfiguration, "the configuration cannot be used\n\(error)")
            }
            return configuration
        }
    }
}
