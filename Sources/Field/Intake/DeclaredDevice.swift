import Metering

/// A device as the configuration names it; what is not stated comes from its profile or stays open.
public struct DeclaredDevice: Hashable, Sendable {
    public var name: String
    /// Where it is heard; empty when only its name is given.
    public var bindings: [Binding]
    public var role: DeviceRole?
    /// Name of the device whose energy includes this one's; `grid` means the home's grid meter.
    public var parent: String?
    public var ratingWatts: Int64?
    public var model: String?

    public init(
        name: String, bindings: [Binding] = [], role: DeviceRole? = nil, parent: String? = nil,
        ratingWatts: Int64? = nil, model: String? = nil
    ) {
        self.name = name
        self.bindings = bindings
        self.role = role
        self.parent = parent
        self.ratingWatts = ratingWatts
        self.model = model
    }
}
