import APITypes
import ArgumentParser
import JSONText
import Modbus

/// Buses by hand.
struct ModbusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modbus", abstract: "Finds meters on a bus and reads their registers.",
        discussion: """
            A bus that energyd owns is read through energyd, beside its schedule; any other directly. Nothing is ever \
            written to a meter.
            """,
        subcommands: [ModbusReadCommand.self, ModbusScanCommand.self, ModbusSunSpecCommand.self])
}

struct ModbusReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Reads registers and prints their words.",
        discussion: """
              energyctl modbus read tcp://192.168.1.20:502 --unit 1 --function 4 --address 0x34 --count 2 --type f32
              energyctl modbus read 'rtu:/dev/ttyUSB0?baud=9600' --unit 2 --address 0 --count 10 -o json

            Addresses count from 0, as on the wire: a manual's 30053 or 40001 is function 4, address 52, or function \
            3, address 0. Status 1 when the meter answers with an exception, 7 when it does not answer.
            """)

    @OptionGroup var bus: BusOptions
    @Option(help: "The unit behind the bus, 0 to 255.") var unit: UInt8 = 1
    @Option(help: "3: holding registers; 4: input registers.") var function: UInt8 = 3
    @Option(help: "The first register; decimal, or hexadecimal with 0x.") var address: String
    @Option(help: "Registers, 1 to 125.") var count = 1
    @Option(help: "Say what the words mean: \(WordType.names).") var type: WordType?
    @Flag(help: "Of values of several words the low word comes first.") var lowFirst = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard ModbusFunction(rawValue: function) != nil else { throw ValidationError("--function must be 3 or 4") }
        guard parsedAddress != nil else {
            throw ValidationError("--address \(address): must be 0 to 65535, or 0x0000 to 0xFFFF")
        }
        guard (1...125).contains(count) else { throw ValidationError("--count must be 1 to 125") }
        if let type, count % type.words != 0 {
            throw ValidationError(
                "--type \(type.rawValue) takes \(type.words) registers; --count \(count) is no multiple")
        }
    }

    private var parsedAddress: UInt16? {
        address.hasPrefix("0x") ? UInt16(address.dropFirst(2), radix: 16) : UInt16(address)
    }

    func run() throws {
        guard let first = parsedAddress, let function = ModbusFunction(rawValue: function) else { return }
        let access = try BusAccess(bus)
        let request = ModbusRequest(unit: unit, function: function, address: first, count: count)
        let words: [UInt16]
        switch try access.read(request, wait: bus.wait) {
        case .success(let read): words = read
        case .failure(let refusal): throw refusal.failure
        }
        print(words, first: Int(first))
    }

    private func print(_ words: [UInt16], first: Int) {
        let size = type?.words ?? 1
        let values = type.map { type in
            stride(from: 0, to: words.count, by: size).map { start in
                let part = Array(words[start..<start + size])
                return type.value(lowFirst ? part.reversed() : part)
            }
        }
        if output.output == .json {
            var json = JSONWriter()
            json.object { json in
                json.key("words")
                json.array { json in for word in words { json.number(word) } }
                if let values {
                    json.key("values")
                    json.array { json in for value in values { json.raw(value ?? "null") } }
                }
            }
            Terminal.write(json.bytes + [0x0A])
            return
        }
        var columns: [Table.Column] = [
            .init(title: "ADDRESS", alignsRight: true), .init(title: "HEX"), .init(title: "WORD", alignsRight: true),
        ]
        if type != nil { columns.append(.init(title: "VALUE", alignsRight: true)) }
        var table = Table(columns)
        for (index, word) in words.enumerated() {
            let digits = String(word, radix: 16, uppercase: true)
            var row = ["\(first + index)", "0x" + String(repeating: "0", count: 4 - digits.count) + digits, "\(word)"]
            if let values { row.append(index % size == 0 ? values[index / size] ?? "no number" : "") }
            table.append(row)
        }
        if output.output == .csv {
            if !output.noHeaders { Terminal.write(CSV.line(columns.map { $0.title.lowercased() })) }
            for row in table.rows { Terminal.write(CSV.line(row)) }
        } else {
            Terminal.write(table.render(noHeaders: output.noHeaders))
        }
    }
}

/// What words may mean, high byte first.
enum WordType: String, ExpressibleByArgument, CaseIterable {
    case u16, s16, u32, s32, u64, s64, f32, f64

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    var words: Int {
        switch self {
        case .u16, .s16: 1
        case .u32, .s32, .f32: 2
        case .u64, .s64, .f64: 4
        }
    }

    /// Nil for what is no number.
    func value(_ words: [UInt16]) -> String? {
        let raw = words.reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        switch self {
        case .u16, .u32, .u64: return "\(raw)"
        case .s16: return "\(Int16(truncatingIfNeeded: raw))"
        case .s32: return "\(Int32(truncatingIfNeeded: raw))"
        case .s64: return "\(Int64(bitPattern: raw))"
        case .f32:
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: raw))
            return value.isFinite ? "\(value)" : nil
        case .f64:
            let value = Double(bitPattern: raw)
            return value.isFinite ? "\(value)" : nil
        }
    }
}
