import CAllocationCount
import Devices
import Timekeeping

/// What one message of each family costs from bytes to samples, in time and in allocations: 200 devices that say the
/// same, one after another, with values that change. Of families that are not in the list the first message of their
/// profile's own tests, again and again.
enum DecodeBench {
    private static let devices = 200
    private static let rounds = 200_000

    /// A family's messages: `#` in a topic is the device's number, in a payload a digit that changes.
    private struct Family {
        let name: String
        let topic: String
        let payload: String
        /// What has to be known before: topics and payloads.
        var before: [(topic: String, payload: String)] = []
    }

    private static let families = [
        Family(
            name: "tasmota", topic: "tele/plug#/SENSOR",
            payload: """
                {"Time":"2026-05-17T12:00:00","ENERGY":{"Total":1234.56#,"Power":400.#,"Voltage":230,\
                "Current":1.75#,"Factor":0.98}}
                """),
        Family(
            name: "shelly_gen1", topic: "shellies/shelly1pm-#/relay/0/power", payload: "61.4#"),
        Family(
            name: "shelly", topic: "shellyplus1pm-#/status/switch:0",
            payload: """
                {"id":0,"source":"MQTT","output":true,"apower":61.#,"voltage":231.2,"freq":50.0,"current":0.298,\
                "pf":0.9,"aenergy":{"total":20417.33#,"by_minute":[1033.512,1029.904,1031.207],"minute_ts":1715408699},\
                "temperature":{"tC":47.3,"tF":117.1}}
                """),
        Family(
            name: "zigbee2mqtt", topic: "zigbee2mqtt/plug #",
            payload: """
                {"current":0.12,"energy":41.07,"last_seen":"2024-05-11T06:31:44.120Z","linkquality":136,"power":19.#,\
                "power_factor":0.71,"state":"ON","update":{"installed_version":33816645,"latest_version":33816645,\
                "state":"idle"},"update_available":false,"voltage":233}
                """),
        Family(
            name: "esphome", topic: "node#/sensor/power_delivered_l1/state", payload: "0.48#",
            before: [("node#/sensor/power_returned_l1/state", "0")]),
        Family(name: "dsmr_reader", topic: "dsmr/reading/phase_voltage_l1", payload: "231.#"),
        Family(name: "opendtu", topic: "solar/#/0/power", payload: "118.#"),
        Family(name: "ahoydtu", topic: "inverter/roof#/ch0/P_AC", payload: "118.#"),
        Family(
            name: "emonhub", topic: "emon/node#",
            payload: """
                {"MSG":512,"Vrms":236.1#,"P1":417,"P2":-1290,"E1":5123,"E2":7721,"T1":19.4,"pulse":0,\
                "time":1715409600.25,"rssi":-41}
                """),
        Family(name: "iotawatt", topic: "iotawatt/house#", payload: #"{"W":417.#,"Wh":5123.1,"V":236.1}"#),
        Family(
            name: "homeassistant", topic: "attic/#/state", payload: #"{"power":41#}"#,
            before: [
                (
                    "homeassistant/sensor/attic#/power/config",
                    #"{"uniq_id":"a#","stat_t":"attic/#/state","dev_cla":"power","unit_of_meas":"W","#
                        + #""val_tpl":"{{ value_json.power | float }}","dev":{"ids":["a#"]}}"#
                )
            ]),
        Family(
            name: "homie", topic: "homie/meter-#/main/power", payload: "417.#",
            before: [("homie/meter-#/main/power/$unit", "W")]),
        Family(name: "energy", topic: "energy/boiler#/total/power", payload: "1250.#"),
    ]

    static func run() {
        for family in families { run(family) }
        measure("sparkplug", before: [sparkplug(0)], messages: (1...256).map(sparkplug))
        let known = families.map(\.name) + ["sparkplug"]
        for profile in ProfileCatalog.shipped(withTests: true).profiles
        where profile.messages != nil && !known.contains(profile.name) {
            if let (before, message) = example(of: profile) {
                measure(profile.name, before: before, messages: [message])
            }
        }
    }

    private typealias Message = (topic: [UInt8], payload: [UInt8])

    private static func run(_ family: Family) {
        func name(_ number: Int) -> String {
            let digits = String(number)
            return family.name == "opendtu" ? String(repeating: "1", count: 12 - digits.utf8.count) + digits : digits
        }
        func message(_ topic: String, _ payload: String, _ device: Int, _ digit: Int) -> Message {
            (
                Array(topic.replacing("#", with: name(device)).utf8),
                Array(payload.replacing("#", with: String(digit)).utf8)
            )
        }
        let before = (0..<devices).flatMap { device in
            family.before.map { message($0.topic, $0.payload, device, device) }
        }
        let messages = (0..<10).flatMap { digit in
            (0..<devices).map { message(family.topic, family.payload, $0, digit) }
        }
        measure(family.name, before: before, messages: messages)
    }

    private static func measure(_ name: String, before: [Message], messages: [Message]) {
        let decoder = MessageDecoder(profiles: ProfileCatalog.builtIn.profiles)
        var message = DecodedMessage()
        var samples = 0
        func decode(_ sent: Message) {
            sent.topic.withUnsafeBytes { topic in
                sent.payload.withUnsafeBytes { payload in
                    decoder.decode(
                        topic: topic, payload: payload, retained: false, received: Household.start, into: &message)
                }
            }
            samples += message.samples.count
        }
        for sent in before { decode(sent) }
        // The first rounds meet topics and learn shapes.
        for round in 0..<max(10, messages.count) * 2 { decode(messages[round % messages.count]) }
        samples = 0
        let allocations = allocation_count()
        let watch = Stopwatch()
        for round in 0..<rounds { decode(messages[round % messages.count]) }
        let cpu = watch.cpu
        let allocated = allocation_count() - allocations
        precondition(samples >= rounds / 2, "messages of \(name) gave \(samples) samples")
        report("mqtt.decode_ns.\(name)", cpu / Double(rounds) * 1e9, "ns")
        report("mqtt.decode_allocations.\(name)", Double(allocated) / Double(rounds), "1")
    }

    /// The first message of a profile's tests that says something each time that it comes, and those before it.
    private static func example(of profile: Profile) -> (before: [Message], Message)? {
        let decoder = MessageDecoder(profiles: ProfileCatalog.builtIn.profiles)
        var message = DecodedMessage()
        var before: [Message] = []
        for test in profile.tests {
            guard case .messages(let messages) = test.input else { continue }
            for sent in messages {
                let (topic, payload) = (Array(sent.topic.utf8), Array(sent.payload.utf8))
                for _ in 0..<2 {
                    topic.withUnsafeBytes { topic in
                        payload.withUnsafeBytes { payload in
                            decoder.decode(
                                topic: topic, payload: payload, retained: false, received: Household.start,
                                into: &message)
                        }
                    }
                }
                if !message.samples.isEmpty { return (before, (topic, payload)) }
                before.append((topic, payload))
            }
        }
        return nil
    }

    /// A node's birth with a metric of an alias, and data of it with growing sequence numbers.
    private static func sparkplug(_ sequence: Int) -> Message {
        let value = Float(sequence + 100).bitPattern
        var metric: [UInt8] = sequence == 0 ? [0x0A, 5] + Array("power".utf8) : []
        metric += [0x10, 7, 0x20, 9]
        // Its unit, W, as a property.
        if sequence == 0 {
            metric += [0x4A, 16, 0x0A, 7] + Array("engUnit".utf8) + [0x12, 5, 0x08, 12, 0x42, 1, UInt8(ascii: "W")]
        }
        metric += [0x65] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        var payload: [UInt8] = [0x08, 0x80, 0xC0, 0xB1, 0xBD, 0xF6, 0x31, 0x12, UInt8(metric.count)] + metric
        payload.append(0x18)
        let number = UInt8(truncatingIfNeeded: sequence)
        payload += number < 0x80 ? [number] : [number, 1]
        return (Array("spBv1.0/home/\(sequence == 0 ? "NBIRTH" : "NDATA")/cellar".utf8), payload)
    }
}
