import CMosquitto
import Glibc
import Threads

// From the options to an accepted connection.
extension MQTTLoop {
    /// Once, before the thread begins.
    func configure() throws(MQTTError) {
        func require(_ code: Int32, _ what: String) throws(MQTTError) {
            guard code == MOSQ_ERR_SUCCESS.rawValue else { throw .system("\(what): \(libraryText(code, errno))") }
        }
        try require(mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY")
        let version = options.version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
        try require(mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, version), "protocol")
        try require(
            mosquitto_max_inflight_messages_set(handle, UInt32(options.maxInFlight)), "max_in_flight")
        if let username = options.username {
            let password = options.password.map { $0.map(CChar.init(bitPattern:)) + [0] }
            try require(mosquitto_username_pw_set(handle, username, password), "username")
        }
        if let will = options.will {
            try require(
                mosquitto_will_set(
                    handle, will.topic, Int32(clamping: will.payload.count), will.payload, will.qos.rawValue,
                    will.retain), "will for “\(will.topic)”")
        }
        if let tls = options.tls { try configure(tls) }
        mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_connect_with_flags_callback_set(handle, onConnect)
        mosquitto_message_callback_set(handle, onMessage)
        mosquitto_publish_callback_set(handle, onPublish)
        mosquitto_subscribe_callback_set(handle, onSubscribe)
    }

    private func configure(_ tls: MQTTOptions.TLS) throws(MQTTError) {
        let code = mosquitto_tls_set(
            handle, tls.authorityFile, tls.authorityFile == nil ? MQTTOptions.TLS.systemAuthorities : nil,
            tls.certificateFile, tls.keyFile, refuseKeyPassword)
        guard code == MOSQ_ERR_SUCCESS.rawValue else {
            throw .system("TLS: a certificate or key cannot be used: \(libraryText(code, errno))")
        }
        mosquitto_log_callback_set(handle, onLog)
    }

    /// Tries each address once and serves the first that accepts; returns why there is no connection any more.
    func connectAndServe() -> String {
        let addresses: [String]
        switch brokerAddresses(host: options.host, port: options.port) {
        case .success(let found): addresses = found
        case .failure(let error): return error.description
        }
        var reason = ""
        for address in addresses where !mailbox.stopRequested {
            (accepted, refusal, tlsComplaint) = (false, nil, nil)
            reason = connect(to: address) ?? serve()
            if accepted { return reason }
        }
        return reason
    }

    /// Nil when the broker has accepted.
    private func connect(to address: String) -> String? {
        let deadline = monotonicMilliseconds() + options.connectTimeout
        let place = "\(address) port \(options.port)"
        if let failure = open(address, until: deadline) { return "\(place): \(failure)" }
        while !accepted {
            let left = deadline - monotonicMilliseconds()
            guard left > 0 else {
                hangUp()
                return "\(place): no answer within \(options.connectTimeout) ms"
            }
            if let failure = turn(longest: left) { return "\(place): \(refusal ?? failure)" }
        }
        return nil
    }

    /// Begins the connection; nil when it is under way.
    ///
    /// Properties of version 5 and the host's name, which TLS compares with the certificate, reach the C library only
    /// through its blocking call. Whether anybody listens is therefore tried before, where a stop and the deadline
    /// are heeded.
    private func open(_ address: String, until deadline: Int) -> String? {
        let (port, keepAlive) = (Int32(options.port), Int32(options.keepAlive))
        if options.version == .v311, options.tls == nil {
            let code = mosquitto_connect_async(handle, address, port, keepAlive)
            return code == MOSQ_ERR_SUCCESS.rawValue ? nil : describe(code, errno)
        }
        if let failure = probe(address, until: deadline) { return failure }
        var properties: OpaquePointer?
        if options.version == .v5, !options.cleanSession {
            mosquitto_property_add_int32(
                &properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue), MQTTOptions.sessionExpiry)
        }
        defer { mosquitto_property_free_all(&properties) }
        let host = options.tls == nil ? address : options.host
        let code = mosquitto_connect_bind_v5(handle, host, port, keepAlive, nil, properties)
        return code == MOSQ_ERR_SUCCESS.rawValue ? nil : describe(code, errno)
    }

    /// Nil when `address` accepts a TCP connection.
    private func probe(_ address: String, until deadline: Int) -> String? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(options.port), &hints, &found) == 0, let found else {
            return "not an address"
        }
        defer { freeaddrinfo(found) }
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(found.pointee.ai_family, flags, 0)
        guard descriptor >= 0 else { return systemText(errno) }
        defer { close(descriptor) }
        if Glibc.connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 { return nil }
        guard errno == EINPROGRESS else { return systemText(errno) }
        while !mailbox.takeWork(takingMessages: false).stop {
            let left = deadline - monotonicMilliseconds()
            guard left > 0 else { return "no answer within \(options.connectTimeout) ms" }
            polled[0] = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            polled[1] = pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(polled, 2, Int32(clamping: left))
            mailbox.awake()
            mailbox.clearWake()
            guard polled[0].revents != 0 else { continue }
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
            return code == 0 ? nil : systemText(code)
        }
        return "stopped"
    }

    /// The C library's words for its code, with what TLS had to say where it failed.
    func describe(_ code: Int32, _ systemCode: Int32) -> String {
        guard options.tls != nil, let tlsComplaint else { return libraryText(code, systemCode) }
        return "TLS: \(tlsComplaint)"
    }
}
