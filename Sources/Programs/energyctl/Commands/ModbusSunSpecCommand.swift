import APITypes
import ArgumentParser
import Devices
import JSONText
import Modbus

struct ModbusSunSpecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sunspec", abstract: "Lists the SunSpec models of a device: what it says of itself.",
        discussion: """
              energyctl modbus sunspec tcp://192.168.1.30:502 --unit 126

            PROFILE is what in energyd.toml reads such a model. Status 4 when the device has no SunSpec models.
            """)

    @OptionGroup var bus: BusOptions
    @Option(help: "The unit behind the bus: often 1, Fronius meters 240, SMA 126.") var unit: UInt8 = 1
    @OptionGroup var output: OutputOptions

    func run() throws {
        let access = try BusAccess(bus)
        let models = try SunSpecChain.models(access, unit: unit, wait: bus.wait)
        let profiles = ProfileCatalog.load(directories: ProfileCatalog.standardDirectories).0.profiles
        var json = JSONWriter()
        json.array { json in
            for model in models {
                let readers = profiles.filter { $0.registers?.sunSpec?.ids.contains(model.id) ?? false }.map(\.name)
                json.object {
                    $0.field("model", number: model.id)
                    $0.field("address", number: model.address)
                    $0.field("length", number: model.length)
                    $0.field("what", text: SunSpecChain.what(model.id))
                    $0.key("profiles")
                    $0.array { json in for name in readers { json.text(name) } }
                }
            }
        }
        if output.output == .table, let maker = try maker(access, models) { Terminal.write(maker + "\n") }
        try output.output.print(
            json.bytes,
            columns: [
                Column(key: "model", title: "MODEL", alignsRight: true),
                Column(key: "address", title: "ADDRESS", alignsRight: true),
                Column(key: "length", title: "LENGTH", alignsRight: true), Column(key: "what", title: "WHAT"),
                Column(key: "profiles", title: "PROFILE"),
            ],
            noHeaders: output.noHeaders, emptyMessage: "The chain has no models.")
    }

    /// Maker, model and serial number of the common model, where it can be read.
    private func maker(_ access: BusAccess, _ models: [SunSpecModel]) throws -> String? {
        guard let common = models.first(where: { $0.id == 1 }), common.length >= 64 else { return nil }
        let request = ModbusRequest(unit: unit, function: .holding, address: common.address + 2, count: 64)
        guard case .success(let words) = try access.read(request, wait: bus.wait) else { return nil }
        let texts = [0..<16, 16..<32, 48..<64].map { range in
            let bytes = words[range].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }.prefix { $0 != 0 }
            return Terminal.visible(String(decoding: bytes, as: UTF8.self))
        }
        return "\(texts[0]) \(texts[1])" + (texts[2].isEmpty ? "" : ", serial number \(texts[2])")
    }
}

/// The chain of models, read over any bus.
enum SunSpecChain {
    static func models(_ access: BusAccess, unit: UInt8, wait: Int) throws -> [SunSpecModel] {
        var walk = SunSpecWalk()
        while let block = walk.request {
            let request = ModbusRequest(
                unit: unit, function: block.function == 3 ? .holding : .input, address: block.address,
                count: block.count)
            switch try access.read(request, wait: wait) {
            case .success(let words): walk.take(words)
            case .failure(let refusal):
                if refusal.kind == .unreachable || refusal.kind == .timeout { throw refusal.failure }
                walk.take(nil)
            }
        }
        if let failure = walk.failure { throw Failure(.notFound, "\(access.address) unit \(unit): \(failure)") }
        return walk.models
    }

    /// The model's name in a few words.
    static func what(_ id: UInt16) -> String {
        switch id {
        case 1: "common: maker, model, serial number"
        case 11...19: "network"
        case 101: "inverter, one phase"
        case 102: "inverter, split phase"
        case 103: "inverter, three phases"
        case 111...113: "inverter, \(id == 111 ? "one phase" : id == 112 ? "split phase" : "three phases"), floats"
        case 120...132: "inverter: ratings, settings, controls"
        case 160: "inverter: several strings"
        case 201: "meter, one phase"
        case 202: "meter, split phase"
        case 203: "meter, three phases, star"
        case 204: "meter, three phases, delta"
        case 211...214: "meter, floats"
        case 401...404: "combiner of strings"
        case 701...714: "distributed energy resource"
        case 801...805: "battery"
        case 64_001...65_535: "the maker's own"
        default: "other"
        }
    }
}
