import Dispatch
import Glibc
import Simulation

/// SIGUSR1 pulls a line's adapter out, SIGUSR2 puts it back.
struct PlugSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ line: SerialLine) {
        let actions: [(Int32, @Sendable (SerialLine) async throws -> Void)] = [
            (SIGUSR1, { await $0.unplug() }), (SIGUSR2, { try await $0.plug() }),
        ]
        sources = actions.map { number, action in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in
                Task {
                    do { try await action(line) } catch { complain("\(error)") }
                }
            }
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
