"""Price lists as suppliers spoil them, from a seed, with what is true of each row."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal

COLUMNS = ("Code", "Item", "Price", "Stock", "Weight", "Remark", "Colour")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "cp1251", "cp932", "utf-16", "utf-16-be", "koi8-r")
NAMES = {
    "cp1251": ("Болт с шестигранной головкой", "Гайка оцинкованная", "Шайба пружинная", "Дюбель"),
    "cp932": ("六角ボルト亜鉛メッキ", "ステンレスナット", "ばね座金の各種", "絶縁テープ"),
    "koi8-r": ("Сверло по бетону", "Гвоздь строительный", "Цепь техническая", "Прокладка"),
}
LATIN = ("Bolt, hexagonal", 'Nut 3/4"', "Größe M8 für Holz", "Washer", "Door handle; brass", "Screw | wood", "Nail 5'")
FOREIGN = {"utf-8": "cp1252", "utf-8-sig": "cp1252", "cp1252": "utf-8", "cp1251": "utf-8", "koi8-r": "utf-8"}


@dataclass(slots=True)
class MessyList:
    seed: int
    data: bytes = b""
    mapping: dict[str, str] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    """What each code costs; no other code and no other price may come out."""
    names: dict[str, str] = field(default_factory=dict)
    """Of rows that nothing was done to."""
    records: int | None = None
    """Physical records, where that can be counted without parsing: no quote stands astray."""
    lines: int = 0
    """Physical lines."""
    spoiled: set[str] = field(default_factory=set)
    """What was done to it."""


class _Writer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made = MessyList(seed)
        pick = self.random.choice
        self.delimiter = pick(",;\t|")
        self.newline = pick(("\n", "\r\n", "\r\n", "\n", "\r"))
        self.encoding = pick(ENCODINGS)
        self.decimal = pick(".,") if self.delimiter != "," else pick("...,")
        self.quoting = pick(("minimal", "minimal", "minimal", "all", "texts"))
        self.columns = ["Code", "Item", "Price", *self.random.sample(COLUMNS[3:], self.random.randrange(0, 5))]
        self.random.shuffle(self.columns)
        self.spoiling = self.random.random() < 0.8
        self.rate = self.random.choice((0.02, 0.05, 0.15, 0.5))
        self.out: list[bytes] = []

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def cell(self, text: str, *, always: bool = False) -> str:
        special = any(mark in text for mark in (self.delimiter, '"', "\n", "\r"))
        if special or always or self.quoting == "all":
            return '"' + text.replace('"', '""') + '"'
        return text

    def row(self, cells: dict[str, str]) -> list[str]:
        texts = self.quoting == "texts"
        return [self.cell(cells[name], always=texts and name in {"Item", "Remark"}) for name in self.columns]

    def put(self, line: str) -> None:
        """As UTF-8 where the whole list is brought into its form of Unicode at the end."""
        self.out.append(line.encode("utf-8" if self.encoding.startswith("utf") else self.encoding, "replace"))

    def item(self, number: int) -> dict[str, str]:
        code = f"K{number:04d}"
        price = Decimal(self.random.randrange(100, 999_999)) / 100
        while price in self.made.prices.values():
            price += Decimal("0.01")
        self.made.prices[code] = price
        names = NAMES.get(self.encoding, LATIN)
        return {
            "Code": code,
            "Item": f"{self.random.choice(names)} {number}",
            "Price": f"{price:.2f}".replace(".", self.decimal),
            "Stock": str(self.random.randrange(1, 5_000)),
            "Weight": f"{self.random.randrange(1, 9_999) / 1000:.3f}".replace(".", self.decimal),
            "Remark": self.random.choice(("", "", "new", "till stocks last", "on order")),
            "Colour": self.random.choice(("red", "", "blue", "white")),
        }


def messy_list(seed: int) -> MessyList:
    """The same list for the same seed."""
    writer = _Writer(seed)
    made = writer.made
    made.mapping = {"sku": "Code", "name": "Item", "price": "Price"}
    for _ in range(writer.random.choice((0, 0, 0, 1, 3))):
        writer.put(writer.random.choice(("", "Price list 2026", "Acme Ltd, Main Street 5", "valid from 1.1.2026")))
    header = writer.delimiter.join(writer.cell(name) for name in writer.columns)
    writer.put(header)
    for number in range(writer.random.randrange(2, 40)):
        cells = writer.item(number)
        if writer.spoiling and writer.chance(writer.rate):
            _spoil(writer, cells)
        else:
            made.names[cells["Code"]] = cells["Item"]
            writer.put(writer.delimiter.join(writer.row(cells)))
        if writer.chance(0.02):
            writer.put(writer.random.choice((header, "", writer.delimiter * (len(writer.columns) - 1), "   ")))
            made.spoiled.add("between")
    if writer.chance(0.2):
        writer.put(writer.random.choice(("Total", "All prices without tax", "Page 1 of 1", "")))
    return _finished(writer)


def _finished(writer: _Writer) -> MessyList:
    made = writer.made
    newline = writer.newline.encode()
    data = newline.join(writer.out) + (newline if writer.chance(0.8) else b"")
    lines = data.split(b"\n" if b"\n" in newline else b"\r")
    made.lines = len(lines) - (not lines[-1])
    if writer.encoding.startswith("utf-16"):
        data = data.decode("utf-8").encode(writer.encoding)
    elif writer.encoding == "utf-8-sig":
        data = b"\xef\xbb\xbf" + data
    made.data = data
    made.records = (
        None
        if {"quote", "lines"} & made.spoiled
        else len(writer.out) - (not writer.out[-1] and made.lines < len(writer.out))
    )
    return made


def _spoil(writer: _Writer, cells: dict[str, str]) -> None:
    how = writer.random.choice(list(_SPOILERS))
    writer.made.spoiled.add(how if how not in {"open", "close", "middle"} else "quote")
    _SPOILERS[how](writer, cells)


def _extra_separator(writer: _Writer, cells: dict[str, str]) -> None:
    row = writer.row(cells)
    at = writer.random.randrange(len(row))
    middle = len(row[at]) // 2
    row[at] = row[at][:middle] + writer.delimiter + row[at][middle:]
    writer.put(writer.delimiter.join(row))


def _lost_separator(writer: _Writer, cells: dict[str, str]) -> None:
    row = writer.row(cells)
    at = writer.random.randrange(len(row) - 1)
    row[at : at + 2] = [row[at] + writer.random.choice(("", " ")) + row[at + 1]]
    writer.put(writer.delimiter.join(row))


def _lost_cell(writer: _Writer, cells: dict[str, str]) -> None:
    row = writer.row(cells)
    del row[writer.random.randrange(len(row))]
    writer.put(writer.delimiter.join(row))


def _cut_off(writer: _Writer, cells: dict[str, str]) -> None:
    """Not within a code or a price: half of one is one, and nobody can tell."""
    row = writer.row(cells)
    at = writer.random.randrange(len(row))
    half = row[at][: writer.random.randrange(len(row[at]) + 1)]
    kept = writer.delimiter.join([*row[:at], "" if writer.columns[at] in {"Code", "Price"} else half])
    writer.made.spoiled.add("quote" if kept.count('"') % 2 else "cut")
    writer.put(kept)


def _open(writer: _Writer, cells: dict[str, str]) -> None:
    row = [cells[name] for name in writer.columns]
    at = writer.random.randrange(len(row))
    row[at] = '"' + row[at]
    writer.put(writer.delimiter.join(row))


def _close(writer: _Writer, cells: dict[str, str]) -> None:
    row = [cells[name] for name in writer.columns]
    at = writer.random.randrange(len(row))
    row[at] += '"'
    writer.put(writer.delimiter.join(row))


def _middle(writer: _Writer, cells: dict[str, str]) -> None:
    row = [cells[name] for name in writer.columns]
    at = writer.random.randrange(len(row))
    half = len(row[at]) // 2
    row[at] = writer.random.choice(("", '"')) + row[at][:half] + '"' + row[at][half:]
    writer.put(writer.delimiter.join(row))


def _other_dialect(writer: _Writer, cells: dict[str, str]) -> None:
    other = writer.random.choice([mark for mark in ",;\t|" if mark != writer.delimiter])
    writer.put(other.join(cells[name].replace(other, " ") for name in writer.columns))


def _other_encoding(writer: _Writer, cells: dict[str, str]) -> None:
    other = FOREIGN.get(writer.encoding)
    line = writer.delimiter.join(writer.row(cells | {"Item": f"Größe ß {cells['Item']}"}))
    if other is None:
        writer.put(line)
    else:
        writer.out.append(line.encode(other, "replace"))


def _bytes(writer: _Writer, cells: dict[str, str]) -> None:
    junk = writer.random.choice(("\0", "\x07", "\u00a0", "\u200b", "\x0b", "\x0c", "\x1c", "\u2028", "\x85"))
    writer.put(writer.delimiter.join(writer.row(cells | {"Item": f"a{junk}{cells['Item']}"})))


def _lines(writer: _Writer, cells: dict[str, str]) -> None:
    newline = "\n" if "\n" in writer.newline else "\r"
    text = writer.random.choice(("first{}second", "a{}{}b", "{}x", "x{}", "a, 5{}b, 6", "5{}6")).replace("{}", newline)
    writer.put(writer.delimiter.join(writer.row(cells | {"Item": f"{text} {cells['Item']}"})))


def _no_price(writer: _Writer, cells: dict[str, str]) -> None:
    text = writer.random.choice(("", "on request", "-", "n/a", "12.5O", "1..5", "#REF!", "abc", "-5.00", "0"))
    writer.put(writer.delimiter.join(writer.row(cells | {"Price": text})))


def _trailing(writer: _Writer, cells: dict[str, str]) -> None:
    writer.put(writer.delimiter.join(writer.row(cells)) + writer.delimiter * writer.random.randrange(1, 4))


def _twice(writer: _Writer, cells: dict[str, str]) -> None:
    line = writer.delimiter.join(writer.row(cells))
    writer.put(line)
    writer.put(line)


_SPOILERS = {
    "extra": _extra_separator, "lost": _lost_separator, "cell": _lost_cell, "cut": _cut_off, "open": _open,
    "close": _close, "middle": _middle, "dialect": _other_dialect, "encoding": _other_encoding, "bytes": _bytes,
    "lines": _lines, "price": _no_price, "trailing": _trailing, "twice": _twice,
}  # fmt: skip
