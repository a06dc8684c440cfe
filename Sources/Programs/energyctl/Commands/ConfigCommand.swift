import ArgumentParser
import ConfigurationFile
import Devices
import Timekeeping

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
            let buses = configuration.buses.flatMap(\.devices).count
            Terminal.write(
                "\(file) is good: \(buses) Modbus devices, \(configuration.devices.count) named devices, "
                    + "\(configuration.tariffs.count) tariffs\n")
        }

        /// Ends the program with status 5 and all problems when the file cannot be used.
        static func load(_ file: String) throws -> Configuration {
            let configuration: Configuration
            do {
                configuration = try Configuration.load(path: file)
                let catalog = ProfileCatalog.load(directories: configuration.profileDirectories).catalog
                _ = try Configuration.load(path: file, profileNames: catalog.profiles.map(\.name))
            } catch let error as ConfigurationError {
                throw Failure(.badConfiguration, "the configuration cannot be used\n\(error)")
            }
            if let zone = configuration.home.zone {
                do {
                    _ = try ZoneDirectory().zone(named: zone)
                } catch {
                    throw Failure(.badConfiguration, "\(file): home.zone: \(error)")
                }
            }
            return configuration
        }
    }
}
