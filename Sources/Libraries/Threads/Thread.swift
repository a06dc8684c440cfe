import Glibc

/// Runs `body` on a new thread that nobody joins; the thread keeps what `body` holds until it returns. Fails where the
/// process or the system has no threads left.
public func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    let code = pthread_create(&thread, nil, run, work.toOpaque())
    guard code == 0 else {
        work.release()
        throw SystemError("no thread", code)
    }
    pthread_detach(thread)
}

private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A free function: a closure literal could inherit an actor's isolation and abort on this thread.
private func run(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
    return nil
}
