import Glibc
import TOML

/// The one place of this target that touches files.
extension ProfileCatalog {
    /// Where a package and an administrator put profiles; later ones win.
    public static let standardDirectories = ["/usr/share/energyd/profiles", "/etc/energyd/profiles"]
    private static let maximumFiles = 512

    /// The program's profiles, overridden by every `*.toml` of `directories` in turn. A directory that does not exist
    /// holds nothing. Whatever cannot be read is a problem, and never stops the rest.
    public static func load(
        directories: [String] = standardDirectories
    ) -> (catalog: ProfileCatalog, problems: [ProfileProblem]) {
        var sources: [Source] = []
        var problems: [ProfileProblem] = []
        for directory in directories {
            for name in profileNames(in: directory, &problems) {
                let path = directory + "/" + name
                if let text = contents(of: path, &problems) { sources.append(Source(file: path, text: text)) }
            }
        }
        let (catalog, mistakes) = builtIn.overridden(by: sources)
        return (catalog, problems + mistakes)
    }

    private static func problem(_ path: String, _ reason: String) -> ProfileProblem {
        ProfileProblem(place: TOMLPlace(file: path, line: 1, column: 1), key: "", reason: reason, nearest: nil)
    }

    /// In the order of their bytes, so that the outcome does not hang on the file system.
    private static func profileNames(in directory: String, _ problems: inout [ProfileProblem]) -> [String] {
        guard let stream = opendir(directory) else {
            if errno != ENOENT { problems.append(problem(directory, "cannot be listed: \(reason(errno))")) }
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // Editors leave `.x.toml.swp` and the like.
            guard name.hasSuffix(".toml"), !name.hasPrefix(".") else { continue }
            guard names.count < maximumFiles else {
                problems.append(problem(directory, "has more than \(maximumFiles) profiles; the rest is left out"))
                break
            }
            names.append(name)
        }
        return names.sorted()
    }

    private static func contents(of path: String, _ problems: inout [ProfileProblem]) -> [UInt8]? {
        // Not to block on a pipe that somebody named like a profile.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            problems.append(problem(path, "cannot be opened: \(reason(errno))"))
            return nil
        }
        defer { close(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        // One byte more than is taken, so that a longer file is seen to be longer.
        while text.count <= TOMLDocument.maximumBytes {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                problems.append(problem(path, "cannot be read: \(reason(errno))"))
                return nil
            }
            if count == 0 { break }
            text += buffer[..<count]
        }
        return text
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}
