"""Finds the column of codes again: where it is called so and holds codes that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from pipeline.drift.agreement import percent
from pipeline.drift.compared import Compared, alike
from pipeline.drift.doubts import Doubt, Proposal, shown
from pipeline.drift.remembered import SURELY_KNOWN, Part, Parts, Settled, locate
from pipeline.understanding.shape import Shape, resemblance
from pipeline.understanding.text import fold

KNOWN = 0.5
"""Share of the codes under the old header that must be stored."""
SAME_ARTICLES = 0.5


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
        keep = Proposal(
            key, f"{named} is still the code", "unknown codes become new items, the known items stay as they are"
        )
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
        elif share == 0 and self._shape is not None and any(self._compared.codes(key)):
            settled.warnings.append(f"none of the compared codes in {named} is known")

    async def _moved(self, settled: Settled, part: Part) -> None:
        called = [index for index in range(self._table.width) if self._is_named(index, part)]
        holders = await self._holders(called)
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

    async def _holders(self, besides: Sequence[int] = ()) -> list[tuple[float, int]]:
        """Columns that hold known codes, most of them first."""
        columns = sorted({*self._compared.could_be_keys(), *besides})
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
