import Foundation
import Testing

/// `energyctl decode mqtt`: what a message means, with no broker and no daemon.
@Suite(.timeLimit(.minutes(1))) struct DecodeTests {
    private func decode(_ files: [String: String], _ arguments: String...) async throws -> Outcome {
        let directory = NSTemporaryDirectory() + "/decode-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in files {
            try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
        }
        let all = arguments.map { files[$0] == nil ? $0 : directory + "/" + $0 }
        return try await Programs.run(
            Programs.energyctl, ["decode", "mqtt"] + all, in: directory, environment: [:])
    }

    @Test func `a message's readings are in canonical units, with the time that is believed`() async throws {
        let message = #"{"id":0,"total_act_energy":1.5,"ts":1715409600}"#
        let plug = #"{"Time":"2024-05-11T06:40:00Z","ENERGY":{"Total":12.345,"Power":52,"Voltage":null}}"#
        let tasmota = try await decode(
            ["message.json": plug], "--topic", "tele/plug/SENSOR", "--payload-file", "message.json", "-o", "json")
        #expect(tasmota.code == 0, "\(tasmota.errors)")
        let rows = try Row.list(tasmota.output)
        #expect(rows.map { $0["device"] } == ["plug", "plug"])
        #expect(rows.map { $0["channel"] } == ["total", "total"])
        #expect(rows.map { $0["quantity"] } == ["energy_import", "power"])
        #expect(rows.map { $0["unit"] } == ["Wh", "W"])
        #expect(rows.map { $0["value"] } == ["12345", "52"])
        #expect(rows.map { $0["time"] } == ["2024-05-11T06:40:00Z", "2024-05-11T06:40:00Z"])
        // One family alone: another's topic is nobody's.
        let other = try await decode(
            ["message.json": message], "--topic", "tele/plug/SENSOR", "--family", "shelly", "--payload-file",
            "message.json", "-o", "json")
        #expect(other.output.contains("[]") || other.code != 0)
    }

    @Test func `a message that validly says nothing is an empty list, a broken one a reason and status 1`() async throws
    {
        let nothing = try await decode(
            ["message.json": "{}"], "--topic", "tele/plug/SENSOR", "--payload-file", "message.json", "-o", "json")
        #expect(nothing.code == 0)
        #expect(try Row.list(nothing.output).isEmpty)
        let broken = try await decode(
            ["message.json": "{\"ENERGY\":"], "--topic", "tele/plug/SENSOR", "--payload-file", "message.json", "-o",
            "json")
        #expect(broken.code == 1)
        #expect(broken.output.isEmpty)
        #expect(broken.errors.contains("tele/plug/SENSOR: "), "\(broken.errors)")
    }

    @Test func `a recorded sequence is one session, and each line is answered by one`() async throws {
        let lines = [
            #"{"topic":"vzlogger/chn0/raw","payload":"1.000000"}"#,
            #"{"topic":"vzlogger/chn0/id","payload":"1-0:1.8.0*255","retain":true}"#,
            #"{"topic":"vzlogger/chn0/raw","payload_b64":"MTIuNQ=="}"#,
            #"{"topic":"tele/plug/SENSOR","payload":"{"}"#,
            #"{"topic":"tele/plug/SENSOR","payload":"{\"ENERGY\":{\"Power\":\"x\",\"Voltage\":230}}"}"#,
        ]
        let outcome = try await decode(
            ["lines.jsonl": lines.joined(separator: "\n") + "\n"], "--lines", "lines.jsonl", "-o", "json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let answers = outcome.output.split(separator: "\n").map(String.init)
        try #require(answers.count == lines.count)
        #expect(answers[0] == #"{"readings":[]}"#)
        #expect(answers[1] == #"{"readings":[]}"#)
        #expect(answers[2].contains(#""quantity":"energy_import","unit":"Wh","value":12.5"#), "\(answers[2])")
        #expect(answers[3].hasPrefix(#"{"error":""#) && answers[3].hasSuffix(#""readings":[]}"#), "\(answers[3])")
        #expect(answers[4].hasPrefix(#"{"error":"ENERGY.Power: "#), "\(answers[4])")
        #expect(answers[4].contains(#""quantity":"voltage","unit":"V","value":230"#), "\(answers[4])")
        let damaged = try await decode(["lines.jsonl": "{\"topic\":1}\n"], "--lines", "lines.jsonl", "-o", "json")
        #expect(damaged.code == 1)
    }

    @Test func `mappings, zones and full topics are those of the configuration`() async throws {
        let configuration = """
            [home]
            zone = "Europe/Berlin"
            [mqtt]
            full_topics = ["house/%topic%/%prefix%/"]
            device_zone = "Europe/Berlin"
            [[mqtt.mapping]]
            topic = "garage/ev/power"
            device = "wallbox"
            quantity = "power"
            unit = "kW"
            """
        let lines = [
            #"{"topic":"garage/ev/power","payload":"7.2"}"#,
            #"{"topic":"house/plug/tele/SENSOR","payload":"{\"Time\":\"2024-05-11T08:40:00\",\"ENERGY\":{\"Power\":52}}","#
                + #""received":"2024-05-11T06:40:01Z"}"#,
        ]
        let outcome = try await decode(
            ["lines.jsonl": lines.joined(separator: "\n"), "e.toml": configuration], "--lines", "lines.jsonl",
            "--config", "e.toml", "-o", "json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let answers = outcome.output.split(separator: "\n").map(String.init)
        try #require(answers.count == 2)
        #expect(
            answers[0].contains(#""device":"wallbox","channel":"total","quantity":"power","unit":"W","value":7200"#))
        #expect(answers[1].contains(#""time":"2024-05-11T06:40:00Z""#), "\(answers[1])")
    }
}
