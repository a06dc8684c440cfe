import Synchronization

/// One bus: a TCP endpoint or a serial line with the units behind it.
///
/// Its requests run one after the other on a thread of its own, as the wire is shared anyway. The bus is opened by
/// the first request and opened again by the next one after it broke. Callers decide when to ask again: this actor
/// neither schedules nor retries, with one exception that `ModbusLine` explains.
package actor ModbusBus {
    package nonisolated let address: BusAddress
    private nonisolated let executor = ThreadExecutor()
    private nonisolated let counted = Mutex(ModbusCounters())
    private var line: ModbusLine
    private var closed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(_ address: BusAddress, options: ModbusOptions = ModbusOptions()) {
        self.address = address
        line = ModbusLine(address: address, options: options)
    }

    deinit {
        executor.stop()
    }

    /// What has been seen so far; does not wait for the bus.
    package nonisolated var counters: ModbusCounters { counted.withLock { $0 } }

    /// Reads one block.
    package func read(
        unit: UInt8, function: ModbusFunction, address: UInt16, count: Int
    ) async throws(ModbusError) -> [UInt16] {
        try perform(ModbusRequest(unit: unit, function: function, address: address, count: count)).get()
    }

    /// Does a whole plan with one hop to the bus thread; results in the order of the requests. A failed request does
    /// not end the plan, but where the bus cannot be opened the rest fails with the same cause at once.
    package func run(_ requests: [ModbusRequest]) async -> [Result<[UInt16], ModbusError>] {
        var results: [Result<[UInt16], ModbusError>] = []
        results.reserveCapacity(requests.count)
        var unreachable: ModbusError.Cause?
        for request in requests {
            if let unreachable {
                results.append(.failure(ModbusError(bus: address, request: request, cause: unreachable)))
                continue
            }
            let result = perform(request)
            if case .failure(let error) = result, case .cannotConnect = error.cause { unreachable = error.cause }
            results.append(result)
        }
        return results
    }

    /// Closes the connection; every later request fails with `closed`.
    package func close() {
        closed = true
        line.close()
    }

    private func perform(_ request: ModbusRequest) -> Result<[UInt16], ModbusError> {
        let result: Result<[UInt16], ModbusError.Cause.Failure>
        let start = ContinuousClock.now
        if closed {
            result = .failure(.init(cause: .closed))
        } else {
            result = line.read(request)
        }
        let took = start.duration(to: .now)
        let connects = line.connects
        counted.withLock { $0.count(result, took: took, connects: connects) }
        return result.mapError { ModbusError(bus: address, request: request, cause: $0.cause) }
    }
}

/// The limits of one bus, in milliseconds.
package struct ModbusOptions: Sendable {
    /// From the request's last byte to the answer's last byte, 1 … 60,000.
    package var responseTimeout: Int
    /// For each address of the endpoint's name, 1 … 60,000.
    package var connectTimeout: Int

    /// Values outside their range are brought into it.
    package init(responseTimeout: Int = 1_000, connectTimeout: Int = 3_000) {
        self.responseTimeout = min(max(responseTimeout, 1), 60_000)
        self.connectTimeout = min(max(connectTimeout, 1), 60_000)
    }
}

/// What a bus has seen since it was made; all but the latency only grow.
package struct ModbusCounters: Sendable, Equatable {
    package var requests = 0
    /// Requests that brought no words, for whatever cause.
    package var errors = 0
    /// Those of them that the device itself answered.
    package var exceptions = 0
    package var timeouts = 0
    /// Times the bus was opened.
    package var connects = 0
    /// Of the last request that was answered, with words or an exception.
    package var lastLatency: Duration?

    fileprivate mutating func count(
        _ result: Result<[UInt16], ModbusError.Cause.Failure>, took: Duration, connects: Int
    ) {
        requests += 1
        self.connects = connects
        switch result {
        case .success: lastLatency = took
        case .failure(let failure):
            errors += 1
            switch failure.cause {
            case .exception:
                exceptions += 1
                lastLatency = took
            case .timeout: timeouts += 1
            default: break
            }
        }
    }
}
