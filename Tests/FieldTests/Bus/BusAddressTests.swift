import Modbus
import Testing

struct BusAddressTests {
    @Test(arguments: [
        ("tcp://10.0.0.5", BusAddress.tcp(host: "10.0.0.5", port: 502), "tcp://10.0.0.5:502"),
        ("tcp://meter.lan:1502", .tcp(host: "meter.lan", port: 1_502), "tcp://meter.lan:1502"),
        ("tcp://[fd00::7]:503", .tcp(host: "fd00::7", port: 503), "tcp://[fd00::7]:503"),
        (
            "rtu:/dev/ttyUSB0", .rtu(path: "/dev/ttyUSB0", baud: 9_600, parity: .none, stopBits: 1),
            "rtu:/dev/ttyUSB0?baud=9600&parity=none&stop=1"
        ),
        (
            "rtu:/dev/serial/by-id/x?stop=2&parity=even&baud=19200",
            .rtu(path: "/dev/serial/by-id/x", baud: 19_200, parity: .even, stopBits: 2),
            "rtu:/dev/serial/by-id/x?baud=19200&parity=even&stop=2"
        ),
    ])
    func `an address is read, and printed in the form that is read back`(
        text: String, address: BusAddress, printed: String
    ) throws {
        #expect(try BusAddress(text) == address)
        #expect(address.description == printed)
        #expect(try BusAddress(printed) == address)
    }

    @Test(arguments: [
        ("", "must begin with tcp:// or rtu:"),
        ("udp://x", "must begin with tcp:// or rtu:"),
        ("tcp://", "the host must have 1 to 255 bytes"),
        ("tcp://x:0", "the port must be a number from 1 to 65535"),
        ("tcp://x:65536", "the port must be a number from 1 to 65535"),
        ("tcp://x:+5", "the port must be a number from 1 to 65535"),
        ("tcp://x:99999999999999999999", "the port must be a number from 1 to 65535"),
        ("tcp://[::1", "“[” without “]”"),
        ("tcp://x/y", "nothing may follow host and port, and neither may hold / ? # @ or a space"),
        ("rtu:ttyUSB0", "the device must be an absolute path such as /dev/ttyUSB0"),
        ("rtu:/dev/x?baud=9601", "baud must be one of 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200"),
        ("rtu:/dev/x?parity=mark", "parity must be none, even or odd"),
        ("rtu:/dev/x?stop=3", "stop must be 1 or 2"),
        ("rtu:/dev/x?stop", "“stop” must be name=value"),
        ("rtu:/dev/x?stop=1&stop=1", "“stop” is given twice"),
        ("rtu:/dev/x?bits=7", "“bits” is not known; baud, parity and stop are"),
    ])
    func `a bad address says what is wrong`(text: String, problem: String) {
        #expect {
            _ = try BusAddress(text)
        } throws: {
            ($0 as? BusAddress.ParseError)?.problem == problem
        }
    }
}
