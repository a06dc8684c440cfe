import Foundation
import Modbus
import Testing

/// Ports of a machine that is a folder.
@Suite struct SerialPortTests {
    private let root = NSTemporaryDirectory() + "/ports-" + UUID().uuidString

    private func write(_ path: String, _ text: String) throws {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func link(_ path: String, to target: String) throws {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: root + path, withDestinationPath: target)
    }

    private func adapter(_ tty: String, at socket: String, serial: String?) throws {
        let device = "/sys/devices/usb1/\(socket)"
        try write(device + "/idVendor", "0403\n")
        try write(device + "/idProduct", "6001\n")
        try write(device + "/product", "FT232R USB UART\n")
        if let serial { try write(device + "/serial", serial + "\n") }
        try write(device + "/\(socket):1.0/\(tty)/port_number", "0\n")
        try link("/sys/class/tty/\(tty)/device", to: "../../../devices/usb1/\(socket)/\(socket):1.0/\(tty)")
        try link("/dev/serial/by-path/pci-usb-0:\(socket):1.0-port0", to: "../../\(tty)")
    }

    @Test func `ports have the names that stay, what their adapters are, and who holds them`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try adapter("ttyUSB0", at: "1-1", serial: "A50285BI")
        try adapter("ttyUSB1", at: "1-2", serial: nil)
        try link("/dev/serial/by-id/usb-FTDI_A50285BI-if00-port0", to: "../../ttyUSB0")
        try link("/dev/energyd/meter0", to: "../ttyUSB0")
        try write("/sys/class/tty/ttyS0/type", "0\n")
        try write("/sys/class/tty/ttyS0/device/x", "")
        try write("/sys/class/tty/tty1/active", "")
        try link("/proc/42/fd/7", to: "/dev/ttyUSB0")
        try write("/proc/42/comm", "energyd\n")
        try write("/proc/self/comm", "no process\n")

        let ports = SerialPort.all(root: root)
        #expect(ports.map(\.path) == ["/dev/ttyUSB0", "/dev/ttyUSB1"])
        #expect(
            ports[0].names == [
                "/dev/energyd/meter0", "/dev/serial/by-id/usb-FTDI_A50285BI-if00-port0",
                "/dev/serial/by-path/pci-usb-0:1-1:1.0-port0",
            ])
        #expect(ports[0].adapter?.serial == "A50285BI" && ports[1].adapter?.serial == nil)
        #expect(ports[0].adapter?.description == "FT232R USB UART")
        #expect(ports[0].holders(root: root) == ["42 energyd"])
        #expect(ports[1].holders(root: root) == [])
        #expect(
            ports[0].rule(for: "meter0")
                == "SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"0403\", ATTRS{idProduct}==\"6001\", "
                + "ATTRS{serial}==\"A50285BI\", SYMLINK+=\"energyd/meter0\", GROUP=\"dialout\", MODE=\"0660\", "
                + "TAG+=\"systemd\"")
        #expect(ports[1].rule(for: "m")?.contains("ENV{ID_PATH}==\"pci-usb-0:1-2:1.0\"") == true)
    }

    @Test func `a machine without ports has none`() {
        #expect(SerialPort.all(root: root).isEmpty)
    }
}
