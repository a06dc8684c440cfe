#!/usr/bin/env python3
"""Writes thousandths.csv beside itself: an oracle in unbounded fractions for Swift's fixed-width arithmetic.

text,<number>,<numerator>,<denominator>,<thousandths or nil>
float,<bits of the double, hexadecimal>,<numerator>,<denominator>,<thousandths or nil>
integer,<number>,<numerator>,<denominator>,<thousandths or nil>
"""
import pathlib, random, struct
from decimal import Decimal
from fractions import Fraction

SEED = 20261121
rng = random.Random(SEED)
print("seed", SEED)
SCALES = [(1, 1), (1000, 1), (1000000, 1), (1, 10), (1, 60), (-1, 1), (1, 1000), (1, 3600), (283168466, 10**10),
          (10**12, 1), (1, 10**12), (7, 3), (10**12 - 1, 10**12), (-10**12, 7)]
rows = []

def thousandths(value, scale):
    exact = value * Fraction(*scale) * 1000
    whole = round(exact)  # ties to even
    return str(whole) if -2**63 <= whole < 2**63 else "nil"

def text(number, scale):
    rows.append(("text", number, *scale, thousandths(Fraction(Decimal(number)), scale)))

def real(value, scale):
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    rows.append(("float", f"{bits:016x}", *scale, thousandths(Fraction(value), scale)))

for number in ["0", "-0", "0.0005", "0.0015", "0.0025", "-0.0005", "-0.0015", "-0.0025", "0.00050000000000000000000000001",
               "9223372036854775.807", "9223372036854775.8074999", "9223372036854775.8075", "9223372036854775.80649999999999999999999",
               "-9223372036854775.808", "-9223372036854775.8085", "-9223372036854775.80850000001", "1e15", "1e16", "1e-30",
               "1e100", "1e-100", "1e99999", "-1e99999", "1e-99999", "0e99999", "123456789012345678901234567890",
               "0.123456789012345678901234567890", "3000000000000000.031", "30", "0.03", "0.09", "0.15", "1.5e-3"]:
    for scale in SCALES:
        if len(number) > 5 and number.lstrip("-")[2:].startswith("99999"):
            rows.append(("text", number, *scale, "0" if "e-" in number or number[0] == "0" else "nil"))
            continue
        text(number, scale)
for _ in range(1500):
    digits = "".join(rng.choice("0123456789") for _ in range(rng.choice([1, 3, 6, 9, 12, 17, 18, 19, 20, 23])))
    point = rng.randint(0, len(digits))
    number = rng.choice(["", "-"]) + (digits[:point] or "0") + ("." + digits[point:] if point < len(digits) else "")
    if rng.random() < 0.3:
        number += f"e{rng.randint(-30, 30)}"
    text(number, rng.choice(SCALES))
for _ in range(300):  # exact ties, and a hair beside them
    k = rng.randint(-10**rng.randint(1, 15), 10**rng.randint(1, 15))
    number = f"{'-' if k < 0 else ''}{abs(k) // 1000}.{abs(k) % 1000:03d}5"
    text(number, (1, 1))
    text(number + "0" * rng.randint(1, 30) + "1", (1, 1))
for _ in range(1500):
    kind = rng.randrange(4)
    if kind == 0:
        value = struct.unpack("<f", struct.pack("<I", rng.randrange(2**32)))[0]
    elif kind == 1:
        value = struct.unpack("<d", struct.pack("<Q", rng.randrange(2**64)))[0]
    elif kind == 2:
        value = struct.unpack("<f", struct.pack("<f", rng.uniform(-1e6, 1e6)))[0]
    else:
        value = rng.randint(-2**40, 2**40) / 2.0**rng.randint(0, 60)
    if value == value and abs(value) != float("inf"):
        real(value, rng.choice(SCALES))
for value in [1234.567, 0.0005, 2.0**-1074, 2.0**1023, 9.223372036854775e15, 0.5 / 1024, 1.5 / 1024, -1.5 / 1024]:
    for scale in SCALES:
        real(value, scale)
for _ in range(500):
    value = rng.randint(-2**63, 2**63 - 1) >> rng.randrange(63)
    scale = rng.choice(SCALES)
    rows.append(("integer", value, *scale, thousandths(Fraction(value), scale)))
for value in [2**63 - 1, -2**63, 0, 1, -1]:
    for scale in SCALES:
        rows.append(("integer", value, *scale, thousandths(Fraction(value), scale)))
out = pathlib.Path(__file__).with_name("thousandths.csv")
out.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
