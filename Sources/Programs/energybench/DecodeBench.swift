import Devices
import Timekeeping

/// What one message of each family costs from bytes to samples: 200 devices that say the same, one after another, with
/// values that change.
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
    }

    private static func run(_ family: Family) {
        let decoder = MessageDecoder(profiles: ProfileCatalog.builtIn.profiles)
        var message = DecodedMessage()
        func bytes(_ text: String, _ number: Int) -> [UInt8] {
            let digits = String(number)
            let name =
                family.name == "opendtu" ? String(repeating: "1", count: 12 - digits.utf8.count) + digits : digits
            return Array(text.replacing("#", with: name).utf8)
        }
        func decode(_ topic: [UInt8], _ payload: [UInt8]) {
            topic.withUnsafeBytes { topic in
                payload.withUnsafeBytes { payload in
                    decoder.decode(
                        topic: topic, payload: payload, retained: false, received: Household.start, into: &message)
                }
            }
        }
        for device in 0..<devices {
            for (topic, payload) in family.before {
                decode(bytes(topic, device), Array(payload.replacing("#", with: String(device)).utf8))
            }
        }
        let topics = (0..<devices).map { bytes(family.topic, $0) }
        let payloads = (0..<10).map { Array(family.payload.replacing("#", with: String($0)).utf8) }
        var samples = 0
        func decode(_ rounds: Int) {
            for round in 0..<rounds {
                decode(topics[round % topics.count], payloads[round / topics.count % payloads.count])
                samples += message.samples.count
            }
        }
        decode(topics.count * 10)
        let watch = Stopwatch()
        decode(rounds)
        precondition(samples >= rounds, "a message of \(family.name) gave no sample")
        report("mqtt.decode_ns.\(family.name)", watch.cpu / Double(rounds) * 1e9, "ns")
    }
}
