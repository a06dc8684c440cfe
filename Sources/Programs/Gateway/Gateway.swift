import API
import APITypes
import Bridge
import ConfigurationFile
import Devices
import Disk
import Glibc
import History
import Intake
import Logging
import MQTT
import Metering
import Modbus
import Prices
import ReadingLog
import Records
import ServiceLifecycle
import Timekeeping
import UnixSignals

/// One gateway from its start to its end: everything is put together here, in the order in which it starts.
public struct Gateway: Sendable {
    let options: GatewayOptions
    let clock: any Clock
    let logger: Logger
    let configuration: Configuration
    private let catalog: ProfileCatalog
    /// The zone from now on; earlier settings may have had another.
    private let configuredZone: Zone

    /// Reads and checks the configuration; nothing runs yet.
    public init(_ options: GatewayOptions, environment: [String: String]) throws(GatewayFailure) {
        self.options = options
        clock = SystemClock()
        do throws(ConfigurationError) {
            // Twice, because where the profiles are stands in what is checked against them.
            let first = try Configuration.load(path: options.configurationPath, environment: environment)
            let (catalog, problems) = ProfileCatalog.load(directories: first.profileDirectories)
            self.catalog = catalog
            configuration = try Configuration.load(
                path: options.configurationPath, environment: environment, profileNames: catalog.names)
            var logger = Logger(label: "energyd")
            logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
            self.logger = logger
            for problem in problems { logger.error("a profile is left out", metadata: ["reason": "\(problem)"]) }
        } catch {
            throw .configuration("the configuration cannot be used\n\(error)")
        }
        do {
            configuredZone = try ZoneDirectory().zone(
                named: configuration.home.zone ?? ZoneDirectory.systemZoneName() ?? "UTC")
        } catch {
            throw .configuration("home.zone: \(error)")
        }
    }

    /// Runs until SIGTERM or SIGINT. Opens the store first: from then on nothing that is heard gets lost.
    public func run() async throws {
        let store = try HomeStore.open(
            options.dataDirectory, configuration: configuration, clock: clock, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: ServiceGroupConfiguration.named([], endingWith: GatewayLives(gateway: self, store: store)),
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    /// From the opened store to the end: of the daemon, or of the absence of an absent store. `waiting`: what an absent
    /// store held before this one.
    func live(on store: HomeStore, takingOver waiting: WaitingRecords?, returning: StoreReturn?) async throws {
        let started = clock.now()
        var plan = try SourcePlan(configuration, catalog: catalog, gateway: store.gateway)
        // The broker keeps nothing for a name that will never be used again.
        if store.place.absence?.isIdentityKnown == false { plan.mqtt?.cleanSession = true }
        let followers = Followers()
        let sink = LogSink(
            log: store.facts, followers: followers, flushesEachBatch: configuration.store.flushInterval == 0,
            logger: logger)
        let pipeline = try Pipeline(opening: PipelineParts(store, clock, logger))
        await pipeline.start()
        if let waiting { try await pipeline.takeOver(waiting) }
        let zone = await pipeline.adopt(configuration, zone: configuredZone, at: started.wall)
        let intake = await intake(pipeline, store, plan, sink, started)
        sink.setNames { intake.device($0)?.name ?? "\($0)" }
        let mqtt = plan.mqtt.map { _ in
            MQTTIntake(
                intake: intake, profiles: [configuration.mqtt.mapping].compactMap { $0 } + catalog.profiles,
                settings: configuration.mqtt.settings, admission: configuration.admission, clock: clock, logger: logger)
        }
        let bridge = bridge(plan, store, intake, pipeline)
        let buses = try plan.buses.map { bus in
            let line = try ModbusBus(bus.address, options: bus.options)
            let reading = ModbusIntake(
                intake: intake, bus: line, targets: bus.targets, clock: clock, logger: logger)
            return ModbusService(intake: reading, bus: line)
        }
        let prices =
            configuration.priceSources.contains { $0.place != nil }
            ? PriceFetcher(
                configuration.priceSources, pipeline: pipeline, sink: sink, zone: zone, clock: clock, logger: logger)
            : nil
        let home = GatewayHome(
            version: options.version, gateway: store.gateway, homeName: configuration.home.name, zone: zone,
            started: started.wall, clock: clock, intake: intake, facts: store.facts, history: store.history,
            reading: GatewayHome.HistoryReading(store.history, clock: clock, logger: logger), pipeline: pipeline,
            followers: followers, sink: sink, mqtt: mqtt, bridge: bridge, buses: buses.map(\.intake),
            configuration: configuration, prices: prices,
            upkeep: GatewayUpkeep(
                directory: options.dataDirectory, retention: configuration.store.historyDays * Span.day))
        try await serve(home, plan, buses, followers, returning)
    }

    /// Starts in this order, stops in the opposite one: sources first, the store last.
    private func serve(
        _ home: GatewayHome, _ plan: SourcePlan, _ buses: [ModbusService], _ followers: Followers,
        _ returning: StoreReturn?
    ) async throws {
        let notifier = SystemdNotifier()
        let socket = options.socketPath
        try SocketFile.prepare(socket)
        let version = options.version
        let logger = logger
        var services: [any Service] = [
            StoreService(
                pipeline: home.pipeline, intake: home.intake, interval: configuration.store.flushInterval,
                notifier: notifier),
            APIServer(home: home, socketPath: socket, logger: logger) {
                SocketFile.open(socket)
                notifier.ready(status: "running")
                logger.notice("energyd \(version) is running", metadata: ["socket": "\(socket)"])
            },
            FollowersService(followers: followers),
            HealthService(
                intake: home.intake, mqtt: home.mqtt, buses: home.buses, facts: home.facts, pipeline: home.pipeline,
                directory: options.dataDirectory, clock: clock),
        ]
        if let mqtt = home.mqtt, let options = plan.mqtt {
            services.append(MQTTService(intake: mqtt, options: options))
        }
        if let bridge = home.bridge { services.append(bridge) }
        if let prices = home.prices { services.append(PriceService(fetcher: prices)) }
        services.append(contentsOf: buses)
        let coming = returning.map {
            StoreReturnService(returning: $0, interval: configuration.store.flushInterval)
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: ServiceGroupConfiguration.named(services, endingWith: coming), logger: logger))
        try await group.run()
        if Task.isShuttingDownGracefully { notifier.stopping() }
        unlink(socket)
    }

    private func bridge(
        _ plan: SourcePlan, _ store: HomeStore, _ intake: Intake, _ pipeline: Pipeline
    ) -> BridgeService? {
        // What the broker is told is kept first, so that whoever starts next knows it: not without a disk.
        guard let connection = plan.mqtt, configuration.bridge.isEnabled, store.place.absence == nil else { return nil }
        let settings = configuration.bridge
        return BridgeService(
            options: BridgeOptions(
                topic: settings.topic, home: configuration.home.name, discovery: settings.discovery,
                gateway: store.gateway, version: options.version),
            connection: connection, interval: settings.interval, intake: intake, facts: store.facts,
            pipeline: pipeline, clock: clock, logger: logger)
    }

    private func intake(
        _ pipeline: Pipeline, _ store: HomeStore, _ plan: SourcePlan, _ sink: LogSink, _ started: ClockReading
    ) async -> Intake {
        let known = await pipeline.knownDevices.sorted { ($0.validFrom, $0.id) < ($1.validFrom, $1.id) }
        let intake = Intake(
            registry: DeviceRegistry(known: known, declared: plan.declared),
            trust: ClockTrust(lastDurable: store.history.logTime, start: started), clock: clock, sink: sink)
        var records: [Record] = [
            .clock(
                ClockState(
                    offset: started.wall.milliseconds - started.monotonic, synchronized: started.synchronized,
                    at: started.wall))
        ]
        let settings = configuration.settings(zone: configuredZone.name, validFrom: started.wall)
        if let last = await pipeline.knownSettings.last, last.hasSameContent(as: settings) {
            logger.debug("settings unchanged")
        } else {
            records.append(.settings(settings))
        }
        sink.append(records)
        // Who asks as soon as the socket is there is answered by what the configuration says now.
        await pipeline.tick()
        intake.reconcile()
        return intake
    }
}

/// Ends the live streams when the daemon stops, so that the API has nothing to wait for.
private struct FollowersService: Service {
    let followers: Followers

    func run() async throws {
        await waitForShutdown()
        followers.finish()
    }
}

/// The socket's file: not there before, for the group only after.
enum SocketFile {
    static func prepare(_ path: String) throws(GatewayFailure) {
        guard path.utf8.count < 108 else {
            throw .configuration("the socket's path is longer than 107 bytes: \(path)")
        }
        // The state directory is locked, so a file here is what a crash left; or another home's, which answers.
        guard !isAnswered(path) else {
            throw .cannotCreate("another energyd answers on the socket \(path); --socket names another place")
        }
        if access(path, F_OK) == 0, unlink(path) != 0 {
            throw .cannotCreate("the socket \(path) is in the way: \(String(cString: strerror(errno)))")
        }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if !directory.isEmpty, access(directory, W_OK) != 0 {
            throw .cannotCreate(
                "the socket's directory \(directory) cannot be written: \(String(cString: strerror(errno))); "
                    + "--socket names another place")
        }
    }

    private static func isAnswered(_ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                // Where too many wait to be heard somebody is there too.
                connect(descriptor, raw, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 || errno == EAGAIN
            }
        }
    }

    /// Readable and writable for the owner and the group.
    static func open(_ path: String) {
        chmod(path, 0o660)
    }
}
