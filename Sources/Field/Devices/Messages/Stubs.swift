import Metering
import Timekeeping
final class Announcements {
    var topics: [String] = []
    var changes = 0
    var names: [String: String] = [:]
    func route(_ topic: UnsafeRawBufferPointer) -> Route? { nil }
    func device(at: Int) -> String? { nil }
}
final class HomieTree {}
final class SparkplugNodes {}
extension MessageDecoder {
    func takeDiscovery(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, into message: inout DecodedMessage) {}
    func readEntities(_ route: Route, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, into message: inout DecodedMessage) {}
    func readHomie(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route, received: Timestamp, into message: inout DecodedMessage) {}
    func readSparkplug(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route, received: Timestamp, into message: inout DecodedMessage) {}
}
