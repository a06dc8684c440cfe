/// One message from the broker, lent to the handler.
///
/// Topic and payload point into the C library's memory, which is freed as soon as the handler returns: copy what is
/// needed later. The type is not copyable, so that at least the message itself cannot be kept by mistake.
public struct MQTTMessage: ~Copyable {
    /// UTF-8, checked by the C library, without the final zero.
    public let topic: UnsafeRawBufferPointer
    /// At most `MQTTOptions.payloadLimit` bytes, of whatever the sender liked.
    public let payload: UnsafeRawBufferPointer
    public let qos: Int32
    /// Old data that the broker kept for new subscribers, not something that has just happened.
    public let retained: Bool
}
