import Glibc

/// µs of a clock that nobody sets.
public func monotonicMicroseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
}

/// ms of the same clock.
public func monotonicMilliseconds() -> Int { Int(monotonicMicroseconds() / 1_000) }
