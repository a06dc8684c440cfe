import APITypes
import ArgumentParser
import Devices
import JSONText
import Modbus

struct ModbusScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Finds the units on a bus and guesses which meters they are.",
        discussion: """
              energyctl modbus scan tcp://192.168.1.20:502
              energyctl modbus scan rtu:/dev/ttyUSB0 --sweep

            --sweep tries the usual speeds and parities of a serial line until a unit answers; unless --units says \
            others, it asks the units that meters come with: some minutes on a silent line. PROFILE names the \
            profiles whose registers make sense on the unit, the likeliest first; EVIDENCE is what they say. Status 4 \
            when nobody answers.
            """)

    @OptionGroup var bus: BusOptions
    @Option(help: "Units to ask, such as 1-10 or 1,2,40-50. (default: 1-247)") var units: String?
    @Flag(help: "Try the usual speeds and parities of a serial line.") var sweep = false
    @Flag(inversion: .prefixedNo, help: "Guess each unit's profile from its registers.") var guess = true
    @OptionGroup var output: OutputOptions

    /// A unit that is found answers at once; nobody waits a second for 246 that are not there.
    private static let wait = 300

    func validate() throws {
        if let units, ModbusScanCommand.list(units) == nil {
            throw ValidationError("--units \(units): must be numbers from 0 to 255, such as 1-10 or 1,2,40-50")
        }
        if sweep, !bus.bus.hasPrefix("rtu:") { throw ValidationError("--sweep is for serial lines") }
    }

    func run() throws {
        let units = units.flatMap(ModbusScanCommand.list) ?? (sweep ? ModbusScanCommand.usual() : Array(1...247))
        var access = try BusAccess(bus)
        if sweep, access.isThroughDaemon {
            throw Failure(.failed, "energyd reads \(access.address) now, at a speed that works; stop it to sweep")
        }
        var found: [UInt8] = []
        for address in settings(access.address) {
            if address != access.address {
                access.close()
                access = try BusAccess(direct: address)
            }
            found = try present(units, access)
            if !found.isEmpty { break }
        }
        guard !found.isEmpty else {
            let hint = sweep || access.address.isTCP ? "" : "; --sweep tries other speeds"
            throw Failure(.notFound, "nobody answers on \(bus.bus)\(hint)")
        }
        var json = JSONWriter()
        try json.array { json in
            for unit in found {
                let guess = guess ? try ProfileGuess(access, unit: unit, wait: bus.wait) : nil
                json.object {
                    $0.field("bus", text: "\(access.address)")
                    $0.field("unit", number: unit)
                    $0.key("profiles")
                    $0.array { json in for name in guess?.names ?? [] { json.text(name) } }
                    $0.field("evidence", text: guess?.evidence)
                }
            }
        }
        try output.output.print(
            json.bytes,
            columns: [
                Column(key: "bus", title: "BUS"), Column(key: "unit", title: "UNIT", alignsRight: true),
                Column(key: "profiles", title: "PROFILE"), Column(key: "evidence", title: "EVIDENCE"),
            ], noHeaders: output.noHeaders, emptyMessage: "Nobody answers.")
    }

    /// Where meters stand when they leave the factory, by their profiles.
    private static func usual() -> [UInt8] {
        let profiles = ProfileCatalog.load(directories: ProfileCatalog.standardDirectories).0.profiles
        let units = Set(profiles.compactMap { $0.registers?.line.unit }).union(1...5)
        return units.filter { (1...247).contains($0) }.sorted()
    }

    private func present(_ units: [UInt8], _ access: BusAccess) throws -> [UInt8] {
        var progress = Progress("asking \(units.count) units on \(access.address)", total: nil)
        defer { progress.end() }
        var found: [UInt8] = []
        for unit in units {
            progress.show("unit \(unit), \(found.count) found")
            if try isPresent(unit, access) { found.append(unit) }
        }
        return found
    }

    /// Any answer is a sign of life, also the one that it cannot.
    private func isPresent(_ unit: UInt8, _ access: BusAccess) throws -> Bool {
        let request = ModbusRequest(unit: unit, function: .input, address: 0, count: 2)
        guard request.problem(on: access.address) == nil else { return false }
        // Damage says that somebody is there, or that the speed is wrong: the second answer tells.
        for _ in 0..<3 {
            switch try access.read(request, wait: min(bus.wait, ModbusScanCommand.wait)) {
            case .success: return true
            case .failure(let refusal):
                if refusal.kind == .unreachable { throw refusal.failure }
                if refusal.kind != .damaged { return refusal.kind == .exception && !refusal.isAbsence }
            }
        }
        return false
    }

    /// What was asked for first, then what is usual.
    private func settings(_ address: BusAddress) -> [BusAddress] {
        guard sweep, case .rtu(let path, _, _, _) = address else { return [address] }
        var all = [address]
        for baud in [9_600, 19_200, 115_200, 38_400, 57_600, 4_800, 2_400] {
            for (parity, stop) in [(BusAddress.Parity.none, 1), (.even, 1), (.none, 2), (.odd, 1)] {
                let next = BusAddress.rtu(path: path, baud: baud, parity: parity, stopBits: stop)
                if !all.contains(next) { all.append(next) }
            }
        }
        return all
    }

    private static func list(_ text: String) -> [UInt8]? {
        var list: [UInt8] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt8($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last
            else { return nil }
            list += first...last
        }
        return list.isEmpty ? nil : list
    }
}

extension BusAddress {
    var isTCP: Bool { if case .tcp = self { true } else { false } }
}
