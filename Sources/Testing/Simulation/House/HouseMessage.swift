/// One MQTT message of the house.
package struct HouseMessage: Hashable, Sendable {
    package var topic: String
    package var payload: String
    package var retain: Bool

    package init(topic: String, payload: String, retain: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.retain = retain
    }
}
