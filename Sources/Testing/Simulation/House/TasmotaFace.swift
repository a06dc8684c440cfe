import Timekeeping

/// The numbers a Tasmota plug prints, in the resolution of its default settings.
struct TasmotaFace: Hashable, Sendable {
    var watts: Int64
    var voltAmperes: Int64
    var vars: Int64
    /// Hundredths.
    var factor: Int64
    var volts: Int64
    var milliamperes: Int64
    var totalWattHours: Int64
    var todayWattHours: Int64
    var yesterdayWattHours: Int64

    init(_ plug: Plug, _ supply: Supply) {
        let millivolts = supply.millivolts[plug.load.phase]
        let active = plug.load.milliwatts
        let apparent = FixedPoint.squareRoot(active * active + plug.load.millivars * plug.load.millivars)
        watts = FixedPoint.divideRounded(active, 1000)
        voltAmperes = FixedPoint.divideRounded(apparent, 1000)
        vars = FixedPoint.divideRounded(plug.load.millivars, 1000)
        factor = apparent == 0 ? 0 : FixedPoint.divideRounded(active * 100, apparent)
        volts = FixedPoint.divideRounded(millivolts, 1000)
        milliamperes = FixedPoint.divideRounded(apparent * 1000, millivolts)
        // The firmware adds up whole watt-hours before it prints.
        totalWattHours = (plug.shownMilliwattHours ?? 0) / 1000
        todayWattHours = (plug.load.energy.milliwattHours - plug.dayStart) / 1000
        yesterdayWattHours = plug.yesterday / 1000
    }
}

/// Texts as the firmware prints them.
enum TasmotaText {
    /// Local time without an offset.
    static func time(_ time: Timestamp, offset: Int) -> String {
        String((time + Int64(offset) * Span.second).rfc3339(milliseconds: .never).prefix(19))
    }

    /// Watt-hours as kWh, or mA as A: three decimals.
    static func thousandths(_ value: Int64) -> String {
        let fraction = String(value % 1000)
        return "\(value / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    static func hundredths(_ value: Int64) -> String {
        "\(value / 100)." + (value % 100 < 10 ? "0" : "") + "\(value % 100)"
    }

    /// Time since start as days, `T` and a time of day.
    static func uptime(seconds: Int64) -> String {
        func two(_ value: Int64) -> String { (value < 10 ? "0" : "") + "\(value)" }
        return "\(seconds / 86_400)T\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}

extension House {
    /// `tele/<plug>/SENSOR`. `period` is what was used since the last such message, Wh; nil leaves the key out, as
    /// messages between periods do.
    public func tasmotaSensor(plug index: Int, period: Int64?) -> HouseMessage {
        let plug = plugs[index]
        let face = TasmotaFace(plug, supply)
        let periodText = period.map { "\"Period\":\($0)," } ?? ""
        let payload = """
            {"Time":"\(TasmotaText.time(time, offset: offset))",\
            "ENERGY":{"TotalStartTime":"2023-01-07T19:02:11",\
            "Total":\(TasmotaText.thousandths(face.totalWattHours)),\
            "Yesterday":\(TasmotaText.thousandths(face.yesterdayWattHours)),\
            "Today":\(TasmotaText.thousandths(face.todayWattHours)),\(periodText)\
            "Power":\(face.watts),"ApparentPower":\(face.voltAmperes),"ReactivePower":\(face.vars),\
            "Factor":\(TasmotaText.hundredths(face.factor)),"Voltage":\(face.volts),\
            "Current":\(TasmotaText.thousandths(face.milliamperes))}}
            """
        return HouseMessage(topic: "tele/\(plug.device.name)/SENSOR", payload: payload)
    }

    /// `tele/<plug>/STATE`: no measurements, but every gateway must take it.
    public func tasmotaState(plug index: Int) -> HouseMessage {
        let plug = plugs[index]
        let seconds = max(0, (time - plug.started) / Span.second)
        let payload = """
            {"Time":"\(TasmotaText.time(time, offset: offset))","Uptime":"\(TasmotaText.uptime(seconds: seconds))",\
            "UptimeSec":\(seconds),"Heap":25,"SleepMode":"Dynamic","Sleep":50,"LoadAvg":19,"MqttCount":1,\
            "POWER":"ON","Wifi":{"AP":1,"SSId":"home","BSSId":"02:00:00:00:00:\(10 + index % 90)","Channel":6,\
            "Mode":"11n","RSSI":\(60 + index % 40),"Signal":\(index % 40 - 80),"LinkCount":1,\
            "Downtime":"0T00:00:03"}}
            """
        return HouseMessage(topic: "tele/\(plug.device.name)/STATE", payload: payload)
    }
}
