import Devices
import Glibc
import Intake
import Logging
import Metering
import ReadingLog
import ServiceLifecycle
import Timekeeping

/// The beat of the gateway: each `flush_interval` what came in becomes durable and is taken in by the consumers.
///
/// systemd's watchdog is fed from here, so only while the store makes progress.
struct StoreService: Service {
    let pipeline: Pipeline
    let intake: Intake
    let interval: Int64
    let notifier: SystemdNotifier

    /// Even with `flush_interval = "0s"` the consumers run at this pace at most, in ms.
    private static let minimumInterval: Int64 = 100
    /// A sixth of the unit file's WatchdogSec.
    private static let watchdogInterval: Int64 = 10 * Span.second

    func run() async throws {
        let pause = max(interval, StoreService.minimumInterval)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // In pieces, because the watchdog is less patient than the longest interval.
                var rest = pause
                while rest > 0 {
                    let piece = min(rest, StoreService.watchdogInterval)
                    do { try await Task.sleep(for: .milliseconds(piece)) } catch { return }
                    rest -= piece
                    notifier.alive()
                }
                intake.endBatch()
                await pipeline.tick()
            }
        }
        intake.endBatch()
        await pipeline.close()
    }
}

/// The gateway's own health, as readings of the device `gateway`, once a minute.
struct HealthService: Service {
    let intake: Intake
    let mqtt: MQTTIntake?
    let buses: [ModbusIntake]
    let facts: ReadingLog
    let pipeline: Pipeline
    let directory: String
    let clock: any Clock

    private static let interval: Duration = .seconds(60)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await report()
                do { try await Task.sleep(for: HealthService.interval) } catch { return }
            }
        }
    }

    private func report() async {
        guard
            let device = intake.device(
                at: "gateway:self:gateway", as: .init(family: "gateway", profile: "gateway", role: .gateway))
        else { return }
        let counters = intake.counters
        var samples = [
            HealthService.sample(.messages, counters.messages),
            HealthService.sample(.messagesRejected, counters.rejected),
            HealthService.sample(.clockSynchronized, clock.now().synchronized ? 1 : 0),
        ]
        if let mqtt { samples.append(HealthService.sample(.brokerConnected, mqtt.isConnected ? 1 : 0)) }
        if !buses.isEmpty {
            samples.append(HealthService.sample(.busRequests, buses.reduce(0) { $0 + $1.requests }))
            samples.append(HealthService.sample(.busErrors, buses.reduce(0) { $0 + $1.errors }))
        }
        let log = facts.statistics
        samples.append(HealthService.sample(.storeFailed, await pipeline.isFailing ? 1 : 0))
        samples.append(HealthService.sample(.storeWaiting, UInt64(clamping: log.waitingBytes)))
        samples.append(HealthService.sample(.readingsDropped, UInt64(clamping: log.droppedReadings)))
        var space = statvfs()
        if statvfs(directory, &space) == 0 {
            let (bytes, overflow) = UInt64(space.f_bavail).multipliedReportingOverflow(by: UInt64(space.f_frsize))
            if !overflow { samples.append(HealthService.sample(.diskFree, bytes)) }
        }
        intake.take(samples, of: device, available: true)
        intake.endBatch()
    }

    private static func sample(_ quantity: Quantity, _ value: UInt64) -> Sample {
        Sample(channel: .total, quantity: quantity, value: Int64(clamping: min(value, 1 << 50)) * 1000)
    }
}
