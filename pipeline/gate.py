"""Stops a list before its first row is written, if as a whole it cannot be what the supplier meant."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from config.plan import Plan
from config.profiles import SupplierProfile
from contracts.band import Amount
from contracts.errors import ListDoubtful
from contracts.parser import Reading
from contracts.questions import Option, Question
from contracts.rows import Chunk, Item
from contracts.store import Known, Loader
from pipeline.drift.compared import Lookup
from pipeline.moves import FEW, MOST, Move, Shape, whole_list
from pipeline.stages.fingerprint import KnownRecords, fingerprints
from pipeline.stages.validation import Validation

SAMPLE = 2_000
"""Rows from the beginning of the list that are held against what is stored."""
KEPT = 20
"""Accepted moves a profile remembers."""


async def stop_if_doubtful(
    reading: Reading, plan: Plan, *, loader: Loader, known: Known, profile: SupplierProfile | None, sha256: str
) -> None:
    """To be asked before the first chunk of a list, not when it is gone on with: its own rows are stored then. Raises
    ListDoubtful with a question."""
    if not loader.stale and loader.stocked:
        await stop_if_all_moved(reading, plan, lookup=loader.prices, known=known, profile=profile, sha256=sha256)


async def stop_if_all_moved(
    reading: Reading, plan: Plan, *, lookup: Lookup, known: Known, profile: SupplierProfile | None, sha256: str
) -> None:
    """Raises ListDoubtful, unless a person has accepted the move of exactly this list."""
    accepted = {} if profile is None else profile.rules.accepted_moves
    if sha256 in accepted:
        return
    async with aclosing(reading.chunks(size=SAMPLE)) as chunks:
        chunk = await anext(chunks, None)
    if chunk is None or _mostly_known(chunk, plan, known):
        return
    items = await asyncio.to_thread(_items, chunk, plan)
    if len(items) < FEW:
        return
    current = await lookup([item.sku for item in items])
    moves = [Move(item.sku, Amount(*current[item.sku][1:]), _amount(item)) for item in items if item.sku in current]
    shape = whole_list(moves)
    if shape is not None:
        raise ListDoubtful(question=_question(shape, moves, accepted, sha256))


def _mostly_known(chunk: Chunk, plan: Plan, known: Known) -> bool:
    """So many records are stored byte by byte that the others cannot be most of the list."""
    if chunk.records is None or plan.understanding.sections:
        return False
    found, _ = KnownRecords(known).match(fingerprints(chunk.records, plan.seed))
    return bool(found.sum() > (1 - MOST) * len(chunk))


def _items(chunk: Chunk, plan: Plan) -> list[Item]:
    found = Validation(plan.understanding).read(chunk.row_numbers(), chunk.rows(), [None] * len(chunk)).items
    return list({item.sku: item for item in found}.values())


def _amount(item: Item) -> Amount:
    return Amount(Decimal(item.price), item.currency, Decimal(item.price_basis))


def _question(shape: Shape, moves: list[Move], accepted: dict[str, str], sha256: str) -> Question:
    example = next(move for move in moves if move.old != move.new)
    told = f"{example.sku}: {_told(example.old)} becomes {_told(example.new)}"
    move = f"{shape.factor:f}" + (f" {shape.currency}" if shape.currency else "")
    once: dict[str, Any] = {"rules": {"accepted_moves": dict.fromkeys(list(accepted)[KEPT - 1 :]) | {sha256: move}}}
    options = [Option("accept this list, this once", f"{shape.items:,} such prices are applied, {told}", once)]
    if shape.code == "power_of_ten" and shape.factor > 1 and all(one.new.basis == 1 for one in moves):
        basis = f"{shape.factor:f}"
        options.append(
            Option(
                f"the prices are per {basis} now",
                f"prices of one unit stay; {told} per {basis}",
                {"price_basis": basis},
            )
        )
    options.append(Option("do not load this list", "nothing is changed; the task stays dead", {}))
    return Question("whole_list", f"{shape.sentence}, {told}", tuple(options))


def _told(amount: Amount) -> str:
    return f"{amount.price.normalize():f} {amount.currency}"
