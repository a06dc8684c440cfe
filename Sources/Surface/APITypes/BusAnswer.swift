import JSONText

/// One bus of `GET /v1/buses`. Counters since the start; times in µs.
public struct BusAnswer: JSONEncodable {
    /// One unit of it, and the device that it is.
    public struct Unit: JSONEncodable {
        public var device: String
        public var unit: UInt8
        public var requests: Int
        public var answers: Int
        public var exceptions: Int
        public var timeouts: Int
        public var damaged: Int
        public var retries: Int
        /// Of the line's time.
        public var busy: Int64
        public var latencyMedian: Int64?
        public var latencyHigh: Int64?
        public var timeout: Int64
        /// 0: read on schedule; else attempts in vain, and when the next one is.
        public var quarantineStep: Int
        public var nextAttempt: Int64?
        public var refused: Int

        public init(
            device: String, unit: UInt8, requests: Int, answers: Int, exceptions: Int, timeouts: Int, damaged: Int,
            retries: Int, busy: Int64, latencyMedian: Int64?, latencyHigh: Int64?, timeout: Int64,
            quarantineStep: Int, nextAttempt: Int64?, refused: Int
        ) {
            self.device = device
            self.unit = unit
            self.requests = requests
            self.answers = answers
            self.exceptions = exceptions
            self.timeouts = timeouts
            self.damaged = damaged
            self.retries = retries
            self.busy = busy
            self.latencyMedian = latencyMedian
            self.latencyHigh = latencyHigh
            self.timeout = timeout
            self.quarantineStep = quarantineStep
            self.nextAttempt = nextAttempt
            self.refused = refused
        }

        public func encode(to json: inout JSONWriter) {
            json.object {
                $0.field("device", text: device)
                $0.field("unit", number: unit)
                $0.field("requests", number: requests)
                $0.field("answers", number: answers)
                $0.field("exceptions", number: exceptions)
                $0.field("timeouts", number: timeouts)
                $0.field("damaged", number: damaged)
                $0.field("retries", number: retries)
                $0.field("busy_us", number: busy)
                $0.field("latency_median_us", number: latencyMedian)
                $0.field("latency_p99_us", number: latencyHigh)
                $0.field("timeout_us", number: timeout)
                $0.field("quarantine_step", number: quarantineStep)
                $0.field("next_attempt_us", number: nextAttempt)
                $0.field("refused", number: refused)
            }
        }
    }

    /// As in the configuration: `tcp://meter:502`.
    public var bus: String
    public var requests: Int
    public var errors: Int
    /// Permille of the last ten seconds in which the line was busy.
    public var utilization: Int
    public var connects: Int
    /// Whole answers that came too late or from the wrong unit.
    public var strangers: Int
    /// Why it cannot be opened; nil: it can.
    public var trouble: String?
    public var note: String?
    public var units: [Unit]

    public init(
        bus: String, requests: Int, errors: Int, utilization: Int, connects: Int, strangers: Int, trouble: String?,
        note: String?, units: [Unit]
    ) {
        self.bus = bus
        self.requests = requests
        self.errors = errors
        self.utilization = utilization
        self.connects = connects
        self.strangers = strangers
        self.trouble = trouble
        self.note = note
        self.units = units
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("bus", text: bus)
            $0.field("requests", number: requests)
            $0.field("errors", number: errors)
            $0.field("utilization_permille", number: utilization)
            $0.field("connects", number: connects)
            $0.field("strangers", number: strangers)
            $0.field("trouble", text: trouble)
            $0.field("note", text: note)
            $0.field("units", list: units)
        }
    }
}

/// What one read beside the plan brought: `GET /v1/buses/read`.
public struct RegisterAnswer: JSONEncodable {
    /// Nil when there are none, for the reason in `error`.
    public var words: [UInt16]?
    /// `exception`, `timeout`, `damaged` or `unreachable`; nil with words.
    public var kind: String?
    public var error: String?

    public init(words: [UInt16]) {
        self.words = words
    }

    public init(kind: String, error: String) {
        self.kind = kind
        self.error = error
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            if let words {
                $0.key("words")
                $0.array { json in
                    for word in words { json.number(word) }
                }
            } else {
                $0.field("kind", text: kind)
                $0.field("error", text: error)
            }
        }
    }
}
