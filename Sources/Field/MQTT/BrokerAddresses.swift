import Glibc

/// The numeric addresses of a broker's name, in the system's order of preference.
///
/// The C library's own non-blocking connect tries the first address of a name only, so `localhost` would never reach
/// a broker that listens on 127.0.0.1 where ::1 comes first. Blocks for as long as the system's resolver does.
func brokerAddresses(host: String, port: UInt16) -> Result<[String], MQTTError> {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &list)
    guard status == 0 else {
        let text = gai_strerror(status).map { String(cString: $0) } ?? "error \(status)"
        return .failure(.system("cannot resolve “\(host)”: \(text)"))
    }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next, addresses.count < 8 {
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let length = socklen_t(name.count)
        if getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &name, length, nil, 0, NI_NUMERICHOST) == 0 {
            addresses.append(name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
        }
        next = entry.pointee.ai_next
    }
    return addresses.isEmpty ? .failure(.system("“\(host)” has no address")) : .success(addresses)
}
