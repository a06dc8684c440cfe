import Synchronization
import Timekeeping

/// A clock that stands until it is moved.
public final class ManualClock: Clock {
    private let reading: Mutex<ClockReading>

    public init(wall: Timestamp, monotonic: Int64 = 0, synchronized: Bool = true) {
        reading = Mutex(ClockReading(wall: wall, monotonic: monotonic, synchronized: synchronized))
    }

    public func now() -> ClockReading { reading.withLock { $0 } }

    /// Wall and monotonic clock go on together.
    public func advance(by milliseconds: Int64) {
        reading.withLock {
            $0 = ClockReading(
                wall: $0.wall + milliseconds, monotonic: $0.monotonic + milliseconds, synchronized: $0.synchronized)
        }
    }

    /// Sets the wall clock, as a time source or a person does; the monotonic clock does not notice.
    public func setWall(_ wall: Timestamp, synchronized: Bool = true) {
        reading.withLock { $0 = ClockReading(wall: wall, monotonic: $0.monotonic, synchronized: synchronized) }
    }
}
