import Foundation
import Simulation
import Testing
import Threads

@Suite(.timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test func `arguments, environment, output and exit status pass`() async throws {
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo \"$1 $COLOUR\"; echo bad >&2; exit 7", "sh", "a b"],
            environment: ["COLOUR": "blue"], output: .pipe, error: .pipe)
        #expect(String(decoding: child.readToEnd(), as: UTF8.self) == "a b blue\n")
        #expect(String(decoding: child.readErrorToEnd(), as: UTF8.self) == "bad\n")
        #expect(await child.wait(within: .seconds(10)) == .exited(code: 7))
        child.kill(SIGKILL)
        #expect(child.exitStatus == .exited(code: 7))
    }

    @Test func `a signal ends it and is told, a deadline is kept`() async throws {
        let child = try ChildProcess("sleep", ["1000"])
        #expect(await child.wait(within: .milliseconds(20)) == nil)
        #expect(await child.terminate() == .killed(signal: SIGTERM))
    }

    @Test func `releasing the value kills the child`() async throws {
        var child: ChildProcess? = try ChildProcess("sleep", ["1000"], output: .discard)
        let pid = try #require(child?.pid)
        #expect(kill(pid, 0) == 0)
        child = nil
        #expect(kill(pid, 0) == -1)
    }

    @Test func `a program that is not there is an error`() {
        #expect(throws: SystemError.self) { try ChildProcess("/no/such/program") }
    }
}
