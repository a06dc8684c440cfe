import Timekeeping

/// SENSOR messages of many identical plugs, for load: each draws 100 W, so that its counter is plausible at any rate.
public struct PlugFlood: Sendable {
    public let plugs: Int
    private let start: Timestamp

    public init(plugs: Int, start: Timestamp) {
        self.plugs = max(1, plugs)
        self.start = start
    }

    /// Message `number` of the flood, sent at `now`; plugs take turns.
    public func message(_ number: Int, at now: Timestamp) -> HouseMessage {
        let plug = number % plugs
        let wattHours = max(0, now - start) / 36_000 + Int64(plug) * 1000
        let payload = """
            {"Time":"\(TasmotaText.time(now, offset: 0))","ENERGY":{"TotalStartTime":"2023-01-07T19:02:11",\
            "Total":\(TasmotaText.thousandths(wattHours)),"Yesterday":2.400,"Today":1.207,"Period":0,"Power":100,\
            "ApparentPower":118,"ReactivePower":63,"Factor":0.85,"Voltage":231,"Current":0.511}}
            """
        return HouseMessage(topic: "tele/load\(plug + 1)/SENSOR", payload: payload)
    }
}
