import Exchange
import History
import Intake
import Metering
import ReadingLog
import Timekeeping
import Upkeep

/// The gateway's own home, for imports.
struct RunningHome: ImportingHome {
    let home: GatewayHome

    var facts: ReadingLog { home.facts }
    var history: History { home.history }

    func device(named name: String) -> DeviceID? { home.intake.device(named: name)?.id }

    func isReserved(_ name: String) -> Bool { DeviceRegistry.reservedNames.contains(name) }

    func makeDevice(_ reading: NamedReading) -> DeviceID? {
        home.intake.device(
            at: ImportedReading.address(reading.device), as: ImportedReading.description(reading.quantity))
    }

    func describeDevices() { home.intake.endBatch() }

    func plausible(_ reading: NamedReading, now: Timestamp) throws(LineFault) -> Int64 {
        do throws(ImportedReading.Refusal) {
            return try ImportedReading.value(of: reading.quantity, reading.value, at: reading.time, now: now)
        } catch {
            throw LineFault(error.description)
        }
    }
}
