import JSONScanner
import Metering
import Records
import Timekeeping

/// A line that is a decision of a person and no reading: `{"command":"correct","series":"plug/total/energy_import",…}`.
///
/// Its members are the arguments of the command as `Records.md` lists them, save that devices are called by their
/// names, and that an `undo` names the command in `undoes`. `id` and `actor` may be absent; without an `id` the line's
/// number stands for it.
struct CommandLine {
    private var id: CommandID
    private let verb: Command.Verb
    private let actor: String
    private let arguments: [Command.Argument]

    /// Nil when the line is none.
    init?(_ root: JSONValue, number: Int) throws(LineError) {
        guard let name = root["command"]?.string() else { return nil }
        switch name {
        case "correct": verb = .correct
        case "undo": verb = .undo
        case "replace": verb = .replace
        default: throw LineError("has the command \(name); known are correct, replace and undo")
        }
        id = CommandID(high: 0, low: UInt64(number))
        if let text = root["id"]?.string() {
            guard let known = CommandID(text) else { throw LineError("has a bad id: 32 hexadecimal digits are one") }
            id = known
        }
        actor = root["actor"]?.string() ?? "replay"
        var arguments: [Command.Argument] = []
        for member in root.members {
            guard let key = member.key.string(), !["command", "id", "actor"].contains(key) else { continue }
            let number = member.value.numberText.map { String(decoding: $0, as: UTF8.self) }
            guard let text = member.value.string() ?? number,
                arguments.count < Command.maximumArguments
            else { throw LineError("has an argument \(key) that is neither text nor a number") }
            // In the record this argument is called `command`, which here is the verb.
            arguments.append(Command.Argument(name: key == "undoes" ? "command" : key, value: text))
        }
        self.arguments = arguments
    }

    /// The record, with the identities of the devices that it names.
    func command(_ device: (String) -> DeviceID?) throws(LineError) -> Command {
        var known = arguments
        for i in known.indices {
            let value = known[i].value
            switch known[i].name {
            case "device": known[i].value = try CommandLine.identity(value, device).description
            case "series":
                guard let slash = value.firstIndex(of: "/") else { continue }
                let id = try CommandLine.identity(String(value[..<slash]), device)
                known[i].value = "\(id)\(value[slash...])"
            default: break
            }
        }
        return Command(id: id, actor: actor, verb: verb, arguments: known)
    }

    private static func identity(_ name: String, _ device: (String) -> DeviceID?) throws(LineError) -> DeviceID {
        guard let id = device(name) else { throw LineError("names the device \(name), which no line before it has") }
        return id
    }
}
