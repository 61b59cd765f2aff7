"""Compares a list with the last one of its supplier before anything is written: what changed is absorbed or asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from config.profiles import SupplierProfile
from contracts.errors import ListDoubtful
from contracts.rows import Description, Row
from contracts.store import Current
from contracts.task import ColumnMapping, Document, TaskOptions
from contracts.understanding import NumberFormat, Understanding
from observability.logging import get_logger
from pipeline.drift.agreement import Agreement
from pipeline.drift.compared import Compared, Lookup
from pipeline.drift.doubts import layout_question, references
from pipeline.drift.key_again import Key
from pipeline.drift.others_again import keep_what_is_lost, settle_others
from pipeline.drift.price_again import PriceAgain
from pipeline.drift.remembered import Settled, remembered_parts
from pipeline.understanding.layout import find_table
from pipeline.understanding.mapping import resolve
from pipeline.understanding.shape import Shape
from pipeline.understanding.table import Table
from pipeline.understanding.text import fold, listed
from pipeline.understanding.understand import stated_layout

log = get_logger(__name__)

Numbered = Sequence[tuple[int, Row]]


@dataclass(frozen=True, slots=True)
class LastList:
    """What is known of a supplier before its next list is read."""

    shape: Shape | None
    lookup: Lookup


@dataclass(frozen=True, slots=True)
class Drift:
    """How a list is to be read in the light of the last one."""

    profile: SupplierProfile
    """The stored one with the columns as they are called in this list; for this run only."""
    warnings: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    """What should be remembered anew after this run: fields of the mapping, and "numbers"."""
    believed: bool = False
    """A person has said since the last list which column holds the price."""
    last_as_of: datetime | None = None

    def older_than_last(self, as_of: datetime) -> bool:
        return self.last_as_of is not None and as_of < self.last_as_of

    def told(self, understanding: Understanding) -> Understanding:
        """With what was absorbed among its warnings and reasons."""
        columns = tuple(
            replace(column, reason=self.reasons[column.field], certainty=0.95)
            if column.field is not None and column.field in self.reasons
            else column
            for column in understanding.columns
        )
        return replace(understanding, columns=columns, warnings=(*self.warnings, *understanding.warnings))


async def absorb(
    sample: Numbered,
    description: Description,
    *,
    config: Document,
    options: TaskOptions,
    profile: SupplierProfile,
    last: LastList,
    sha256: str,
) -> Drift:
    """Raises ListDoubtful with a question where price, code or currency would have to be guessed, and HeaderNotFound
    for an empty list. A list that a person has let through is not asked about again."""
    manual = ColumnMapping.model_validate(config.model_dump().get("column_mapping") or {})
    extra = {str(field): words for field, words in profile.synonyms.items()}
    stated = stated_layout(config.model_dump(), manual, profile)
    table = await asyncio.to_thread(find_table, sample, description, stated, extra=extra)
    compared = await asyncio.to_thread(Compared, table, last.lookup, profile.numbers.scale)
    parts, anew = remembered_parts(last.shape, profile)
    told = manual.model_dump(exclude_none=True)
    fixed = set(told) | anew
    settled = Settled()
    if "sku" in told:
        settled.columns["sku"] = tuple(resolve(table, "sku", told["sku"]))
        await compared.known(settled.columns["sku"])
    elif "sku" in parts:
        await Key(compared, parts, last.shape).settle(settled)
        if "sku" in anew:
            settled.doubts.clear()
    if settled.another or (not settled.columns and not settled.doubts):
        return Drift(profile)
    key = settled.columns.get("sku") or _first_choice(settled, "sku")
    if key:
        await compared.known(key)
    stored = compared.current(key) if key else [None] * len(compared.rows)
    same = last.shape is not None and _folded(last.shape.headers) == _folded(map(table.header, range(table.width)))
    if "price" in parts and "price" not in fixed:
        finder = PriceAgain(compared, stored, key or (), same_structure=same)
        await asyncio.to_thread(finder.settle, settled, parts["price"][0])
    await asyncio.to_thread(settle_others, compared, parts, stored, settled, fixed)
    if settled.doubts:
        keep_what_is_lost(stored, settled, parts)
    if settled.doubts and sha256 not in profile.rules.accepted_lists:
        accepted = [*profile.rules.accepted_lists, sha256]
        question = layout_question(table, settled.columns, settled.doubts, accepted=accepted)
        raise ListDoubtful(question=question, headers=table.named())
    if not same and last.shape is not None:
        settled.warnings += _added_and_removed(table, last.shape, settled)
    drift = _drift(compared, stored, settled, profile=profile, fixed=fixed, options=options)
    as_of = None if last.shape is None else datetime.fromisoformat(last.shape.as_of)
    return replace(drift, believed="price" in anew, last_as_of=as_of)


def _first_choice(settled: Settled, name: str) -> tuple[int, ...]:
    return next((d.proposals[0].columns for d in settled.doubts if d.field == name and d.proposals), ())


def _folded(headers: Any) -> list[str]:
    return [fold(header) for header in headers]


def _drift(
    compared: Compared,
    stored: Sequence[Current | None],
    settled: Settled,
    *,
    profile: SupplierProfile,
    fixed: set[str],
    options: TaskOptions,
) -> Drift:
    table = compared.table
    mapping = {
        field: reference for field, reference in profile.mapping.model_dump(exclude_none=True).items() if field in fixed
    }
    mapping |= {
        field: references(table, columns)
        for field, columns in settled.columns.items()
        if field not in fixed and columns
    }
    changed = [field for field in mapping if getattr(profile.mapping, field) != mapping[field] and field not in fixed]
    numbers = profile.numbers
    price = settled.columns.get("price")
    if price and numbers.decimal is not None and options.decimal is None:
        found = compared.format(price[0])
        if isinstance(found, NumberFormat) and found.decimal not in {None, numbers.decimal}:
            agreement = compared.agreement(price[0], stored)
            if agreement.agrees:
                settled.warnings.append(_other_sign(found, agreement))
                numbers = numbers.model_copy(update={"decimal": found.decimal, "thousands": None})
                changed.append("numbers")
    if settled.warnings:
        log.info("list.changed", changes=settled.warnings[:20])
    update = {"mapping": ColumnMapping.model_validate(mapping), "numbers": numbers}
    return Drift(
        profile.model_copy(update=update), tuple(settled.warnings), dict(settled.reasons), tuple(sorted(changed))
    )


def _other_sign(found: NumberFormat, agreement: Agreement) -> str:
    name = "a decimal comma" if found.decimal == "," else "a decimal point"
    return f"prices are written with {name} now: {agreement.figures}"


def _added_and_removed(table: Table, shape: Shape, settled: Settled) -> list[str]:
    """One sentence each, of the columns that hold no field."""
    old, new = shape.headers, table.named()
    known, here = set(_folded(old)), set(_folded(new))
    taken = {index for columns in settled.columns.values() for index in columns}
    fields = {shape_index for indexes in shape.mapping.values() for shape_index in indexes}
    removed = [c.header for c in shape.columns if c.header and c.index not in fields and fold(c.header) not in here]
    added = [
        table.header(index)
        for index in range(table.width)
        if table.header(index) and index not in taken and fold(table.header(index)) not in known
    ]
    told = []
    if removed:
        told.append(f"no longer in this list: {listed(removed[:6])}" + _more(removed))
    if added:
        told.append(f"new in this list: {listed(added[:6])}" + _more(added))
    return told


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 6} more" if len(names) > 6 else ""
