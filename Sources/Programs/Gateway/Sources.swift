import ConfigurationFile
import Devices
import Intake
import Logging
import MQTT
import Metering
import Modbus
import ServiceLifecycle
import Timekeeping

/// The broker's connection as a service: up until the group stops it.
struct MQTTService: Service {
    let intake: MQTTIntake
    let options: MQTTOptions

    func run() async throws {
        let connection = try intake.start(options)
        await waitForShutdown()
        await connection.stop()
    }
}

/// One bus as a service.
struct ModbusService: Service {
    let intake: ModbusIntake
    let bus: ModbusBus

    func run() async throws {
        await cancelWhenGracefulShutdown { await intake.run() }
        await bus.close()
    }
}

/// Returns when the service group asks for a shutdown, or the task is cancelled.
func waitForShutdown() async {
    try? await gracefulShutdown()
}

/// What the configuration says of sources, in the terms of Intake.
struct SourcePlan {
    let declared: [DeclaredDevice]
    let buses: [(address: BusAddress, options: ModbusOptions, targets: [ModbusIntake.Target])]
    var mqtt: MQTTOptions?

    init(
        _ configuration: Configuration, catalog: ProfileCatalog, gateway: GatewayID
    ) throws(GatewayFailure) {
        var declared = configuration.devices
        var buses: [(address: BusAddress, options: ModbusOptions, targets: [ModbusIntake.Target])] = []
        for bus in configuration.buses {
            var targets: [ModbusIntake.Target] = []
            for device in bus.devices {
                guard let profile = catalog[device.profile], profile.registers != nil else {
                    throw .configuration("the profile \(device.profile) of \(device.name) is not one of a Modbus meter")
                }
                targets.append(
                    ModbusIntake.Target(
                        name: device.name, unit: device.unit, profile: profile, interval: device.interval,
                        pause: device.pause, context: device.context))
                let binding = Binding(address: ModbusIntake.binding(bus.address, unit: device.unit))
                if let i = declared.firstIndex(where: { $0.name == device.name }) {
                    declared[i].bindings.append(binding)
                } else {
                    declared.append(DeclaredDevice(name: device.name, bindings: [binding]))
                }
            }
            buses.append((bus.address, bus.options, targets))
        }
        self.declared = declared
        self.buses = buses
        do throws(ConfigurationError) {
            mqtt =
                configuration.mqtt.isEnabled
                ? try configuration.mqtt.options(
                    clientID: "energyd-\(gateway.description.prefix(8))", seed: gateway.low)
                : nil
        } catch {
            throw .configuration("\(error)")
        }
    }
}
