import CMosquitto
import Glibc

/// The loop thread's part of the outgoing queue: taken from the mailbox, handed to the C library, completed.
struct OutgoingWindow {
    private var batch: [MQTTMailbox.Outgoing] = []
    private var next = 0
    /// Bytes of QoS 1 messages that wait for their acknowledgement, by the C library's message id.
    var unacknowledged: [Int32: Int] = [:]
    /// Bytes of QoS 0 messages handed to the C library and not yet written to the socket, oldest first.
    var unwritten: [Int] = []
    /// Completed since the last settlement.
    var settledMessages = 0
    var settledBytes = 0

    /// All that was taken has been handed on.
    var handed: Bool { next == batch.count }

    mutating func add(_ messages: [MQTTMailbox.Outgoing]) {
        guard !messages.isEmpty else { return }
        precondition(handed, "messages are taken only after the last batch was handed on")
        batch = messages
        next = 0
    }

    mutating func take() -> MQTTMailbox.Outgoing? {
        guard next < batch.count else { return nil }
        defer {
            next += 1
            if next == batch.count { (batch, next) = ([], 0) }
        }
        return batch[next]
    }
}

extension MQTTLoop {
    /// Hands messages to the C library for as long as the socket takes them and the window is open.
    func sendOutgoing() -> String? {
        while !outgoing.handed, !mosquitto_want_write(handle), outgoing.unacknowledged.count < options.maxInFlight {
            guard let message = outgoing.take() else { return nil }
            if message.qos == .atMostOnce { outgoing.unwritten.append(message.bytes) }
            var identifier: Int32 = 0
            let code = mosquitto_publish(
                handle, &identifier, message.topic, Int32(clamping: message.payload.count), message.payload,
                message.qos.rawValue, message.retain)
            // Even when the write failed, the C library keeps a QoS 1 message for the next connection.
            if message.qos == .atLeastOnce { outgoing.unacknowledged[identifier] = message.bytes }
            if let failure = over(code) { return failure }
        }
        return nil
    }

    /// Called by the C library: written (QoS 0) or acknowledged (QoS 1).
    func completed(_ identifier: Int32) {
        if let bytes = outgoing.unacknowledged.removeValue(forKey: identifier) {
            outgoing.settledBytes += bytes
        } else if !outgoing.unwritten.isEmpty {
            outgoing.settledBytes += outgoing.unwritten.removeFirst()
        } else {
            return
        }
        outgoing.settledMessages += 1
    }

    /// Tells the mailbox once a turn what has been completed.
    func settleSent() {
        guard outgoing.settledMessages > 0 else { return }
        mailbox.settle(messages: outgoing.settledMessages, bytes: outgoing.settledBytes, lost: 0)
        (outgoing.settledMessages, outgoing.settledBytes) = (0, 0)
    }

    /// The connection is gone, and with it the QoS 0 messages that the C library had not written yet.
    func loseUnsent() {
        settleSent()
        guard !outgoing.unwritten.isEmpty else { return }
        let bytes = outgoing.unwritten.reduce(0, +)
        mailbox.settle(messages: outgoing.unwritten.count, bytes: bytes, lost: outgoing.unwritten.count)
        outgoing.unwritten = []
    }
}
