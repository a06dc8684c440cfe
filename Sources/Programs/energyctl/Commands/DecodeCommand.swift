import ArgumentParser

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Says what bytes of a device mean, offline.",
        subcommands: [DecodeMQTTCommand.self, DecodeModbusCommand.self])
}
