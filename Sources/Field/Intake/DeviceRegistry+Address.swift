import Metering

extension DeviceRegistry {
    /// What a source tells about itself when it is heard.
    public struct Description: Sendable {
        public var family: String
        public var profile: String
        public var profileVersion: UInt32
        public var model: String
        public var role: DeviceRole?
        public var counters: [Counter]
        public var ratingWatts: Int64?

        public init(
            family: String, profile: String = "", profileVersion: UInt32 = 1, model: String = "",
            role: DeviceRole? = nil, counters: [Counter] = [], ratingWatts: Int64? = nil
        ) {
            self.family = family
            self.profile = profile
            self.profileVersion = profileVersion
            self.model = model
            self.role = role
            self.counters = counters
            self.ratingWatts = ratingWatts
        }
    }

    /// Where a device is heard and called by: of `mqtt:tasmota:plug_washer` the last part, as far as it fits, without
    /// what a terminal or a log would not show as it is.
    public static func name(from address: String) -> String {
        let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let last = parts.count == 3 ? parts[2] : Substring(address)
        var name = ""
        for character in last {
            guard name.utf8.count + character.utf8.count <= Device.maximumNameLength - 8 else { break }
            name.append(character.unicodeScalars.contains(where: isInvisible) ? "_" : character)
        }
        return name.isEmpty ? "device" : name
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// Transport and profile of an address: `mqtt:tasmota`.
    static func family(of address: String) -> Substring {
        let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count > 1 ? address[..<parts[1].endIndex] : Substring(address)
    }
}
