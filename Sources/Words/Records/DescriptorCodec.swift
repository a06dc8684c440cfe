import Metering
import Timekeeping

// Bodies of the records `device` and `settings`: tagged fields, so that a later version can add without breaking.

extension ByteWriter {
    mutating func device(_ device: Device) {
        field(1) { $0.identifier(device.id) }
        field(2, text: device.name, limit: Device.maximumNameLength)
        field(3, unsigned: UInt64(device.role.rawValue))
        field(4, text: device.family, limit: 64)
        field(5, text: device.profile, limit: 64)
        field(6, unsigned: UInt64(device.profileVersion))
        if !device.model.isEmpty { field(7, text: device.model, limit: 128) }
        if let watts = device.ratingWatts { field(8, signed: watts) }
        if let parent = device.parent { field(9) { $0.identifier(parent) } }
        for counter in device.counters.prefix(Device.maximumCounters) {
            field(10) {
                $0.field(1, unsigned: UInt64(counter.quantity.code))
                $0.field(2, unsigned: UInt64(counter.counterClass.rawValue))
                $0.field(3, signed: counter.step)
                if let modulus = counter.modulus { $0.field(4, signed: modulus) }
            }
        }
        for binding in device.bindings.prefix(Device.maximumBindings) {
            field(11, text: binding.address, limit: Binding.maximumLength)
        }
        field(12, signed: device.validFrom.valid.milliseconds)
    }

    mutating func settings(_ settings: HomeSettings) {
        field(1, text: settings.name, limit: 64)
        field(2, text: settings.zone, limit: 64)
        for tariff in settings.tariffs.prefix(HomeSettings.maximumTariffs) {
            field(3) { $0.tariff(tariff) }
        }
        field(4, signed: settings.validFrom.valid.milliseconds)
        if settings.billingDay != .first { field(5, unsigned: UInt64(settings.billingDay.day)) }
    }
}

extension ByteReader {
    mutating func device() throws(RecordError) -> Device {
        var device = Device(
            id: DeviceID(high: 0, low: 0), name: "", family: "", validFrom: Timestamp(milliseconds: 0))
        try fields(required: 0b1_0000_0000_0110) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: device.id = try field.identifier()
            case 2: device.name = try field.wholeText(limit: Device.maximumNameLength)
            // A role of a later version uses energy like any other device.
            case 3: device.role = UInt8(exactly: try field.varint()).flatMap(DeviceRole.init(rawValue:)) ?? .load
            case 4: device.family = try field.wholeText(limit: 64)
            case 5: device.profile = try field.wholeText(limit: 64)
            case 6: device.profileVersion = try field.integer()
            case 7: device.model = try field.wholeText(limit: 128)
            case 8: device.ratingWatts = try field.signed()
            case 9: device.parent = try field.identifier()
            case 10:
                guard device.counters.count < Device.maximumCounters else { throw RecordError(.tooLong, at: 0) }
                device.counters.append(try field.counter())
            case 11:
                guard device.bindings.count < Device.maximumBindings else { throw RecordError(.tooLong, at: 0) }
                device.bindings.append(Binding(address: try field.wholeText(limit: Binding.maximumLength)))
            case 12: device.validFrom = try field.instant()
            default: break
            }
        }
        return device
    }

    private mutating func counter() throws(RecordError) -> Counter {
        var quantity: Quantity?
        var counterClass: CounterClass?
        var step: Int64 = 1
        var modulus: Int64?
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: quantity = Quantity(code: try field.integer())
            case 2:
                counterClass = UInt8(exactly: try field.varint()).flatMap(CounterClass.init(rawValue:))
                // Never booked by the rules of another class.
                if counterClass == nil { throw RecordError(.unknownCode, at: 0) }
            case 3: step = try field.signed()
            case 4: modulus = try field.signed()
            default: break
            }
        }
        guard let quantity, let counterClass else { throw RecordError(.missingField, at: position) }
        return Counter(quantity: quantity, counterClass: counterClass, step: step, modulus: modulus)
    }

    mutating func settings() throws(RecordError) -> HomeSettings {
        var settings = HomeSettings(name: "", zone: "UTC", tariffs: [], validFrom: Timestamp(milliseconds: 0))
        try fields(required: 0b1_0100) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: settings.name = try field.wholeText(limit: 64)
            case 2: settings.zone = try field.wholeText(limit: 64)
            case 3:
                guard settings.tariffs.count < HomeSettings.maximumTariffs else { throw RecordError(.tooLong, at: 0) }
                settings.tariffs.append(try field.tariff())
            case 4: settings.validFrom = try field.instant()
            case 5:
                guard let day = BillingDay(Int(truncatingIfNeeded: try field.varint())) else {
                    throw RecordError(.badValue, at: 0)
                }
                settings.billingDay = day
            default: break
            }
        }
        return settings
    }

    /// A varint that must fit in `T`.
    private mutating func integer<T: UnsignedInteger & FixedWidthInteger>() throws(RecordError) -> T {
        guard let value = T(exactly: try varint()) else { throw RecordError(.badValue, at: 0) }
        return value
    }
}
