#!/usr/bin/env python3
"""Writes the recorded cases for `energyctl replay` and what it has to say about them.

NAME.jsonl is the recording, NAME.toml its configuration (default.toml where there is none), NAME.PERIOD.json the answer.
The answers are worked out here, from the accepted readings that each case states, with Python's own zones, integers
and decimals: nothing is taken from the program under test.
"""
import json
import os
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

HERE = os.path.dirname(os.path.abspath(__file__))
ZONE = ZoneInfo("Europe/Berlin")
SLOT, QUARTER, HOLD = 900, 900, 330
MINUTE = 60


def utc(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def iso(seconds, zone=timezone.utc):
    return datetime.fromtimestamp(seconds, zone).isoformat().replace("+00:00", "Z")


def thousandths(value):
    return format(Decimal(value) / 1000, "f").rstrip("0").rstrip(".") if value % 1000 else str(value // 1000)


def trimmed(value):
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def line(time, value, quantity="energy_import", device="meter", channel="total", received=None):
    """`value` is in thousandths of the unit; None is null."""
    text = '{"time":"%s","device":"%s","channel":"%s","quantity":"%s","value":%s' % (
        iso(time), device, channel, quantity, "null" if value is None else thousandths(value))
    return text + (',"received":"%s"}' % iso(received) if received is not None else "}")


def segments_of_power(points):
    """Powers in mW: each holds until the next, 330 s at most."""
    segments, booked, exact = [], 0, Fraction(0)
    for (t, watts), (after, _) in zip(points, points[1:]):
        start = floor(exact)
        exact += Fraction(watts * min(after - t, HOLD), 3600)
        segments.append([(t, start), (min(after, t + HOLD), floor(exact))])
    return segments


def slots_of(segments):
    """{slot start: [energy, estimated, measured s, filled s]} of accepted points (s, mWh), border energies floored."""
    slots = {}
    for points in segments:
        for (t0, e0), (t1, e1) in zip(points, points[1:]):
            def booked(t):
                return e0 + floor(Fraction((e1 - e0) * (t - t0), t1 - t0))
            start = t0 // SLOT * SLOT
            while start < t1:
                a, b = max(t0, start), min(t1, start + SLOT)
                part = slots.setdefault(start, [0, 0, 0, 0])
                energy = booked(b) - booked(a)
                part[0] += energy
                if t1 - t0 <= QUARTER:
                    part[2] += b - a
                else:
                    part[1] += energy
                    part[3] += b - a
                start += SLOT
    return slots


def bounds(period, start):
    if period == "slot":
        return start, start + SLOT
    if period == "hour":
        return start // 3600 * 3600, start // 3600 * 3600 + 3600
    local = datetime.fromtimestamp(start, ZONE)
    first = datetime(local.year, local.month, local.day if period == "day" else 1)
    if period == "day":
        last = first + timedelta(days=1)
    else:
        last = datetime(first.year + first.month // 12, first.month % 12 + 1, 1)
    return tuple(int(d.replace(tzinfo=ZONE).timestamp()) for d in (first, last))


def row(device, span, slots, price, export_price=None, channel="total"):
    """`slots`: (imported or None, exported or None, estimated, measured, filled) of the slots in `span`."""
    length = span[1] - span[0]
    def total(i):
        known = [s[i] for s in slots if s[i] is not None]
        return sum(known) if known else None
    imported, exported, measured, filled = total(0), total(1), total(3) or 0, total(4) or 0
    cost = None
    if price is not None and imported is not None:
        cost = Decimal(imported) * Decimal(price) / 1_000_000
        if export_price is not None and exported is not None:
            cost -= Decimal(exported) * Decimal(export_price) / 1_000_000
        assert cost == cost.quantize(Decimal("1e-9")), "choose a price whose cost has nine decimals"
    share = trimmed((Decimal(measured * 10_000 // length) / 10_000).quantize(Decimal("0.0001")))
    quality = ("measured" if measured >= length else "estimated" if filled and measured + filled >= length
               else "partial" if measured or filled else "missing")
    return {
        "device": device, "channel": channel, "from": iso(span[0], ZONE), "to": iso(span[1], ZONE),
        "import_wh": None if imported is None else thousandths(imported),
        "export_wh": None if exported is None else thousandths(exported),
        "cost": None if cost is None else '"%s"' % trimmed(cost), "currency": None if cost is None else '"EUR"',
        "coverage": share if "." in share else share + ".0", "estimated_wh": thousandths(total(2) or 0),
        "quality": quality,
    }


def power_of(points, span):
    """Least, mean and greatest of a power in `span`: the mean of its slots' means, each to the nearest thousandth."""
    slots = {}
    for time, value in points:
        if span[0] <= time < span[1]:
            slots.setdefault(time // SLOT, []).append(value)
    if not slots:
        return {}
    values = [v for own in slots.values() for v in own]
    means = [round(Fraction(sum(own), len(own))) for own in slots.values()]
    return {"power_min_w": thousandths(min(values)), "power_avg_w": thousandths(round(Fraction(sum(means), len(means)))),
            "power_max_w": thousandths(max(values))}


def text_of(row):
    quoted = {"device", "channel", "from", "to", "quality"}
    return "{%s}" % ",".join(
        '"%s":%s' % (k, "null" if v is None else '"%s"' % v if k in quoted else v) for k, v in row.items())


def combine(flows):
    """One device's slots from its flows (imported, exported): coverage is the least of them."""
    result = {}
    for start in sorted({s for flow in flows.values() for s in flow}):
        parts = {name: flow[start] for name, flow in flows.items() if start in flow}
        measured = min(p[2] for p in parts.values())
        covered = min(p[2] + p[3] for p in parts.values())
        result[start] = (
            parts["imported"][0] if "imported" in parts else None, parts["exported"][0] if "exported" in parts else None,
            sum(p[1] for p in parts.values()), measured, covered - measured)
    return result


def usage(devices, period, price=None, export_price=None, grid=None, powers={}):
    """Rows of a home: `devices` is {name: slots}, `powers` {name: readings}; without `grid` the home is their sum."""
    starts = sorted({s for slots in devices.values() for s in slots})
    home, rest = {}, {}
    for start in starts:
        there = {n: slots[start] for n, slots in devices.items() if start in slots}
        if grid is None:
            sums = [[s[i] for s in there.values() if s[i] is not None] for i in range(2)]
            measured = min(s[3] for s in there.values())
            covered = min(s[3] + s[4] for s in there.values())
            home[start] = (sum(sums[0]) if sums[0] else None, sum(sums[1]) if sums[1] else None,
                           sum(s[2] for s in there.values()), measured, covered - measured)
            continue
        if grid not in there:
            continue
        home[start] = there[grid]
        loads = [s for n, s in there.items() if n != grid]
        if loads:
            g = there[grid]
            left = (g[0] or 0) - (g[1] or 0) - sum((s[0] or 0) - (s[1] or 0) for s in loads)
            measured = min(s[3] for s in there.values())
            covered = min(s[3] + s[4] for s in there.values())
            estimated = min(sum(s[2] for s in there.values()), abs(left))
            rest[start] = (max(0, left), max(0, -left), estimated, measured, covered - measured)
    order = [("home", home)] + sorted(devices.items()) + [("unmetered", rest)]
    lines, first = [], min(starts)
    spans = []
    end = max(starts) + SLOT
    while first < end:
        span = bounds(period, first)
        spans.append(span)
        first = span[1]
    for span in spans:
        for name, slots in order:
            if not slots or span[1] <= min(slots) or span[0] > max(slots):
                continue
            inside = [slots[s] for s in sorted(slots) if span[0] <= s < span[1]]
            credit = export_price if name in ("home", grid) else None
            meter = grid if name == "home" else name
            lines.append(row(name, span, inside, price, credit) | power_of(powers.get(meter, []), span))
    return lines


def decision(series, time, kind, before, after):
    return '{"series":"%s","time":"%s","decision":"%s","from":%s,"to":%s}' % (
        series, iso(time), kind, "null" if before is None else thousandths(before),
        "null" if after is None else thousandths(after))


def write(name, lines, devices, periods=("slot",), decisions=(), cost=None, **options):
    with open(os.path.join(HERE, name + ".jsonl"), "w") as file:
        file.write("".join(text + "\n" for text in lines))
    for period in periods:
        rows = usage(devices, period, **options)
        with open(os.path.join(HERE, "%s.%s.json" % (name, period)), "w") as file:
            file.write('{"usage":[\n%s\n],\n"cost":%s,\n"alerts":[],\n"quality":[%s]}\n' % (
                ",\n".join(text_of(r) for r in rows), cost or "[]", ",\n".join(decisions)))


def simple(points):
    return {"meter": combine({"imported": slots_of([points])})}


def main():
    noon = utc("2026-02-03T11:00:00Z")

    points = [(noon + i * 300, 1_234_567 + i * 25_001) for i in range(25)]
    write("counter", [line(t, v) for t, v in points], simple(points), periods=("slot", "hour", "day", "month"))

    # The days on which Berlin changes its clocks, from midnight to midnight.
    for name, start, hours in (("spring", "2026-03-28T23:00:00Z", 23), ("autumn", "2026-10-24T22:00:00Z", 25)):
        points = [(utc(start) + i * 900, 5_000_000 + i * 111_111) for i in range(hours * 4 + 1)]
        write(name, [line(t, v) for t, v in points], simple(points), periods=("hour", "day", "month"))

    before = [(noon + i * 300, 5_000_000 + i * 40_000) for i in range(4)]
    after = [(noon + 1200 + i * 300, 10_000 + i * 30_000) for i in range(6)]
    write("reset", [line(t, v) for t, v in before + after],
          {"meter": combine({"imported": slots_of([before, after])})},
          decisions=[decision("meter/total/energy_import", after[0][0], "suspect", before[-1][1], after[0][1]),
                     decision("meter/total/energy_import", after[0][0], "reset", before[-1][1], after[0][1])])

    good = [(noon + i * 300, 5_000_000 + i * 40_000) for i in range(13)]
    shown = [(t, 0 if i in (4, 5) else v) for i, (t, v) in enumerate(good)]
    write("glitch_to_zero", [line(t, v) for t, v in shown], simple([p for i, p in enumerate(good) if i not in (4, 5)]),
          decisions=[decision("meter/total/energy_import", good[4][0], "suspect", good[3][1], 0),
                     decision("meter/total/energy_import", good[6][0], "cancelled", 0, good[6][1])])

    shown = [(t, 9_000_000_000 if i == 7 else v) for i, (t, v) in enumerate(good)]
    write("spike", [line(t, v) for t, v in shown], simple([p for i, p in enumerate(good) if i != 7]),
          decisions=[
              decision("meter/total/energy_import", good[7][0], "quarantined", good[6][1], 9_000_000_000),
              decision("meter/total/energy_import", good[8][0], "cancelled", 9_000_000_000, good[8][1])])

    # A gap of an hour between values that hold 330 s.
    powers = [(noon + i * 300, 1_000_000 + i * 7_000) for i in range(7)]
    powers += [(noon + 5400 + i * 300, 400_123 + i) for i in range(4)]
    segments = segments_of_power(powers)
    # The sign tells the direction, so it is known that nothing was delivered.
    nothing = [[(t, 0) for t, _ in points] for points in segments]
    write("power_only", [line(t, v, "power") for t, v in powers],
          {"meter": combine({"imported": slots_of(segments), "exported": slots_of(nothing)})}, periods=("slot", "hour"),
          powers={"meter": powers})

    # Counters that are read at the borders of slots, beside their powers; the washer is silent for a while.
    counts = [(noon + i * 450, 5_000_000 + i * 50_000) for i in range(13)]
    grid = [(noon + 7 + i * 60, 400_000 + i * 333) for i in range(90)]
    washer = [(noon + 11 + i * 90, i * 1_001) for i in range(60) if not 10 <= i < 30]
    lines = [line(t, v, device="grid") for t, v in counts] + [line(t, v, "power", "grid") for t, v in grid]
    lines += [line(t, v // 2, device="washer") for t, v in counts] + [line(t, v, "power", "washer") for t, v in washer]
    write("powers", sorted(lines, key=lambda text: text.split('"')[3]),
          {"grid": combine({"imported": slots_of([counts])}),
           "washer": combine({"imported": slots_of([[(t, v // 2) for t, v in counts]])})},
          periods=("slot", "hour", "day"), grid="grid", powers={"grid": grid, "washer": washer})

    gap = [(noon, 1_000_000), (noon + 600, 1_050_000), (noon + 7800, 1_777_777), (noon + 8400, 1_800_000)]
    write("gap", [line(t, v) for t, v in gap], simple(gap), periods=("slot", "hour"))

    # A meter at the grid that also delivers, a boiler and a washer behind it; the washer says nothing for a while.
    n = 24
    imported = [(noon + i * 300, 10_000_000 + i * 60_000) for i in range(n + 1)]
    exported = [(noon + i * 300, 500_000 + max(0, i - 12) * 9_000) for i in range(n + 1)]
    boiler = [(noon + i * 300, 70_000 + i * 45_500) for i in range(n + 1)]
    washer = [(noon + i * 300, 8_000 + i * 10_010) for i in range(10)]
    lines = []
    for i in range(n + 1):
        lines += [line(*imported[i], device="grid"), line(*exported[i], "energy_export", device="grid"),
                  line(*boiler[i], device="boiler")]
        if i < 10:
            lines.append(line(*washer[i], device="washer"))
    devices = {
        "grid": combine({"imported": slots_of([imported]), "exported": slots_of([exported])}),
        "boiler": combine({"imported": slots_of([boiler])}), "washer": combine({"imported": slots_of([washer])}),
    }
    write("home", lines, devices, periods=("slot", "hour"), grid="grid")

    energy, delivered = imported[-1][1] - imported[0][1], exported[-1][1] - exported[0][1]
    cent = Decimal("0.01")
    charge = (Decimal(energy) * Decimal("0.321") / 10**6).quantize(cent, ROUND_HALF_EVEN)
    credit = -(Decimal(delivered) * Decimal("0.079") / 10**6).quantize(cent, ROUND_HALF_EVEN)
    month = bounds("month", noon)
    cost = ('[{"from":"%s","to":"%s","tariff":"basic","currency":"EUR","lines":['
            '{"kind":"energy","label":"Energy, basic","quantity":"%s","unit":"kWh","price":"0.321","amount":"%s"},'
            '{"kind":"export","label":"Export, basic","quantity":"%s","unit":"kWh","price":"0.079","amount":"%s"}'
            '],"total":"%s"}]') % (
        iso(month[0], ZONE), iso(month[1], ZONE), trimmed(Decimal(energy) / 10**6), charge,
        trimmed(Decimal(delivered) / 10**6), credit, charge + credit)
    lines = [text for text in lines if '"washer"' not in text]
    del devices["washer"]
    write("tariff", lines, devices, periods=("slot", "month"), grid="grid", price="0.321", export_price="0.079",
          cost=cost)

    lines = [line(t, v) for t, v in good]
    lines.insert(3, line(good[2][0] + 100, None))
    lines.insert(0, line(good[0][0] - 100, None))
    lines.append(line(good[-1][0] + 100, None, "power"))
    write("null_values", lines, simple(good))

    # Readings that arrive up to an hour after they were taken.
    order = [0, 1, 2, 6, 4, 3, 5, 7, 12, 11, 8, 10, 9]
    bent = [(noon + i * 300, 5_000_000 + i * i * 5_003) for i in range(13)]
    lines = [line(*bent[i], received=noon + 3600 + k * 10) for k, i in enumerate(order)]
    write("out_of_order", lines, simple(bent))


main()
