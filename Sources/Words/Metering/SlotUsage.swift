import Timekeeping

/// What flowed through one channel of one device in one slot, as Usage works it out; energies in mWh.
///
/// Nil is "not known", never zero. Key: (device, channel, slot); a higher `source` replaces a lower one.
public struct SlotUsage: Hashable, Sendable {
    public var device: DeviceID
    public var channel: Channel
    public var slot: Slot
    /// Taken from the grid side.
    public var imported: Int64?
    /// Delivered to the grid side.
    public var exported: Int64?
    /// Yield of an inverter.
    public var produced: Int64?
    /// Into and out of a battery.
    public var charged: Int64?
    public var discharged: Int64?
    /// The part of all energies above that was spread over a gap rather than measured here.
    public var estimated: Int64
    /// Milliseconds of the slot that were measured, and that were only filled by spreading; together ≤ `Slot.length`.
    public var measuredTime: Int64
    public var filledTime: Int64
    /// Offset in `facts` of the record that changed this slot last.
    public var source: UInt64

    public init(
        device: DeviceID, channel: Channel, slot: Slot, imported: Int64? = nil, exported: Int64? = nil,
        produced: Int64? = nil, charged: Int64? = nil, discharged: Int64? = nil, estimated: Int64 = 0,
        measuredTime: Int64 = 0, filledTime: Int64 = 0, source: UInt64 = 0
    ) {
        self.device = device
        self.channel = channel
        self.slot = slot
        self.imported = imported
        self.exported = exported
        self.produced = produced
        self.charged = charged
        self.discharged = discharged
        self.estimated = estimated
        self.measuredTime = measuredTime
        self.filledTime = filledTime
        self.source = source
    }

    public var quality: Quality { Quality(measured: measuredTime, filled: filledTime, of: Slot.length) }
}

/// How much a span's energy rests on measurement. One table, for slots and for every sum of slots:
///
/// | measured | measured + filled | quality |
/// | --- | --- | --- |
/// | all of the span | – | `measured` |
/// | less | all of the span | `estimated` |
/// | less | some of it | `partial` |
/// | nothing | nothing | `missing` |
public enum Quality: String, Hashable, Sendable {
    case measured, estimated, partial, missing

    public init(measured: Int64, filled: Int64, of span: Int64) {
        // No sum: both may come from a file, and a sum could overflow.
        if measured >= span {
            self = .measured
        } else if filled > 0, filled >= span - max(0, measured) {
            self = .estimated
        } else if measured > 0 || filled > 0 {
            self = .partial
        } else {
            self = .missing
        }
    }
}
