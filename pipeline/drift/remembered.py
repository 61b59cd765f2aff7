"""Finds the columns of a supplier's last list again: by name where the values agree, never by one of them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from config.profiles import SupplierProfile
from contracts.store import Current
from pipeline.drift.agreement import percent
from pipeline.drift.compared import Compared, alike
from pipeline.drift.doubts import Doubt, Proposal, shown
from pipeline.understanding.shape import Shape, resemblance
from pipeline.understanding.table import Table
from pipeline.understanding.text import cell_text, clean, fold, is_blank, letter_index

KNOWN, SURELY_KNOWN = 0.5, 0.8
"""Shares of the codes that must be stored: under the old header, and under another one."""
RESEMBLES = 0.3
SAME_ARTICLES = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """One column of the last list."""

    header: str
    index: int | None
    """Counts only without a header."""
    sketch: tuple[int, ...] = ()

    @property
    def shown(self) -> str:
        return f"“{self.header}”" if self.header else "its column"


Parts = Mapping[str, tuple[Part, ...]]


@dataclass(slots=True)
class Settled:
    """Which columns hold the fields of the last list now."""

    columns: dict[str, tuple[int, ...]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    """Of the fields that moved to another header."""
    doubts: list[Doubt] = field(default_factory=list)
    another: bool = False
    """Nothing of the last list is in this one: it is another list of the supplier."""

    def renamed(self, name: str, was: Part, now: str, figures: str) -> None:
        self.warnings.append(f"{now} holds {name} now instead of {was.shown}: {figures}")
        self.reasons[name] = f"instead of {was.shown}: {figures}"


def remembered_parts(shape: Shape | None, profile: SupplierProfile | None) -> tuple[Parts, set[str]]:
    """The columns of the last list by field, and the fields of which the profile says something new since then: those
    are taken as told."""
    told = {} if profile is None else profile.mapping.model_dump(mode="json", exclude_none=True)
    parts: dict[str, tuple[Part, ...]] = {}
    if shape is not None:
        for name in shape.mapping:
            parts[name] = tuple(Part(column.header, column.index, column.sketch) for column in shape.of(name))
    anew = set()
    for name, reference in told.items():
        if shape is not None and name in parts and shape.told.get(name) == reference:
            continue
        if shape is not None:
            anew.add(name)
        parts[name] = tuple(_part(one) for one in (reference if isinstance(reference, list) else [reference]))
    return parts, anew


def _part(reference: Any) -> Part:
    return Part("", reference) if isinstance(reference, int) else Part(reference, letter_index(reference))


def locate(table: Table, part: Part) -> list[int]:
    """Columns that bear this name."""
    if part.header:
        same = [index for index in range(table.width) if table.header(index) == part.header]
        folded = fold(part.header)
        same = same or [index for index in range(table.width) if folded and fold(table.header(index)) == folded]
        found = same or table.find(part.header)
        if found or letter_index(part.header) is None or part.sketch:
            return found
    return [part.index] if part.index is not None and part.index < table.width else []


class Key:
    """The column of codes."""

    def __init__(self, compared: Compared, parts: Parts, shape: Shape | None) -> None:
        self._compared = compared
        self._table = compared.table
        self._parts = parts
        self._shape = shape

    async def settle(self, settled: Settled) -> None:
        parts = self._parts["sku"]
        places = [locate(self._table, part) for part in parts]
        if all(places):
            await self._located(settled, [tuple(combined) for combined in product(*places)][:8])
        elif len(parts) == 1:
            await self._moved(settled, parts[0])
        else:
            await self._composite(settled, parts, places)

    async def _located(self, settled: Settled, keys: Sequence[tuple[int, ...]]) -> None:
        shares = await self._compared.known(*keys)
        share, key = max(zip(shares, keys, strict=True), key=lambda pair: pair[0])
        named = " + ".join(shown(self._table, index) for index in key)
        settled.columns["sku"] = key
        if len(keys) > 1 and not (share >= SURELY_KNOWN and sorted(shares)[-2] < KNOWN):
            if not self._compared.same_values([key[0] for key in keys]):
                proposals = [
                    self._proposal(key, share) for share, key in sorted(zip(shares, keys, strict=True), reverse=True)
                ]
                settled.doubts.append(Doubt("sku", f"{len(keys)} columns are called {named}", tuple(proposals)))
            return
        if share >= KNOWN:
            return
        others = [pair for pair in await self._holders() if (pair[1],) != key]
        keep = Proposal(key, f"{named} is still the code", "all unknown codes become new items")
        if others:
            proposals = [self._proposal((index,), known) for known, index in others]
            settled.doubts.append(
                Doubt(
                    "sku",
                    f"{named} holds {percent(share)} known codes only, "
                    f"but {shown(self._table, others[0][1])} holds {percent(others[0][0])}",
                    (*proposals[:3], keep),
                )
            )
        elif self._same_articles():
            sentence = (
                f"the articles are those of the last list, but {percent(share)} of the codes in {named} are known"
            )
            settled.doubts.append(Doubt("sku", sentence, (keep,)))
        elif share == 0 and any(self._compared.codes(key)):
            settled.warnings.append(f"none of the compared codes in {named} is known")

    async def _moved(self, settled: Settled, part: Part) -> None:
        holders = await self._holders()
        named = [pair for pair in holders if self._is_named(pair[1], part)]
        if named:
            share, index = max(named, key=lambda pair: (self._level(pair[1]), pair[0], -pair[1]))
            settled.columns["sku"] = (index,)
            settled.renamed("sku", part, shown(self._table, index), f"{percent(share)} of its codes are known")
        elif holders:
            proposals = tuple(self._proposal((index,), share) for share, index in holders[:4])
            settled.doubts.append(Doubt("sku", f"the column of codes, {part.shown}, is not in this list", proposals))
        elif self._overlap() < 0.5 and not self._same_articles():
            settled.another = True
        else:
            offers = [i for i in self._compared.could_be_keys() if self._level(i) or self._heading(i, "gtin")]
            proposals = tuple(
                Proposal((index,), f"{shown(self._table, index)} is the code now", "all its codes become new items")
                for index in sorted(offers, key=lambda index: (-self._level(index), index))[:4]
            )
            settled.doubts.append(
                Doubt(
                    "sku", f"the column of codes, {part.shown}, is gone, and no column holds the known ones", proposals
                )
            )

    async def _composite(self, settled: Settled, parts: Sequence[Part], places: Sequence[list[int]]) -> None:
        """A part that is not found by name is looked for by its values."""
        likely: list[list[int]] = []
        for part, place in zip(parts, places, strict=True):
            taken = {index for other in places for index in other}
            free = [index for index in range(self._table.width) if index not in taken]
            ranked = sorted(free, key=lambda i: -resemblance(part.sketch, self._compared.sketch(i)))
            likely.append(place or ranked[:6])
        keys = [tuple(key) for key in product(*likely) if len(set(key)) == len(key)][:200]
        shares = await self._compared.known(*keys) if keys else []
        share, key = max(zip(shares, keys, strict=True), default=(0.0, ()))
        if share < SURELY_KNOWN:
            if self._overlap() < 0.5:
                settled.another = True
                return
            missing = " and ".join(part.shown for part, place in zip(parts, places, strict=True) if not place)
            settled.doubts.append(Doubt("sku", f"{missing}, a part of the code, is not in this list", ()))
            return
        new = [(part, index) for part, place, index in zip(parts, places, key, strict=True) if not place]
        figures = f"{percent(share)} of the codes are known"
        if all(alike(part.header, self._table.header(index)) or self._level(index) for part, index in new):
            settled.columns["sku"] = key
            for part, index in new:
                settled.renamed("sku", part, shown(self._table, index), figures)
            return
        label = ", ".join(f"{shown(self._table, index)} replaces {part.shown}" for part, index in new)
        settled.doubts.append(Doubt("sku", f"{label}: {figures}?", (Proposal(key, label, figures),)))

    async def _holders(self) -> list[tuple[float, int]]:
        """Columns that hold known codes, most of them first."""
        columns = self._compared.could_be_keys()
        shares = await self._compared.known(*((index,) for index in columns)) if columns else []
        return sorted(
            ((share, index) for share, index in zip(shares, columns, strict=True) if share >= SURELY_KNOWN),
            key=lambda pair: (-pair[0], pair[1]),
        )

    def _proposal(self, key: tuple[int, ...], share: float) -> Proposal:
        named = " + ".join(shown(self._table, index) for index in key)
        return Proposal(key, f"{named} is the code", f"{percent(share)} of its codes are known")

    def _is_named(self, index: int, part: Part) -> bool:
        return bool(self._level(index)) or alike(part.header, self._table.header(index))

    def _level(self, index: int) -> int:
        return self._heading(index, "sku")

    def _heading(self, index: int, name: str) -> int:
        hit = self._table.headings[index].hit(name)
        return 0 if hit is None else hit.level

    def _same_articles(self) -> bool:
        """True if some column holds the names of the last list."""
        parts = self._parts.get("name", ())
        return any(
            resemblance(part.sketch, self._compared.sketch(index)) >= SAME_ARTICLES
            for part in parts
            if part.sketch and part not in self._parts["sku"]
            for index in range(self._table.width)
        )

    def _overlap(self) -> float:
        """Share of the last list's headers that this one has, too."""
        if self._shape is None:
            return 0.0
        old = {fold(header) for header in self._shape.headers} - {""}
        return len(old & {fold(header) for header in self._table.named()}) / len(old) if old else 0.0


def settle_others(
    compared: Compared, parts: Parts, stored: Sequence[Current | None], settled: Settled, fixed: set[str]
) -> None:
    """Name, currency, basis, unit, GTIN and category: found again by name, or by a like name over like values."""
    for name, columns in parts.items():
        if name in {"sku", "price"} or name in fixed or name in settled.columns:
            continue
        found: list[int] = []
        for part in columns:
            places = locate(compared.table, part)
            used = {index for taken in settled.columns.values() for index in taken} | set(found)
            free = places or [index for index in range(compared.table.width) if index not in used]
            index = (
                places[0]
                if len(places) == 1
                else _by_values(compared, part, stored, free, name=name, located=bool(places))
            )
            if index is None:
                settled.warnings.append(f"{part.shown}, which held {name}, is not in this list")
                break
            if not places:
                settled.renamed(name, part, shown(compared.table, index), "its values are those of the last list")
            found.append(index)
        else:
            settled.columns[name] = tuple(found)


def _by_values(
    compared: Compared, part: Part, stored: Sequence[Current | None], free: Sequence[int], *, name: str, located: bool
) -> int | None:
    table = compared.table
    ranked: list[tuple[float, int]] = []
    for index in free:
        told = located or table.headings[index].hit(name) is not None or alike(part.header, table.header(index))
        share = resemblance(part.sketch, compared.sketch(index))
        same = _same_texts(compared, index, stored) if name == "name" else 0.0
        if same >= SURELY_KNOWN or (told and share >= RESEMBLES):
            ranked.append((max(share, same), -index))
    return -max(ranked)[1] if ranked else None


def _same_texts(compared: Compared, index: int, stored: Sequence[Current | None]) -> float:
    """Share of the known items that are called what stands in this column."""
    pairs = [
        (cell_text(cell), current.name)
        for cell, current in zip(compared.cells(index), stored, strict=True)
        if current is not None and not is_blank(cell)
    ]
    same = sum(fold(text[:500]) == fold(clean(name)[:500]) for text, name in pairs)
    return same / len(pairs) if len(pairs) > 2 else 0.0
