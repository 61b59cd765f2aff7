"""Finds the columns again that are neither code nor price."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.store import Current
from pipeline.drift.agreement import percent
from pipeline.drift.compared import Compared, alike
from pipeline.drift.doubts import Doubt, Proposal, shown
from pipeline.drift.remembered import FEW, SURELY_KNOWN, Part, Parts, Settled, locate
from pipeline.understanding.currency import sign_of
from pipeline.understanding.shape import resemblance
from pipeline.understanding.text import cell_text, clean, fold, is_blank

RESEMBLES = 0.3
SAME_CURRENCY = 0.95


def settle_others(
    compared: Compared, parts: Parts, stored: Sequence[Current | None], settled: Settled, fixed: set[str]
) -> None:
    """Name, currency, basis, unit, GTIN and category: found again by name, or by a like name over like values."""
    for name, columns in parts.items():
        if name in {"sku", "price"} or name in fixed or name in settled.columns:
            continue
        found: list[int] = []
        for part in columns:
            if part in parts.get("sku", ()) and len(settled.columns.get("sku", ())) == len(parts["sku"]):
                found.append(settled.columns["sku"][parts["sku"].index(part)])
                continue
            places = locate(compared.table, part)
            used = {index for taken in settled.columns.values() for index in taken} | set(found)
            free = places or [index for index in range(compared.table.width) if index not in used]
            index = (
                places[0]
                if len(places) == 1
                else _by_values(compared, part, stored, free, name=name, located=bool(places))
            )
            if index is None and name == "currency":
                index = _by_currencies(compared, part, stored, free, settled)
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


def _by_currencies(
    compared: Compared, part: Part, stored: Sequence[Current | None], free: Sequence[int], settled: Settled
) -> int | None:
    """The column that states of each known item the currency it has; without a name that says so it is a doubt."""
    for index in free:
        pairs = [
            (sign_of(cell_text(cell)), current.currency)
            for cell, current in zip(compared.cells(index), stored, strict=True)
            if current is not None and current.currency != "XXX"
        ]
        same = sum(sign is not None and sign.settled == currency for sign, currency in pairs)
        if len(pairs) < FEW or same < len(pairs) * SAME_CURRENCY:
            continue
        if compared.table.headings[index].hit("currency") is not None:
            return index
        figures = f"{percent(same / len(pairs))} of {len(pairs):,} known items have this currency"
        label = f"{shown(compared.table, index)} replaces {part.shown}"
        settled.doubts.append(Doubt("currency", f"{label}: {figures}?", (Proposal((index,), label, figures),)))
        return None
    return None


def keep_what_is_lost(stored: Sequence[Current | None], settled: Settled, parts: Parts) -> None:
    """Where a person is asked anyway: currency and basis of the last list are kept if their columns are gone, so that
    one answer is enough."""
    known = [current for current in stored if current is not None]
    open_ = {doubt.field for doubt in settled.doubts}
    for name in ("currency", "price_basis"):
        if len(known) < FEW or name not in parts or name in settled.columns or name in open_:
            continue
        values = {current.currency if name == "currency" else f"{current.basis.normalize():f}" for current in known}
        if len(values) == 1 and not values & {"XXX", "1"}:
            [value] = values
            what = f"prices stay in {value}" if name == "currency" else f"prices stay per {value}"
            sentence = f"{parts[name][0].shown}, which held {name}, is gone; {what}?"
            settled.doubts.append(Doubt(name, sentence, (Proposal((), what, "as in the last list", {name: value}),)))


def _same_texts(compared: Compared, index: int, stored: Sequence[Current | None]) -> float:
    """Share of the known items that are called what stands in this column."""
    pairs = [
        (cell_text(cell), current.name)
        for cell, current in zip(compared.cells(index), stored, strict=True)
        if current is not None and not is_blank(cell)
    ]
    same = sum(fold(text[:500]) == fold(clean(name)[:500]) for text, name in pairs)
    return same / len(pairs) if len(pairs) > 2 else 0.0
