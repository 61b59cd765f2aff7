"""The generated price list: the same rows for the same arguments, on every machine."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

HEADER = "SKU,Name,Category,Price,Currency,Stock,Brand,Colour,Weight,Material"
COLOURS = ("black", "white", "red", "blue", "green", "grey", "silver", "yellow", "brown", "orange")
MATERIALS = ("steel", "aluminium", "plastic", "brass", "oak", "glass", "rubber", "copper")
NOUNS = ("drill bit", "hinge", "bracket", "valve", "cable tie", "screw", "lamp", "fuse", "pump", "filter", "clamp")
KINDS = ("standard", "heavy duty", "compact", "outdoor", "industrial", "professional", "premium")
BAD_EVERY = 100
"""One row in a hundred is bad, in one of five ways."""
CHANGED_EVERY = 10
"""The second version of a list raises the price of one row in ten."""


class Expected(NamedTuple):
    """What any correct import of one generated list must arrive at."""

    rows: int
    good: int
    bad: int
    changed: int
    """Good rows whose price differs from the first version."""


def is_bad(item: int) -> bool:
    return item % BAD_EVERY == 37


def is_changed(item: int) -> bool:
    return item % CHANGED_EVERY == 3


def line(item: int, *, version: int) -> str:
    """One row, a function of the item's number and the version of the list alone."""
    mixed = item * 2_654_435_761 % 4_294_967_296
    sku = f"{'ABCDEFGH'[mixed % 8]}{mixed // 8 % 97:02d}-{item:08d}"
    name = f"{NOUNS[mixed % 11]} {KINDS[mixed // 11 % 7]} {mixed % 9973}"
    cents = 100 + mixed % 250_000
    if version > 1 and is_changed(item):
        cents += 25
    price = f"{cents // 100}.{cents % 100:02d}"
    if is_bad(item):
        match item // BAD_EVERY % 5:
            case 0:
                price = ""
            case 1:
                price = "call"
            case 2:
                price = f"-{price}"
            case 3:
                name = ""
            case _:
                sku = ""
    return (
        f"{sku},{name},Group {mixed % 40},{price},EUR,{mixed % 1000},Brand {mixed // 7 % 500},"
        f"{COLOURS[mixed // 3 % 10]},{mixed % 90_000 / 1000:.3f}kg,{MATERIALS[mixed // 5 % 8]}"
    )


def write(path: Path, *, rows: int, version: int = 1, seed: int = 7) -> Expected:
    """Writes a list whose items come in shuffled order (as real lists do: not sorted by code)."""
    order = list(range(rows))
    random.Random(seed).shuffle(order)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER + "\n")
        for start in range(0, rows, 10_000):
            file.write("\n".join([line(item, version=version) for item in order[start : start + 10_000]]) + "\n")
    bad = sum(map(is_bad, range(rows)))
    changed = sum(1 for item in range(rows) if is_changed(item) and not is_bad(item)) if version > 1 else 0
    return Expected(rows=rows, good=rows - bad, bad=bad, changed=changed)
