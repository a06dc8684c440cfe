import Devices
import Metering
import Testing
import Timekeeping

/// What Tasmota sends, quirk by quirk; payloads typed by hand from the family's documentation.
@Suite struct TasmotaTests {
    @Test(arguments: [
        ("tele/plug/SENSOR", "plug"), ("tele/house/attic/plug/SENSOR", "house/attic/plug"),
        ("plug/tele/SENSOR", "plug"), ("house/plug/tele/SENSOR", "house/plug"),
        ("tasmota/plug/tele/SENSOR", "plug"), ("home/tele/plug/SENSOR", "plug"),
    ])
    func `the device is the topic without its prefix, in either order`(topic: String, device: String) {
        let decoding = Decoding()
        let message = decoding.decode(topic, #"{"ENERGY":{"Power":52}}"#)
        #expect(message.outcome == .readings)
        #expect(decoding.device() == device)
        #expect(decoding.decoder.address(of: message.device) == "mqtt:tasmota:\(device)")
        #expect(decoding.lines() == ["total power 52"])
    }

    @Test(arguments: ["tele/SENSOR", "SENSOR", "$SYS/tele/x/SENSOR", ""])
    func `other topics are not ours`(topic: String) {
        #expect(Decoding().decode(topic, #"{"ENERGY":{"Power":52}}"#).outcome == .notMine)
    }

    @Test(arguments: ["tele/plug/HEAP", "cmnd/plug/POWER", "plug/cmnd/Status", "tele/plug/INFO1"])
    func `commands and notes are known, say nothing and are not subscribed to`(topic: String) {
        let decoding = Decoding()
        let message = decoding.decode(topic, #"{"ENERGY":{"Power":52}}"#)
        #expect(message.outcome == .nothing && message.samples.isEmpty)
        let filters = decoding.decoder.subscriptions
        #expect(!filters.contains { $0.contains("cmnd") || $0.hasSuffix("/HEAP") || $0.hasSuffix("/INFO1") })
        #expect(filters.contains("tele/+/SENSOR"))
    }

    @Test(arguments: [
        (
            #"{"ENERGY":{"Power":[1,2,3],"Voltage":[230,231,232]}}"#,
            [
                "l1 power 1", "l2 power 2", "l3 power 3", "total power 6 derived", "l1 voltage 230", "l2 voltage 231",
                "l3 voltage 232",
            ]
        ),
        (
            #"{"ENERGY":{"Power":[1,2,3],"Voltage":230}}"#,
            ["1 power 1", "2 power 2", "3 power 3", "total power 6 derived", "total voltage 230"]
        ),
        (#"{"ENERGY":{"Power":[41]}}"#, ["1 power 41", "total power 41 derived"]),
        (#"{"ENERGY":{"Power":[41,null]}}"#, ["1 power 41"]),
        (
            #"{"ENERGY":{"Total":[1.5,2.25]}}"#,
            ["1 energy_import 1500", "2 energy_import 2250", "total energy_import 3750 derived"]
        ),
        (#"{"ENERGY":{"Power":[]}}"#, []),
    ])
    func `arrays are outputs, or phases beside three voltages`(payload: String, lines: [String]) {
        let decoding = Decoding()
        decoding.decode("tele/plug/SENSOR", payload)
        #expect(decoding.lines() == lines)
    }

    @Test func `with feed-in the total is net, and the sums of the day are kept apart`() {
        let decoding = Decoding()
        let payload = #"""
            {"ENERGY":{"Total":10.5,"Today":0.2,"TodaySumImport":0.5,"TodaySumExport":0.3,"ExportActive":4.25,"Power":-318}}
            """#
        decoding.decode("tele/meter/SENSOR", payload)
        #expect(
            decoding.lines() == [
                "total energy_net 10500", "total energy_import_today 500", "total energy_export_today 300",
                "total energy_export 4250", "total power -318",
            ])
    }

    @Test(arguments: [
        #"{"ENERGY":{"Power":52,"Voltage":nan,"Current":-inf}}"#, #"{"ENERGY":{"Power":52,"Voltage":NaN}}"#,
        #"{"ENERGY":{"Power":" 52","Voltage":"nan","Current":"N/A","Factor":null}}"#,
        #"{"ENERGY":{"Power":  52,"Voltage":"","Current":"-"}}"#, "\u{FEFF}{\"ENERGY\":{\"Power\":52}}\r\n\0",
        #"{"Name":"nan \" nan","ENERGY":{"Power":5.2e1,"Voltage":nan}}"#, #"{"ENERGY":{"Power":7,"Power":52}}"#,
        #"{"ENERGY":{"Power":[1,2]},"ENERGY":{"Power":52}}"#,
    ])
    func `no value is no sample, and odd spellings of a number are numbers`(payload: String) {
        let decoding = Decoding()
        #expect(decoding.decode("tele/plug/SENSOR", payload).outcome == .readings)
        #expect(decoding.message.errorCount == 0)
        #expect(decoding.lines() == ["total power 52"])
    }

    @Test(arguments: [
        (#""2024-05-11T08:20:00""#, "total power 1"), (#""2018.02.04 23:17:01""#, "total power 1"),
        (#""1970-01-01T00:03:07""#, "total power 1"),
        (#""2024-05-11T08:20:00+02:00""#, "total power 1 @1715408400000"),
        (#""1970-01-01T00:03:07Z""#, "total power 1 untrusted"),
        (#""2026-03-29T00:05:00Z""#, "total power 1 @1774742700000"),
        (#""2026-03-29T00:05:01Z""#, "total power 1 untrusted"), ("null", "total power 1"),
    ])
    func `a local time is not used, an instant within bounds is`(time: String, line: String) {
        let decoding = Decoding()
        decoding.decode("tele/plug/SENSOR", #"{"Time":\#(time),"ENERGY":{"Power":1}}"#)
        #expect(decoding.lines() == [line])
    }

    @Test(arguments: [
        (#"{"AM2301":{"Temperature":21.4,"Humidity":48.1},"TempUnit":"C"}"#, ["am2301 temperature 21.4"]),
        (#"{"DS18B20-1":{"Id":"01","Temperature":68},"TempUnit":"F"}"#, ["ds18b20_1 temperature 20"]),
        (#"{"DS18B20":{"Temperature":85},"ESP32":{"Temperature":61},"TempUnit":"C"}"#, []),
        (#"{"ANALOG":{"Temperature":4.05}}"#, ["analog temperature 4.05"]),
        (#"{"COUNTER":{"C1":1234},"SML":{},"Version":7}"#, []),
    ])
    func `temperatures of other sections are channels by their names`(payload: String, lines: [String]) {
        let decoding = Decoding()
        let message = decoding.decode("tele/plug/SENSOR", payload)
        #expect(decoding.lines() == lines)
        #expect(message.outcome == (lines.isEmpty ? .nothing : .readings))
    }

    @Test(arguments: ["Online", "Offline", " Online\r\n"])
    func `the last will is availability`(payload: String) {
        #expect(
            Decoding().decode("tele/plug/LWT", payload).outcome == .availability(payload.contains("Online")))
    }

    @Test func `a field of a wrong type is an error and the others count`() {
        let decoding = Decoding()
        let message = decoding.decode(
            "tele/plug/SENSOR", #"{"ENERGY":{"Power":{"a":1},"Voltage":true,"Current":"0x1F","Factor":0.5}}"#)
        #expect(message.outcome == .readings)
        #expect(
            message.errors.map(\.description) == [
                "ENERGY.Power: is not a number", "ENERGY.Voltage: is not a number",
                "ENERGY.Current: is not a number",
            ])
        #expect(decoding.lines() == ["total power_factor 0.5"])
    }

    @Test(arguments: [
        ("{\"ENERGY\":{\"Power\":5", "The JSON text is cut off"), ("[1]", "the payload is not a JSON object"),
        ("42", "the payload is not a JSON object"), (#"{"ENERGY":"x"}"#, "is not an object"),
        (#"{"ENERGY":{"Power":007}}"#, "malformed number"), (#"{"ENERGY":{"Power":1e300}}"#, "out of range"),
    ])
    func `a broken payload is malformed and says why`(payload: String, reason: String) {
        guard case .malformed(let error) = Decoding().decode("tele/plug/SENSOR", payload).outcome else {
            Issue.record("not malformed")
            return
        }
        #expect(error.description.contains(reason))
    }

    @Test func `a message of which nothing is right says which fields are to blame`() {
        let decoding = Decoding()
        let message = decoding.decode("tele/plug/SENSOR", #"{"ENERGY":{"Power":"x","Voltage":true}}"#)
        #expect(message.complaint == "ENERGY.Power: is not a number; ENERGY.Voltage: is not a number")
        #expect(decoding.decode("tele/plug/SENSOR", "{").complaint?.hasPrefix("The JSON text is cut off") == true)
        #expect(decoding.decode("tele/plug/SENSOR", "{}").complaint == nil)
    }

    @Test(arguments: [
        "", " ", "null", "{}", #"{"ENERGY":null}"#, #"{"ENERGY":{}}"#,
        #"{"Time":"x"}"#.replacing("x", with: "2024-05-11T08:20:00"),
    ])
    func `a message may validly say nothing`(payload: String) {
        #expect(Decoding().decode("tele/plug/SENSOR", payload).outcome == .nothing)
    }

    @Test func `a retained message is flagged and gives no amount per report`() {
        let decoding = Decoding()
        decoding.decode("tele/plug/SENSOR", #"{"ENERGY":{"Total":1,"Period":4}}"#, retained: true)
        #expect(decoding.lines() == ["total energy_import 1000 retained"])
    }

    @Test func `the answer to a status command reads like a sensor message`() {
        let decoding = Decoding()
        decoding.decode("stat/plug/STATUS8", #"{"StatusSNS":{"ENERGY":{"Power":52}}}"#)
        #expect(decoding.lines() == ["total power 52"])
        #expect(decoding.decode("stat/plug/STATUS8", "{}").outcome == .nothing)
    }
}
