import Synchronization
import Threads

/// One bus: a TCP endpoint or a serial line with the units behind it, and the only one that talks on it.
///
/// It has a thread of its own, on which the plan runs and libmodbus may block; only results leave it, in batches. The
/// bus is opened by the first request and opened again after it broke, a serial line by its name, so that an adapter
/// may be unplugged and plugged in at any time.
public final class ModbusBus: Sendable {
    public let address: BusAddress
    private let options: ModbusOptions
    private let worker: BusWorker

    /// Fails where the system has no thread or no descriptors left.
    public init(_ address: BusAddress, options: ModbusOptions = ModbusOptions()) throws(SystemError) {
        self.address = address
        self.options = options
        worker = try BusWorker(address, options)
    }

    deinit {
        worker.stop()
    }

    /// Reads by this plan from now on, in place of an older one. Results come in batches, in order; up to
    /// `BusWorker.maximumBatches` wait for a reader that is slow, then the oldest are dropped and counted as `lost` in
    /// the report. The stream ends when the bus is closed or reads by another plan.
    public func results(of plan: BusPlan) -> AsyncStream<[GroupResult]> {
        worker.adopt(plan)
    }

    /// Reads one unit of that plan, by its index, in another way from now on.
    public func replan(_ index: Int, _ unit: BusPlan.Unit) {
        worker.adopt(unit, at: index)
    }

    /// What has been seen so far; does not wait for the bus.
    public var report: BusReport { worker.report }

    /// Reads one block beside the plan: one attempt, no retry. `timeout` in ms; nil: the bus's own.
    public func read(
        unit: UInt8, function: ModbusFunction, address: UInt16, count: Int, timeout: Int? = nil
    ) async throws(ModbusError) -> [UInt16] {
        let request = ModbusRequest(unit: unit, function: function, address: address, count: count)
        let result = await worker.ask(request, timeout: Int64(timeout ?? options.responseTimeout) * 1_000)
        return try result.mapError { ModbusError(bus: self.address, request: request, cause: $0) }.get()
    }

    /// Ends what is under way, closes the connection and returns when the thread has ended; every later request fails
    /// with `closed`.
    public func close() async {
        worker.stop()
        await worker.ended()
    }
}

/// The limits of one bus, in milliseconds.
public struct ModbusOptions: Hashable, Sendable {
    /// How long the slowest unit may take to answer, 1 … 60,000: the ceiling of what is learned from each.
    public var responseTimeout: Int
    /// What is learned never goes below this.
    public var timeoutFloor: Int
    /// For each address of the endpoint's name, 1 … 60,000.
    public var connectTimeout: Int
    /// Silence before every request, on top of the line's 3.5 characters; 0 … 10,000.
    public var pause: Int
    /// Times that a damaged answer is asked for again at once; 0 … 10.
    public var retries: Int
    /// The longest pause between two attempts at a unit that does not answer; 1,000 … 3,600,000.
    public var quarantine: Int
    /// Switches the driver's RS-485 mode on, where it has one.
    public var switchesRS485: Bool

    /// Values outside their range are brought into it.
    public init(
        responseTimeout: Int = 1_000, timeoutFloor: Int = 100, connectTimeout: Int = 3_000, pause: Int = 0,
        retries: Int = 1, quarantine: Int = 60_000, switchesRS485: Bool = false
    ) {
        self.responseTimeout = min(max(responseTimeout, 1), 60_000)
        self.timeoutFloor = min(max(timeoutFloor, 1), self.responseTimeout)
        self.connectTimeout = min(max(connectTimeout, 1), 60_000)
        self.pause = min(max(pause, 0), 10_000)
        self.retries = min(max(retries, 0), 10)
        self.quarantine = min(max(quarantine, 1_000), 3_600_000)
        self.switchesRS485 = switchesRS485
    }

    func limits(for address: BusAddress) -> BusLimits {
        var limits = BusLimits()
        limits.timeoutCeiling = Int64(responseTimeout) * 1_000
        limits.timeoutFloor = Int64(timeoutFloor) * 1_000
        limits.pause = Int64(pause) * 1_000
        limits.retries = retries
        limits.quarantine = Int64(quarantine) * 1_000
        // A line that is plugged in again is found at once, as looking costs nothing; a host is asked less often.
        if case .tcp = address { limits.reopening = 30_000_000 }
        return limits
    }
}
