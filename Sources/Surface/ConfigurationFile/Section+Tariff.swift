import Metering
import TOML

extension Section {
    /// A text or a list of texts.
    mutating func texts(_ key: String, maximum: Int) -> [String]? {
        guard let value = table[key], let text = value.string else { return strings(key, maximum: maximum) }
        _ = self.value(key)
        return [text]
    }

    /// kWh or kW as thousandths of a Wh or W, not negative: `250`, `22.1918` or `"2.5"`.
    mutating func kilo(_ key: String) -> Int64? {
        guard let value = value(key) else { return nil }
        guard let text = value.string ?? value.decimalText, let number = DecimalText(text),
            let milli = Thousandths.from(number, scale: Scale(1000)), milli >= 0
        else {
            complain(key, "has to be a number of kW or kWh, such as 250 or \"22.1918\"")
            return nil
        }
        return milli
    }
}
