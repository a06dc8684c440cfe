import ConfigurationFile
import Intake
import MQTT
import Testing

@Suite struct BrokerTests {
    @Test func `tls is on where it is said or a file for it is named, and has its own port`() throws {
        let plain = try Folder(["t.toml": "[mqtt]\ntls = true"]).load()
        #expect(plain.mqtt.tls != nil && plain.mqtt.port == 8883)
        let named = try Folder(["t.toml": "[mqtt]\nca_file = \"/ca.pem\"\nport = 8884"]).load()
        #expect(named.mqtt.tls?.authorityFile == "/ca.pem" && named.mqtt.port == 8884)
        #expect(try Folder(["t.toml": "[mqtt]\ntls = false"]).load().mqtt.tls == nil)
    }

    @Test func `listed devices are those of the configuration, by name and by binding`() throws {
        let text = """
            [mqtt]
            accept = "listed"
            ignore = ["mqtt:shelly:*"]
            [[device]]
            name = "washer"
            binding = "mqtt:tasmota:plug_7"
            """
        let admission = try Folder(["t.toml": text]).load().admission
        #expect(admission.admits("mqtt:tasmota:plug_7"))
        #expect(admission.admits("mqtt:energy:washer"))
        #expect(!admission.admits("mqtt:tasmota:plug_8"))
        #expect(!admission.admits("mqtt:shelly:washer"))
    }
}
