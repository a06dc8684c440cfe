#!/usr/bin/env python3
"""Makes the recorded blocks at the end of the Modbus profiles from the values in register_blocks.txt.

Words are made here with struct.pack and integers, and what is expected with fractions: nothing of the program is used.
Run it after a change of register_blocks.txt:

    Tests/DevicesTests/Fixtures/make_register_tests.py            # writes into Sources/Field/Devices/Profiles
    Tests/DevicesTests/Fixtures/make_register_tests.py --check    # status 1 when a file would change
    Tests/DevicesTests/Fixtures/make_register_tests.py --seeds DIRECTORY    # the same blocks, to fuzz from
"""
import re
import struct
import sys
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROFILES = HERE / "../../../Sources/Field/Devices/Profiles"
MARK = "# Recorded blocks, made from values by Tests/DevicesTests/Fixtures/make_register_tests.py:"

# What a unit is in the canonical one.
UNITS = {"k": 1000, "m": Fraction(1, 1000)}
SIMPLE = {"V", "A", "W", "VA", "var", "Hz", "Wh", "varh", "C", "%", "1"}
WORDS = {"u16": 1, "s16": 1, "sm16": 1, "u32": 2, "s32": 2, "f32": 2, "t5": 2, "t6": 2, "t7": 2, "u64": 4, "s64": 4,
         "f64": 4}


def factor(unit):
    if unit in SIMPLE:
        return Fraction(1)
    return Fraction(UNITS[unit[0]])


def text(value):
    """Thousandths, ties to even, as the program prints them."""
    thousandths = round(value * 1000)
    sign = "-" if thousandths < 0 else ""
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{sign}{whole}" + (f".{rest:03d}".rstrip("0") if rest else "")


def packed(kind, value):
    """Iskra: the value as it was typed, digits and exponent."""
    digits, _, fraction = value.partition(".")
    exponent = -len(fraction)
    mantissa = int(digits + fraction)
    assert (0 <= mantissa < 1 << 24) if kind == "t5" else (-(1 << 23) <= mantissa < 1 << 23), value
    return (exponent & 0xFF) << 24 | (mantissa & 0xFFFFFF)


def encode(kind, written, scale, exponent, offset):
    """The raw value as an integer, and the number that it says, before the unit."""
    if written == "nan":
        return {"f32": 0x7FC00000, "f64": 0x7FF8 << 48}[kind], None
    if written.startswith("raw:"):
        return int(written[4:], 16), None
    value = Fraction(written)
    power = Fraction(10) ** exponent
    if kind in ("f32", "f64"):
        wire = struct.pack(">f" if kind == "f32" else ">d", float(value / scale / power))
        number = Fraction(struct.unpack(">f" if kind == "f32" else ">d", wire)[0])
        return int.from_bytes(wire, "big"), number * scale * power
    if kind in ("t5", "t6"):
        return packed(kind, written), value
    if kind == "t7":
        return (0xFF000000 if value < 0 else 0) | int(abs(value) * 10000), value
    raw = value / scale / power - offset
    assert raw.denominator == 1, f"{written} is no multiple of {scale}"
    bits = 16 * WORDS[kind]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "s" else (0, (1 << bits) - 1)
    assert low <= raw <= high, f"{written} does not fit into {kind}"
    return int(raw) & (1 << bits) - 1, value


class Block:
    def __init__(self, function, written, count, name, base):
        self.function, self.address, self.count, self.name = function, int(written, 0), count, name
        # As it was typed: some makers write addresses in hexadecimal, some do not.
        self.place = written if base is None else str(self.address + base)
        self.words = {}
        self.expect = []
        # What counts when nothing better is in the block.
        self.fallbacks = []
        self.extra = ""

    def put(self, address, raw, kind, order):
        words = [raw >> 16 * i & 0xFFFF for i in reversed(range(WORDS[kind]))]
        if order == "low":
            words.reverse()
        for i, word in enumerate(words):
            at = address + i
            assert self.address <= at < self.address + self.count, f"{self.name}: {at} is outside"
            assert self.words.get(at, word) == word, f"{self.name}: two words at {at}"
            self.words[at] = word

    def row(self, address, kind, scale, unit, quantity, channels, values, options, order):
        scale = Fraction(scale)
        stride = int(options.get("stride", WORDS[kind]))
        exponent = 0
        if "sf" in options:
            place, exponent = (int(part) for part in options["sf"].split(":"))
            self.put(place, exponent & 0xFFFF, "s16", order)
        offset = int(options.get("offset", 0))
        order = options.get("order", order)
        terms = [(1, address)]
        terms += [(1, int(part, 0)) for part in options.get("plus", "").split("+") if part]
        terms += [(-1, int(part, 0)) for part in options.get("minus", "").split("+") if part]
        channels = channels.split(",")
        assert len(values) == len(channels), f"{self.name}: {quantity} has {len(values)} values"
        for index, (channel, written) in enumerate(zip(channels, values)):
            total = Fraction(0)
            for (sign, place), part in zip(terms, written.split(";"), strict=True):
                raw, number = encode(kind, part, scale, exponent, offset)
                self.put(place + stride * index, raw, kind, order)
                total = None if number is None or total is None else total + sign * number
            if total is None:
                continue
            if options.get("form") == "four-quadrant":
                total = 2 - total if total > 1 else -2 - total if total < -1 else total
            if options.get("form") == "percent-or-ratio" and abs(total) > 1:
                total /= 100
            if "mag" in options:
                total = abs(total)
            if "times" in options:
                total *= Fraction(options["times"])
            if "skip" not in options:
                listed = self.fallbacks if "fallback" in options else self.expect
                listed.append(f"{channel} {quantity} {text(total * factor(unit))}")

    def toml(self):
        words = [f"{self.words.get(self.address + i, 0):04X}" for i in range(self.count)]
        lines = [" ".join(words[i:i + 16]) for i in range(0, len(words), 16)]
        body = f'words = "{lines[0]}"' if len(lines) == 1 else 'words = """\n' + "\n".join(lines) + '\n"""'
        listed = ""
        line = "   "
        known = {item.rsplit(" ", 1)[0] for item in self.expect}
        for item in self.expect + [item for item in self.fallbacks if item.rsplit(" ", 1)[0] not in known]:
            if len(line) + len(item) + 4 > 118:
                listed += line + "\n"
                line = "   "
            line += f' "{item}",'
        listed += line + "\n" if line.strip() else ""
        expect = f"expect = [\n{listed}]" if listed else "expect = []"
        return (f'\n[[test]]\nname = "{self.name}"\nfunction = {self.function}\naddress = {self.place}\n{body}\n'
                f"{self.extra}{expect}\n")


def read(path):
    """Blocks by meter."""
    meters = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        try:
            first, _, rest = line.partition(" ")
            if first == "meter":
                name, *settings = rest.split()
                settings = dict(setting.split("=") for setting in settings)
                blocks = meters.setdefault(name, [])
                base = int(settings["base"]) if "base" in settings else None
            elif first == "block":
                function, address, count, title = rest.split(maxsplit=3)
                block = Block(int(function), address, int(count), title, base)
                blocks.append(block)
            elif first == "also":
                block.extra += rest.strip() + "\n"
            else:
                line, _, options = line.partition("[")
                options = dict((o.split("=", 1) + [""])[:2] for o in options.rstrip("]").split())
                address, kind, scale, unit, quantity, channels, *values = line.split()
                block.row(int(address, 0), kind, scale, unit, quantity, channels, values, options,
                          settings.get("order", "high"))
        except Exception as error:
            raise SystemExit(f"{path.name}:{number}: {error!r}: {line}")
    return meters


def seeds(folder):
    """As FuzzRegisters reads them: meter, function, address, no context, words."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, blocks in read(HERE / "register_blocks.txt").items():
        for number, block in enumerate(blocks):
            words = [block.words.get(block.address + i, 0) for i in range(block.count)]
            address = int(block.place, 0)
            head = bytes([block.function == 4, address >> 8, address & 0xFF, 0])
            data = f"R:{name}\n".encode() + head + b"".join(struct.pack(">H", word) for word in words)
            (folder / f"{name}-{number}").write_bytes(data)


def main():
    if "--seeds" in sys.argv:
        return seeds(Path(sys.argv[sys.argv.index("--seeds") + 1]))
    check = "--check" in sys.argv
    stale = 0
    for name, blocks in read(HERE / "register_blocks.txt").items():
        path = PROFILES / f"{name}.toml"
        old = path.read_text()
        head = old.split(MARK)[0].rstrip("\n")
        new = head + "\n\n" + MARK + "\n# exact values, rounded to the third decimal with ties to even.\n"
        new += "".join(block.toml() for block in blocks)
        if new != old:
            stale += 1
            if check:
                print(f"{path.name} is not what register_blocks.txt says")
            else:
                path.write_text(new)
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
