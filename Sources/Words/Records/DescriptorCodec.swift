import Metering
import Timekeeping

// Bodies of the records `device` and `settings`: tagged fields, so that a later version can add without breaking.

extension ByteWriter {
    mutating func device(_ device: Device) {
        field(1) { $0.identifier(device.id) }
        field(2, text: device.name)
        field(3, unsigned: UInt64(device.role.rawValue))
        field(4, text: device.family)
        field(5, text: device.profile)
        field(6, unsigned: UInt64(device.profileVersion))
        if !device.model.isEmpty { field(7, text: device.model) }
        if let watts = device.ratingWatts { field(8, signed: watts) }
        if let parent = device.parent { field(9) { $0.identifier(parent) } }
        for counter in device.counters {
            field(10) {
                $0.field(1, unsigned: UInt64(counter.quantity.code))
                $0.field(2, unsigned: UInt64(counter.counterClass.rawValue))
                $0.field(3, signed: counter.step)
                if let modulus = counter.modulus { $0.field(4, signed: modulus) }
            }
        }
        for binding in device.bindings { field(11, text: binding.address) }
        field(12, signed: device.validFrom.milliseconds)
    }

    mutating func settings(_ settings: HomeSettings) {
        field(1, text: settings.name)
        field(2, text: settings.zone)
        for tariff in settings.tariffs {
            field(3) {
                $0.field(1, text: tariff.name)
                $0.field(2, text: tariff.currency.code)
                $0.field(3, text: tariff.importPrice.description)
                if let price = tariff.exportPrice { $0.field(4, text: price.description) }
                $0.field(5, signed: tariff.validFrom.milliseconds)
            }
        }
        field(4, signed: settings.validFrom.milliseconds)
    }
}

extension ByteReader {
    mutating func device() throws(RecordError) -> Device {
        var id: DeviceID?
        var device = Device(
            id: DeviceID(high: 0, low: 0), name: "", family: "", validFrom: Timestamp(milliseconds: 0))
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: id = try field.identifier()
            case 2: device.name = try field.wholeText(limit: Device.maximumNameLength)
            case 3: device.role = DeviceRole(rawValue: UInt8(truncatingIfNeeded: try field.varint())) ?? .load
            case 4: device.family = try field.wholeText(limit: 64)
            case 5: device.profile = try field.wholeText(limit: 64)
            case 6: device.profileVersion = UInt32(truncatingIfNeeded: try field.varint())
            case 7: device.model = try field.wholeText(limit: 128)
            case 8: device.ratingWatts = try field.signed()
            case 9: device.parent = try field.identifier()
            case 10:
                guard device.counters.count < Device.maximumCounters else { throw RecordError(.tooLong, at: 0) }
                device.counters.append(try field.counter())
            case 11:
                guard device.bindings.count < Device.maximumBindings else { throw RecordError(.tooLong, at: 0) }
                device.bindings.append(Binding(address: try field.wholeText(limit: Binding.maximumLength)))
            case 12: device.validFrom = Timestamp(milliseconds: try field.signed())
            default: break
            }
        }
        guard let id else { throw RecordError(.missingField, at: 0) }
        device.id = id
        return device
    }

    private mutating func counter() throws(RecordError) -> Counter {
        var quantity: Quantity?
        var counterClass: CounterClass?
        var step: Int64 = 1
        var modulus: Int64?
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: quantity = Quantity(code: UInt16(truncatingIfNeeded: try field.varint()))
            case 2: counterClass = CounterClass(rawValue: UInt8(truncatingIfNeeded: try field.varint()))
            case 3: step = try field.signed()
            case 4: modulus = try field.signed()
            default: break
            }
        }
        guard let quantity, let counterClass else { throw RecordError(.missingField, at: 0) }
        return Counter(quantity: quantity, counterClass: counterClass, step: step, modulus: modulus)
    }

    mutating func settings() throws(RecordError) -> HomeSettings {
        var settings = HomeSettings(name: "", zone: "UTC", tariffs: [], validFrom: Timestamp(milliseconds: 0))
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: settings.name = try field.wholeText(limit: 64)
            case 2: settings.zone = try field.wholeText(limit: 64)
            case 3:
                guard settings.tariffs.count < HomeSettings.maximumTariffs else { throw RecordError(.tooLong, at: 0) }
                settings.tariffs.append(try field.tariff())
            case 4: settings.validFrom = Timestamp(milliseconds: try field.signed())
            default: break
            }
        }
        return settings
    }

    private mutating func tariff() throws(RecordError) -> Tariff {
        var tariff = Tariff(
            name: "", currency: .euro, importPrice: .zero, validFrom: Timestamp(milliseconds: 0))
        var hasPrice = false
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: tariff.name = try field.wholeText(limit: 64)
            case 2:
                guard let currency = Currency(try field.wholeText(limit: 3)) else {
                    throw RecordError(.badValue, at: 0)
                }
                tariff.currency = currency
            case 3:
                tariff.importPrice = try field.price()
                hasPrice = true
            case 4: tariff.exportPrice = try field.price()
            case 5: tariff.validFrom = Timestamp(milliseconds: try field.signed())
            default: break
            }
        }
        guard hasPrice else { throw RecordError(.missingField, at: 0) }
        return tariff
    }

    private mutating func price() throws(RecordError) -> Decimal {
        guard let price = Decimal(price: try wholeText(limit: 64)) else { throw RecordError(.badValue, at: 0) }
        return price
    }
}
