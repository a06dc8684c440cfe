import TOML

/// The profiles in use: those of the program, overridden by name from the user's directories.
public struct ProfileCatalog: Sendable {
    /// By name.
    public private(set) var profiles: [Profile]

    /// By its name, else by one of its other names: a profile of that very name goes first.
    public subscript(_ name: String) -> Profile? {
        profiles.first { $0.name == name } ?? profiles.first { $0.aliases.contains(name) }
    }

    /// Every name that a meter may be called by, and the one that `text` is nearest to.
    public func nearestMeter(to text: String) -> String? {
        let meters = profiles.filter { $0.registers != nil }
        return TOML.nearest(text, among: meters.flatMap { [$0.name] + $0.aliases })
    }

    public var names: [String] { profiles.map(\.name) }

    /// What was probably meant by a name that is not there.
    public func nearest(to name: String) -> String? { TOML.nearest(name, among: names) }

    /// A longer file is refused.
    public static let maximumFileBytes = TOMLDocument.maximumBytes

    /// A profile's text and the file that it is in.
    public struct Source: Hashable, Sendable {
        public let file: String
        public let text: [UInt8]

        public init(file: String, text: [UInt8]) {
            self.file = file
            self.text = text
        }
    }

    /// The profiles that are part of the program, without their tests.
    public static let builtIn = shipped(withTests: false)

    /// The same, read anew.
    public static func shipped(withTests: Bool) -> ProfileCatalog {
        var (catalog, problems) = ProfileCatalog(profiles: []).overridden(by: builtInSources, withTests: withTests)
        precondition(problems.isEmpty, problems.map(\.description).joined(separator: "\n"))
        for i in catalog.profiles.indices { catalog.profiles[i].file = nil }
        return catalog
    }

    /// The file of a profile that is part of the program, as it is written.
    public static func builtInText(of name: String) -> [UInt8]? {
        builtInSources.first { $0.file == "\(name).toml" }?.text
    }

    /// Later sources override earlier ones of the same name. A source with a mistake is reported and left out; what it
    /// would have overridden stays.
    public func overridden(
        by sources: [Source], withTests: Bool = false
    ) -> (catalog: ProfileCatalog, problems: [ProfileProblem]) {
        var catalog = self
        var problems: [ProfileProblem] = []
        for source in sources {
            do throws(ProfileError) {
                var profile = try Profile(source: source)
                if !withTests { profile.tests = [] }
                catalog.add(profile)
            } catch {
                problems += error.problems
            }
        }
        catalog.profiles.sort { $0.name < $1.name }
        return (catalog, problems)
    }

    private mutating func add(_ profile: Profile) {
        profiles.removeAll { $0.name == profile.name }
        profiles.append(profile)
    }
}

extension Profile {
    /// Reads a profile's text; a text that is no TOML is a problem like any other.
    public init(source: ProfileCatalog.Source) throws(ProfileError) {
        let document: TOMLDocument
        do throws(TOMLError) {
            document = try TOMLDocument(bytes: source.text, file: source.file)
        } catch {
            let problem = ProfileProblem(place: error.place, key: "", reason: error.reason, nearest: nil)
            throw ProfileError(problems: [problem])
        }
        try self.init(document: document)
    }
}
