import Metering

/// One way to read the messages of a topic. Of plain values, so that looking one up costs no reference counting.
struct Route {
    enum Kind: UInt8 {
        case notMine
        case json
        case number
        case availability
        case ignored
        /// Our pattern with a part that makes no sense: each message on it is an error.
        case wrong
        /// Lines of OBIS codes, as a P1 port or a serial bridge sends them.
        case obis
        /// Values with commas between, by position.
        case csv
        /// Says which model the device is.
        case model
        /// A configuration of Home Assistant's MQTT discovery.
        case discovery
        /// What such a configuration announced.
        case entities
        case homie
        case sparkplug
        /// Says which field the numbers beside it are.
        case fieldName
        case namedNumber
    }

    var kind = Kind.notMine
    /// Index into the decoder's `profiles`.
    var profile: Int32 = -1
    /// Index into the decoder's rules; -1 when no profile's topic led here.
    var rule: Int32 = -1
    /// Index into the decoder's trees.
    var tree: Int32 = -1
    /// Where in the tree the payload's root is.
    var node: Int32 = 0
    /// Index of the tree's field that a plain value is; -1: `quantity` in its canonical unit.
    var field: Int32 = -1
    var quantity = Quantity(code: 0)
    var channel = Channel.total
    /// The topic names the channel: it counts for every field.
    var namesChannel = false
    /// The device's part of the topic, in bytes; empty where the rule states the device.
    var deviceStart: Int32 = 0
    var deviceEnd: Int32 = 0
    /// Of announced entities, and of named numbers, their number; of an ignored topic why it is.
    var index: Int32 = -1
    /// The decoder's number of the device; -1 until the topic gave a first value.
    var device: Int32 = -1

    var deviceRange: Range<Int> { Int(deviceStart)..<Int(deviceEnd) }
}

/// What a topic was found to be, so that the next message on it need not be matched again.
struct TopicEntry {
    var route = Route()
    /// For a payload that is neither object nor array, where `route` reads those; `.notMine`: there is none.
    var plain = Route()
    /// Index into the decoder's shapes; -1: none learned.
    var shape: Int32 = -1
    /// Messages that did not fit the shape since it was learned, or that gave none.
    var misses: UInt32 = 0
}
