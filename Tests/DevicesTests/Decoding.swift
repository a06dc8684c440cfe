import Devices
import Foundation
import Metering
import Testing
import Timekeeping

/// The program's profiles with the tests that they bring along.
enum Shipped {
    static let catalog = ProfileCatalog.shipped(withTests: true)
}

/// A decoder with the program's own profiles and a fixed receive time.
final class Decoding {
    static let received = Timestamp(milliseconds: 1_774_742_400_000)  // 2026-03-29T00:00:00Z

    let decoder: MessageDecoder
    var message = DecodedMessage()
    var received = Decoding.received

    init(
        _ profiles: [Profile] = ProfileCatalog.builtIn.profiles, settings: MessageSettings = MessageSettings(),
        learnsShapes: Bool = true
    ) {
        decoder = MessageDecoder(profiles: profiles, settings: settings, learnsShapes: learnsShapes)
    }

    @discardableResult
    func decode(_ topic: String, _ payload: String, retained: Bool = false) -> DecodedMessage {
        decode(topic, Array(payload.utf8), retained: retained)
    }

    @discardableResult
    func decode(_ topic: String, _ payload: [UInt8], retained: Bool = false) -> DecodedMessage {
        Array(topic.utf8).withUnsafeBytes { topic in
            payload.withUnsafeBytes { payload in
                decoder.decode(
                    topic: topic, payload: payload, retained: retained, received: received, into: &message)
            }
        }
        return message
    }

    /// The device of the last message.
    func device() -> String { message.device < 0 ? "" : decoder.name(of: message.device) }

    /// As `ProfileCheck.line`, with what else is known about the sample.
    func lines() -> [String] {
        message.samples.map { sample in
            var line = ProfileCheck.line(sample)
            if sample.flags.contains(.derived) { line += " derived" }
            if sample.flags.contains(.retained) { line += " retained" }
            switch sample.time {
            case .none: break
            case .utc(let time): line += " @\(time.milliseconds)"
            case .untrusted: line += " untrusted"
            }
            return line
        }
    }
}
