import Devices
import Metering
import Testing

@Suite struct OwnAnnouncementTests {
    private func configuration(_ origin: String) -> String {
        """
        {"device":{"identifiers":["x"],"name":"washer"},"origin":{"name":"\(origin)"},"components":{"total_power":\
        {"platform":"sensor","unique_id":"x_power","device_class":"power","unit_of_measurement":"W",\
        "state_topic":"tree/home/washer/power"}}}
        """
    }

    @Test func `what the bridge announces does not come back as a second device`() {
        let decoding = Decoding()
        decoding.decode("homeassistant/device/x/config", configuration("energyd"))
        #expect(decoding.message.outcome == .nothing)
        decoding.decode("tree/home/washer/power", "12")
        #expect(decoding.lines().isEmpty)
        // Somebody else's is taken as ever.
        decoding.decode("homeassistant/device/x/config", configuration("other"))
        decoding.decode("tree/home/washer/power", "12")
        #expect(decoding.lines() == ["total power 12"])
    }
}
