"""Prices whose header counts hundredths or thousands of a currency: what a figure is worth, or a question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from config.profiles import SupplierProfile
from contracts.errors import PriceFormatAmbiguous
from contracts.questions import Option, Question
from contracts.understanding import NumberFormat
from pipeline.understanding.headings import Heading
from pipeline.understanding.numbers import Ambiguity, collect, decide
from pipeline.understanding.prices import PriceReader
from pipeline.understanding.table import Table
from pipeline.understanding.text import cell_text, plain, short
from pipeline.understanding.words import says

FACTORS = {
    "hundredths": "0.01",
    "tenths": "0.1",
    "thousands": "1000",
    "ten_thousands": "10000",
    "lakhs": "100000",
    "millions": "1000000",
    "crores": "10000000",
}
"""What one of a figure is worth, by word list (synonyms.json, scales)."""


class Worth(NamedTuple):
    """One way to read figures that a header counts in something."""

    told: str
    """“1011” means 10.11"""
    range: str
    """40 prices from 1.05 to 97.20"""
    members: dict[str, Any]
    """Of the profile that says so."""


def scale_of(heading: Heading) -> str:
    """The word by which a header says that its figures count hundredths or thousands of the currency ("Price (cents)",
    "Preis in Tsd. EUR", "千円"); '' if none. Beside a currency "коп" only names what stands behind the decimal sign."""
    word = says(heading.folded, "scales")
    if word:
        return word
    return says(heading.folded, "scales_beside_currency" if heading.sign is not None else "scales_alone")


def factor_of(heading: Heading) -> str | None:
    """What a figure is worth by that word; None without one."""
    word = scale_of(heading)
    if not word:
        return None
    for name, factor in FACTORS.items():
        if says(heading.folded, f"scales.{name}") == word:
            return factor
    return FACTORS["thousands" if heading.sign is not None else "hundredths"]


def scaled(table: Table, price: int, numbers: NumberFormat, profile: SupplierProfile | None) -> NumberFormat:
    """The format with what the profile says a figure is worth. Raises PriceFormatAmbiguous where the header counts in
    something and the profile does not say what that means, or says something else."""
    heading = table.headings[price]
    stated = None if profile is None else profile.numbers.scale
    factor = factor_of(heading)
    if factor is None or stated in {factor, "1"}:
        return numbers if stated is None else replace(numbers, scale=stated)
    options = tuple(Option(worth.told, worth.range, worth.members) for worth in readings(table, price))
    said = "" if stated is None else f", while the profile says that one of a figure is {stated}"
    sentence = f"“{table.header(price)}” counts in “{scale_of(heading)}”{said}. What is a figure of it worth?"
    raise PriceFormatAmbiguous(
        sentence, question=Question("price_format", sentence, options), column=table.header(price)
    )


def readings(table: Table, price: int) -> Iterator[Worth]:
    """The likeliest first: as the header says, for thousands also as a price of a thousand units, as they stand."""
    factor = factor_of(table.headings[price])
    cells = table.values(price)
    numbers = decide(collect(cell for cell in cells if isinstance(cell, str)))
    first = next((cell for cell in cells if cell_text(cell).strip()), None)
    ways: list[tuple[str, str, dict[str, Any]]] = [
        (scale, "", {"numbers": {"scale": scale}}) for scale in (factor, "1") if scale is not None
    ]
    if factor == FACTORS["thousands"]:
        ways.insert(1, ("1", " for 1000 units", {"numbers": {"scale": "1"}, "price_basis": "1000"}))
    for scale, per, members in ways:
        if isinstance(numbers, Ambiguity):
            yield Worth(f"one of a figure is {scale}{per}", "how they are written is asked next", members)
            continue
        reader = PriceReader(replace(numbers, scale=scale), accept_zero=True)
        prices = [Decimal(read.price) for read in map(reader.read, cells) if read.price is not None]
        example = reader.read(first).price or "no price"
        told = f"“{short(cell_text(first), 20)}” means {example}{per}"
        spread = f" from {plain(min(prices))} to {plain(max(prices))}" if prices else ""
        yield Worth(told, f"{len(prices)} prices{spread}", members)
