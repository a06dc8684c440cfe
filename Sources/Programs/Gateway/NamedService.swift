import ServiceLifecycle

/// A service whose description is its name. The library writes out a service when it is given one and in each of its
/// log lines: of a struct that is all that is in it, with the broker's password and megabytes of profiles.
struct NamedService: Service, CustomStringConvertible {
    let description: String
    private let service: any Service

    init(_ service: any Service) {
        description = "\(type(of: service))"
        self.service = service
    }

    func run() async throws { try await service.run() }
}

extension ServiceGroupConfiguration {
    /// Of services that run until the group ends, and of one whose end ends the group.
    static func named(_ services: [any Service], endingWith last: (any Service)? = nil) -> [ServiceConfiguration] {
        var all = services.map { ServiceConfiguration(service: NamedService($0)) }
        if let last {
            all.append(
                ServiceConfiguration(
                    service: NamedService(last), successTerminationBehavior: .gracefullyShutdownGroup))
        }
        return all
    }
}
