import CMosquitto
import Threads

// What the C library and pthread call, as free functions: a closure literal could inherit an actor's isolation and
// would then abort on the library's thread. All run on the loop thread, with the loop kept alive by `runLoop`.

func runLoop(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let mailbox = runToEnd(context)
    mailbox.end()
    return nil
}

/// In a function of its own, so that the loop and its handle are gone before anybody hears of the end.
@inline(never)
private func runToEnd(_ context: UnsafeMutableRawPointer) -> MQTTMailbox {
    let loop = Unmanaged<MQTTLoop>.fromOpaque(context).takeRetainedValue()
    loop.run()
    return loop.mailbox
}

private func loop(_ context: UnsafeMutableRawPointer) -> MQTTLoop {
    Unmanaged<MQTTLoop>.fromOpaque(context).takeUnretainedValue()
}

func onConnect(_: OpaquePointer?, context: UnsafeMutableRawPointer?, code: Int32, flags: Int32) {
    guard let context else { return }
    loop(context).connected(code: code, sessionPresent: flags & 1 != 0)
}

func onMessage(
    _: OpaquePointer?, context: UnsafeMutableRawPointer?, message: UnsafePointer<mosquitto_message>?
) {
    guard let context, let message else { return }
    loop(context).received(message.pointee)
}

func onPublish(_: OpaquePointer?, context: UnsafeMutableRawPointer?, identifier: Int32) {
    guard let context else { return }
    loop(context).completed(identifier)
}

func onSubscribe(
    _: OpaquePointer?, context: UnsafeMutableRawPointer?, identifier: Int32, count: Int32,
    granted: UnsafePointer<Int32>?
) {
    guard let context, let granted, count > 0 else { return }
    for index in 0..<Int(count) where granted[index] > 2 {
        loop(context).mailbox.count(\.refusedSubscriptions)
    }
}

/// Only set with TLS: its library's reason stands in the log and nowhere else.
func onLog(_: OpaquePointer?, context: UnsafeMutableRawPointer?, level: Int32, text: UnsafePointer<CChar>?) {
    guard let context, let text, level == MOSQ_LOG_ERR else { return }
    let words = String(cString: text).split(separator: ":", omittingEmptySubsequences: true)
    // "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed": the last part is the reason.
    guard let reason = words.last else { return }
    loop(context).tlsComplaint = String(reason.prefix(200))
}

/// Without an answer OpenSSL would ask on the terminal for the password of a key that has one, and wait for ever.
func refuseKeyPassword(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 {
    0
}

/// The C library's words for its code; the system's where it only points there.
func libraryText(_ code: Int32, _ systemCode: Int32) -> String {
    switch code {
    case MOSQ_ERR_ERRNO.rawValue: systemText(systemCode)
    case MOSQ_ERR_SUCCESS.rawValue, MOSQ_ERR_CONN_LOST.rawValue: "the broker closed the connection"
    case MOSQ_ERR_KEEPALIVE.rawValue: "the broker did not answer a ping"
    default: mosquitto_strerror(code).map { String(cString: $0) } ?? "code \(code)"
    }
}
