import Glibc

/// Runs the jobs of one actor on a thread of its own, in order.
///
/// For actors that call blocking C: on the cooperative pool, which has a thread per core, two silent meters would
/// stop every other task of the process.
///
/// The thread holds the executor; `stop()` ends it after the jobs already there. An actor stops its executor in its
/// `deinit`, when no job of it can exist any more.
public final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    // Unchecked: `jobs` and `stopped` are touched with `mutex` held only. Both C objects stay where they were made.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let added: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [UnownedJob] = []
    private var stopped = false

    public init() {
        mutex = .allocate(capacity: 1)
        added = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        added.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(added, nil)
        do throws(SystemError) {
            try startThread { self.run() }
        } catch {
            // Made once each when the program starts: without its threads it cannot be, and the system tries again.
            fatalError("energyd cannot start: \(error)")
        }
    }

    deinit {
        pthread_cond_destroy(added)
        pthread_mutex_destroy(mutex)
        added.deallocate()
        mutex.deallocate()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        precondition(!stopped, "a job for an executor that was stopped")
        jobs.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(added)
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Ends the thread after the jobs that are there; returns at once. Later jobs are a mistake of the caller.
    public func stop() {
        pthread_mutex_lock(mutex)
        stopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(added)
    }

    private func run() {
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty && !stopped { pthread_cond_wait(added, mutex) }
            let batch = jobs
            jobs.removeAll(keepingCapacity: true)
            pthread_mutex_unlock(mutex)
            if batch.isEmpty { return }
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
