import Devices
import Metering
import Testing

/// What devices announce for Home Assistant's discovery, and what is read by it.
@Suite struct AnnouncedTests {
    private static func configuration(_ more: String, state: String = "x/state") -> String {
        #"{"uniq_id":"u","stat_t":"\#(state)","dev":{"ids":["id1"],"name":"meter"},\#(more)}"#
    }

    private static let topic = "homeassistant/sensor/meter/value/config"

    @Test(arguments: [
        (#""dev_cla":"power","unit_of_meas":"W""#, "-411", ["total power -411"]),
        (#""device_class":"power","unit_of_measurement":"kW""#, "0.4115", ["total power 411.5"]),
        (#""dev_cla":"energy","unit_of_meas":"kWh""#, "5120.38", ["total energy_total 5120380"]),
        (#""dev_cla":"energy","unit_of_meas":"MJ""#, "3.6", ["total energy_total 1000"]),
        (#""dev_cla":"energy","unit_of_meas":"Gcal""#, "0.001", ["total energy_total 1162.222"]),
        (#""dev_cla":"energy","unit_of_meas":"kWh","obj_id":"grid_import""#, "1", ["total energy_import 1000"]),
        (#""dev_cla":"energy","unit_of_meas":"kWh","obj_id":"grid_export""#, "1", ["total energy_export 1000"]),
        (#""dev_cla":"energy","unit_of_meas":"kWh","obj_id":"energy_today""#, "1", ["total energy_import_today 1000"]),
        (#""dev_cla":"voltage","unit_of_meas":"mV","obj_id":"voltage_l2""#, "231000", ["l2 voltage 231"]),
        (#""dev_cla":"current","unit_of_meas":"A","obj_id":"current_phase_c""#, "1.5", ["l3 current 1.5"]),
        (#""dev_cla":"power_factor","unit_of_meas":"%""#, "93", ["total power_factor 0.93"]),
        (#""dev_cla":"power_factor""#, "0.93", ["total power_factor 0.93"]),
        (#""dev_cla":"temperature","unit_of_meas":"°F""#, "68", ["total temperature 20"]),
        (#""dev_cla":"gas","unit_of_meas":"ft³""#, "1000", ["total gas 28.317"]),
        (#""dev_cla":"water","unit_of_meas":"m³""#, "1.5", ["total water 1500"]),
        (#""unit_of_meas":"W""#, "7", ["total power 7"]),
        (#""dev_cla":"power","unit_of_meas":"W""#, "unavailable", []),
        (#""dev_cla":"power","unit_of_meas":"W""#, "NaN", []), (#""dev_cla":"humidity","unit_of_meas":"%""#, "40", []),
    ])
    func `class and unit say what a value is`(more: String, payload: String, lines: [String]) {
        let decoding = Decoding()
        #expect(decoding.decode(Self.topic, Self.configuration(more)).outcome == .nothing)
        decoding.decode("x/state", payload)
        #expect(decoding.lines() == lines)
        if !lines.isEmpty {
            #expect(decoding.device() == "meter")
            #expect(decoding.decoder.address(of: decoding.message.device) == "mqtt:homeassistant:id1")
        }
    }

    @Test(arguments: [
        (#""dev_cla":"power","unit_of_meas":"Wh""#, "has the unit `Wh`, which does not fit the class power"),
        (#""dev_cla":"power","unit_of_meas":"kWh""#, "has the unit `kWh`, which does not fit the class power"),
        (#""dev_cla":"energy""#, "names no unit for the class energy"),
        (#""dev_cla":"power","unit_of_meas":"W","stat_t":"a/+/b""#, "has a state_topic that no message can have"),
        (
            #""dev_cla":"power","unit_of_meas":"W","val_tpl":"{% if x %}1{% endif %}""#,
            "has a template that is not one {{ … }}"
        ),
        (
            #""dev_cla":"power","unit_of_meas":"W","val_tpl":"{{ states('x') }}""#,
            "has a template that goes beyond what is read, at `('x')`"
        ),
    ])
    func `a contradiction is told and never guessed`(more: String, reason: String) {
        let decoding = Decoding()
        guard case .malformed(let error) = decoding.decode(Self.topic, Self.configuration(more)).outcome else {
            Issue.record("taken")
            return
        }
        #expect(error.description.contains(reason), "\(error)")
        #expect(decoding.decode("x/state", "1").outcome == .notMine)
    }

    @Test(arguments: [
        ("{{ value }}", "52.5", ["52.5"]), ("{{value_json.a.b}}", #"{"a":{"b":7}}"#, ["7"]),
        ("{{ value_json['a']['b'] }}", #"{"a":{"b":"7.25"}}"#, ["7.25"]),
        (#"{{ value_json["a b"][1] }}"#, #"{"a b":[1,2]}"#, ["2"]),
        ("{{ value_json.x | float * 1000 }}", #"{"x":0.4125}"#, ["412.5"]),
        ("{{ (value_json.x | float(0)) / 60 | round(2) }}", #"{"x":100}"#, ["1.667"]),
        ("{{ ((value_json.x | float(0)) / 60) | round(2) }}", #"{"x":100}"#, ["1.67"]),
        ("{{ value | int }}", "52.9", ["52"]), ("{{ value_json.x | int(3) }}", "{}", ["3"]),
        ("{{ value_json.x | abs }}", #"{"x":-3}"#, ["3"]), ("{{ -value_json.x + 2*3 - 1 }}", #"{"x":4}"#, ["1"]),
        ("{{ value_json.x | default(0) }}", "{}", ["0"]), ("{{ value_json.x | default(0) }}", #"{"x":null}"#, []),
        ("{{ value_json.x | default('None') }}", "{}", []), ("{{ value_json.x | is_defined }}", "{}", []),
        ("{{ value_json.x }}", "{}", []), ("{{ value_json.x }}", #"{"x":"unknown"}"#, []),
        ("{{ 0.1 + 0.2 - 0.3 + value_json.x }}", #"{"x":0}"#, ["0"]),
        ("{{ value_json.x / value_json.y }}", #"{"x":1,"y":3}"#, ["0.333"]),
    ])
    func `a template gives an exact number, or none`(template: String, payload: String, values: [String]) {
        let decoding = Decoding()
        let quoted = template.replacing("\"", with: "\\\"")
        decoding.decode(
            Self.topic, Self.configuration(#""dev_cla":"power","unit_of_meas":"W","val_tpl":"\#(quoted)""#))
        #expect(decoding.decode("x/state", payload).errors.isEmpty)
        #expect(decoding.lines() == values.map { "total power \($0)" })
    }

    @Test(arguments: [
        ("{{ value_json.x / value_json.y }}", #"{"x":1,"y":0}"#, "the template gives a number out of range"),
        ("{{ value_json.x }}", #"{"x":{"y":1}}"#, "the template leads to no number"),
        ("{{ value_json.x | float }}", #"{"x":"ON"}"#, "the template gives `ON`"),
        ("{{ value_json.x }}", "{", "The JSON text is cut off"),
    ])
    func `a template that gives no number says so`(template: String, payload: String, reason: String) {
        let decoding = Decoding()
        decoding.decode(
            Self.topic, Self.configuration(#""dev_cla":"power","unit_of_meas":"W","val_tpl":"\#(template)""#))
        guard case .malformed(let error) = decoding.decode("x/state", payload).outcome else {
            Issue.record("not malformed")
            return
        }
        #expect(error.description.contains(reason), "\(error)")
    }

    @Test func `one announcement of a device holds its values, which share a topic`() {
        let decoding = Decoding()
        decoding.decode(
            "homeassistant/device/heatpump/config",
            #"""
            {"dev":{"ids":"hp1","name":"Heat pump","mdl":"HP-9"},"o":{"name":"bridge"},"stat_t":"hp/state",
             "cmps":{"power":{"p":"sensor","dev_cla":"power","unit_of_meas":"kW","val_tpl":"{{ value_json.p }}","uniq_id":"p"},
                     "energy":{"p":"sensor","dev_cla":"energy","unit_of_meas":"kWh","val_tpl":"{{ value_json.e }}","uniq_id":"consumed"},
                     "button":{"p":"button","cmd_t":"hp/set"}}}
            """#)
        decoding.decode("hp/state", #"{"p":1.25,"e":77.5}"#)
        #expect(decoding.lines() == ["total power 1250", "total energy_import 77500"])
        #expect(decoding.device() == "Heat pump")
        #expect(decoding.decoder.model(of: decoding.message.device) == "HP-9")
        #expect(decoding.decoder.subscriptions.contains("hp/state"))
    }

    @Test func `a Homie unit that changes holds from the next value on`() {
        let decoding = Decoding()
        func power(_ text: String) -> [String] {
            decoding.decode("homie/meter/main/power", text)
            return decoding.lines()
        }
        #expect(power("1.5") == [])
        decoding.decode("homie/meter/main/power/$unit", "W")
        for _ in 0..<3 { #expect(power("1.5") == ["total power 1.5"]) }
        decoding.decode("homie/meter/main/power/$unit", "kW")
        #expect(power("1.5") == ["total power 1500"])
        decoding.decode("homie/meter/$state", "lost")
        #expect(power("1.5") == [])
        decoding.decode("homie/meter/$state", "ready")
        #expect(power("nan") == [] && decoding.message.outcome == .nothing)
        #expect(power("-2") == ["total power -2000"] && decoding.device() == "meter")
    }

    @Test func `a topic's values change with its announcement`() {
        let decoding = Decoding()
        func announce(_ template: String) {
            decoding.decode(
                "homeassistant/sensor/attic/power/config",
                #"{"uniq_id":"a","stat_t":"attic/state","dev_cla":"power","unit_of_meas":"W","val_tpl":"\#(template)","#
                    + #""dev":{"ids":["a"]}}"#)
        }
        func lines() -> [String] {
            decoding.decode("attic/state", #"{"p":41.25,"q":7}"#)
            return decoding.lines()
        }
        announce("{{ value_json.p | float }}")
        for _ in 0..<3 { #expect(lines() == ["total power 41.25"]) }
        announce("{{ value_json.q | float * 2 }}")
        for _ in 0..<3 { #expect(lines() == ["total power 14"]) }
    }

    @Test func `two values of one kind stay apart, and an announcement that is taken back ends`() {
        let decoding = Decoding()
        for (name, state) in [("oven", "x/a"), ("fridge", "x/b")] {
            decoding.decode(
                "homeassistant/sensor/meter/\(name)/config",
                #"{"stat_t":"\#(state)","dev_cla":"power","unit_of_meas":"W","dev":{"ids":["m"]}}"#)
        }
        decoding.decode("x/a", "1")
        #expect(decoding.lines() == ["total power 1"])
        decoding.decode("x/b", "2")
        #expect(decoding.lines() == ["fridge power 2"])
        #expect(decoding.decode("homeassistant/sensor/meter/fridge/config", "").outcome == .nothing)
        #expect(decoding.decode("x/b", "2").outcome == .notMine)
        #expect(decoding.decode("x/a", "3").outcome == .readings)
    }

    @Test func `a family that is known by itself is read by its own profile`() {
        let decoding = Decoding()
        decoding.decode(
            Self.topic,
            Self.configuration(
                #""dev_cla":"power","unit_of_meas":"kW","val_tpl":"{{ value_json.power }}""#, state: "zigbee2mqtt/desk")
        )
        decoding.decode("zigbee2mqtt/desk", #"{"power":19.4}"#)
        #expect(decoding.lines() == ["total power 19.4"])
        #expect(decoding.decoder.address(of: decoding.message.device) == "mqtt:zigbee2mqtt:desk")
    }

    @Test func `ESPHome's units come from its announcement, and the device is its topic's`() {
        let decoding = Decoding()
        let state = "attic-meter/sensor/mains_power/state"
        #expect(decoding.decode(state, "-411").outcome == .nothing)
        decoding.decode(
            Self.topic, Self.configuration(#""dev_cla":"power","unit_of_meas":"W""#, state: state))
        #expect(decoding.decode(state, "nan").outcome == .nothing)
        decoding.decode(state, "-411")
        #expect(decoding.lines() == ["total power -411"])
        #expect(decoding.decoder.address(of: decoding.message.device) == "mqtt:esphome:attic-meter")
        #expect(decoding.decode("attic-meter/status", "offline").outcome == .availability(false))
    }

    @Test func `all of several availability topics have to agree where the announcement says so`() {
        let decoding = Decoding()
        let more =
            #""dev_cla":"power","unit_of_meas":"W","avty_mode":"all","avty":[{"t":"x/a"},{"t":"x/b","val_tpl":"{{ value_json.state }}"}]"#
        decoding.decode(Self.topic, Self.configuration(more))
        #expect(decoding.decode("x/a", "online").outcome == .availability(false))
        #expect(decoding.decode("x/b", #"{"state":"online"}"#).outcome == .availability(true))
        #expect(decoding.decode("x/a", "offline").outcome == .availability(false))
    }

    @Test func `an element that names no channel is an error and the others count`() {
        let decoding = Decoding()
        decoding.decode(
            "IoTaWatt/inputs",
            #"[{"Watts":1},{"channel":null,"Watts":2},{"channel":"a name that is too long","Watts":3},5,"#
                + #"{"channel":"Main","Watts":4}]"#)
        #expect(decoding.lines() == ["main power 4"])
        #expect(decoding.message.errorCount == 4)
        #expect(
            decoding.decode("IoTaWatt/outputs", #"{"name":"Total","units":"Watts","value":1}"#).outcome == .readings)
    }

    @Test func `a code that is announced anew takes the place of the one before`() {
        let decoding = Decoding()
        decoding.decode("vzlogger/chn0/id", "1-0:1.8.0*255")
        #expect(decoding.decode("vzlogger/chn0/raw", "12.500000").outcome == .readings)
        #expect(decoding.lines() == ["total energy_import 12.5"])
        decoding.decode("vzlogger/chn0/id", "1-0:16.7.0*255", retained: true)
        decoding.decode("vzlogger/chn0/raw", "417.000000")
        #expect(decoding.lines() == ["total power 417"])
        decoding.decode("vzlogger/chn0/id", "1-0:96.1.0*255")
        #expect(decoding.decode("vzlogger/chn0/raw", "1.000000").outcome == .nothing)
        decoding.decode("vzlogger/chn0/id", "1-0:16.7.0*255")
        guard case .malformed = decoding.decode("vzlogger/chn0/raw", "many").outcome else {
            Issue.record("a word was taken for a number")
            return
        }
    }

    @Test func `names beyond a device's share are left out, and those before go on`() {
        let decoding = Decoding()
        for i in 0..<300 { decoding.decode("vzlogger/chn\(i)/id", "1-0:1.8.0*255") }
        #expect(decoding.decode("vzlogger/chn255/raw", "2").outcome == .readings)
        #expect(decoding.lines() == ["chn255 energy_import 2"])
        #expect(decoding.decode("vzlogger/chn256/raw", "3").outcome == .nothing)
        #expect(decoding.decode("vzlogger/chn0/raw", "1").outcome == .readings)
        #expect(decoding.lines() == ["total energy_import 1"])
    }
}
