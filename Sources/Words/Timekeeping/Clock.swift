import Glibc
import Synchronization

/// What the clocks of this machine say at one instant.
public struct ClockReading: Hashable, Sendable {
    /// The wall clock; right only when `synchronized`.
    public let wall: Timestamp
    /// Milliseconds since boot, sleep included; never set, never goes back within one boot.
    public let monotonic: Int64
    /// True when the kernel says that a time source disciplines the wall clock.
    public let synchronized: Bool

    public init(wall: Timestamp, monotonic: Int64, synchronized: Bool) {
        self.wall = wall
        self.monotonic = monotonic
        self.synchronized = synchronized
    }
}

/// Where time comes from. Given by constructor, so that a test or a simulated house can bring its own.
public protocol Clock: Sendable {
    /// Any thread; never blocks.
    func now() -> ClockReading
}

/// The clocks of the kernel.
public final class SystemClock: Clock {
    /// `monotonic << 1 | synchronized` of the last look at the kernel's state; -1 before the first.
    private let lastSynchronization = Atomic<Int64>(-1)
    /// Asking costs a system call, and the answer changes a few times a day.
    private static let synchronizationAge: Int64 = Span.second

    public init() {}

    public func now() -> ClockReading {
        let monotonic = SystemClock.milliseconds(of: CLOCK_BOOTTIME)
        return ClockReading(
            wall: Timestamp(milliseconds: SystemClock.milliseconds(of: CLOCK_REALTIME)), monotonic: monotonic,
            synchronized: isSynchronized(at: monotonic))
    }

    private func isSynchronized(at monotonic: Int64) -> Bool {
        let last = lastSynchronization.load(ordering: .relaxed)
        if last >= 0, monotonic - (last >> 1) < SystemClock.synchronizationAge { return last & 1 == 1 }
        let synchronized = KernelDiscipline.isSynchronized()
        lastSynchronization.store(monotonic << 1 | (synchronized ? 1 : 0), ordering: .relaxed)
        return synchronized
    }

    private static func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "the kernel has no clock \(clock)")
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// The kernel's own word on whether a time source (NTP, PTP, GPS) disciplines the wall clock.
private enum KernelDiscipline {
    private typealias Adjtimex = @convention(c) (UnsafeMutableRawPointer) -> CInt

    /// Looked up by name, because the Glibc module leaves `<sys/timex.h>` out.
    private static let adjtimex: Adjtimex? = dlsym(nil, "adjtimex").map { unsafeBitCast($0, to: Adjtimex.self) }
    /// `TIME_ERROR`: the answer while the clock is not synchronised.
    private static let notSynchronized: CInt = 5
    /// More than `struct timex` takes on any Linux (208 bytes); only the answer's number is looked at.
    private static let stateSize = 512

    static func isSynchronized() -> Bool {
        guard let adjtimex else { return false }
        return withUnsafeTemporaryAllocation(byteCount: stateSize, alignment: 16) { state in
            // All zero asks for nothing to be changed, so it needs no privilege.
            state.initializeMemory(as: UInt8.self, repeating: 0)
            let answer = adjtimex(state.baseAddress!)
            // Where the call is refused (a sandbox), nothing is known and the clock is not believed.
            return answer >= 0 && answer != notSynchronized
        }
    }
}
