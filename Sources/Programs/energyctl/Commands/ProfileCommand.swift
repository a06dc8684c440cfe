import APITypes
import ArgumentParser
import Devices
import JSONScanner
import JSONText
import Metering

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Lists and checks the files that tell how devices are read.",
        subcommands: [List.self, Show.self, Check.self])

    /// Where profiles are looked for.
    struct Directories: ParsableArguments {
        @Option(help: "A directory of profiles that override the built-in ones; may be given several times.")
        var directory: [String] = ProfileCatalog.standardDirectories

        func load() -> ProfileCatalog {
            let (catalog, problems) = ProfileCatalog.load(directories: directory)
            for problem in problems { Terminal.complain("a profile is left out: \(problem)") }
            return catalog
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the profiles in use: built in, and from /etc/energyd/profiles.")

        @OptionGroup var directories: Directories
        @OptionGroup var output: OutputOptions

        func run() throws {
            var json = JSONWriter()
            json.array { json in
                for profile in directories.load().profiles {
                    json.object {
                        $0.key("name")
                        $0.text(profile.name)
                        $0.key("kind")
                        $0.text(profile.messages == nil ? "modbus" : "mqtt")
                        $0.key("version")
                        $0.number(profile.version)
                        $0.key("title")
                        $0.text(profile.title)
                        $0.key("file")
                        if let file = profile.file { $0.text(file) } else { $0.null() }
                    }
                }
            }
            try output.output.print(json.bytes, columns: List.columns, noHeaders: output.noHeaders, emptyMessage: "")
        }

        private static let columns = [
            Column(key: "name", title: "NAME"), Column(key: "kind", title: "KIND"),
            Column(key: "version", title: "VERSION", alignsRight: true), Column(key: "title", title: "TITLE"),
            Column(key: "file", title: "FILE") { $0.map { $0.isNull ? "built in" : Column.plain($0) } ?? "built in" },
        ]
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Prints a profile's file, to read or to start one's own from.",
            discussion: """
                  energyctl profile show tasmota > /etc/energyd/profiles/tasmota.toml
                """)

        @Argument(help: "The profile's name.") var name: String
        @OptionGroup var directories: Directories

        func run() throws {
            let catalog = directories.load()
            guard let profile = catalog[name] else {
                let hint = catalog.nearest(to: name).map { "; did you mean \($0)?" } ?? ""
                throw Failure(.notFound, "no profile is called \(name)\(hint)")
            }
            if let file = profile.file { return Terminal.write(try WholeFile.read(file, maximum: 1 << 20)) }
            guard let text = ProfileCatalog.builtInText(of: name) else { return }
            Terminal.write(text)
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Says what is wrong in a profile, with line, column and reason, and runs its own cases.",
            discussion: """
                  energyctl profile check /etc/energyd/profiles/wallbox.toml

                Status 0 when the profile can be used and each [[test]] gives what it expects, else 5.
                """)

        @Argument(help: "The profile's file; - is stdin.") var file: String

        func run() throws {
            let text = try WholeFile.read(file, maximum: ProfileCatalog.maximumFileBytes + 1)
            let profile: Profile
            do throws(ProfileError) {
                profile = try Profile(source: .init(file: file, text: text))
            } catch {
                let count = error.problems.count
                throw Failure(
                    .badConfiguration, "\(count == 1 ? "1 problem" : "\(count) problems") in \(file)\n\(error)")
            }
            let failures = ProfileCheck.failures(of: profile)
            let count = profile.tests.count
            guard failures.isEmpty else {
                throw Failure(
                    .badConfiguration,
                    "\(failures.count) of \(count) cases came out differently\n" + failures.joined(separator: "\n"))
            }
            if count == 0 { Terminal.complain("\(file) has no [[test]]: record a message and what it means") }
            let kind = profile.messages == nil ? "modbus" : "mqtt"
            let cases = count == 1 ? "its case passes" : "its \(count) cases pass"
            Terminal.write("\(file) is good: \(kind) profile `\(profile.name)`, \(cases)\n")
        }
    }
}
