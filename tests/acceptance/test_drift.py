"""Lists that change their layout between two versions: no price from a wrong column, hardly a question, one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from cli.answers import answer
from config.settings import Settings
from contracts.task import ParseTask
from parsers import get
from parsers.resources import Resources
from tests.integration.test_expected_lists import EXPECTED, FOLDER, NOT_REACHED, OLDER, config, mapping_of
from tests.support.changing_lists import DANGERS, WAYS, Book, Change, Col, books, repriced
from workers.app import App, open_app
from workers.fleet import run_worker

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
PRICES = """
SELECT s.name, i.supplier_sku, i.current_price, i.price_basis, i.currency
  FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id
"""

Stored = dict[str, tuple[Decimal, Decimal, str]]


@dataclass(frozen=True)
class Pair:
    """Two versions of one supplier's list. Without `new_truth` nothing may differ after the second."""

    supplier: str
    old: Book
    new: Book
    exact: bool = True


def task(pair: Pair, folder: Path, *, turn: int) -> ParseTask:
    book = pair.old if turn == 1 else pair.new
    path = book.write(folder, f"{abs(hash(pair.supplier))}-{turn}")
    return ParseTask(
        task_id=f"{pair.supplier} #{turn}",
        parser_type="csv" if book.kind == "csv" else "excel",
        supplier_name=pair.supplier,
        source_config={"file_path": str(path)},
        as_of=FIRST + timedelta(days=turn),
    )


@dataclass(frozen=True)
class Bench:
    """One installation in this process."""

    settings: Settings
    url: str
    folder: Path

    async def load(self, pairs: Sequence[Pair], *, turn: int) -> dict[str, str]:
        """State by supplier."""
        async with open_app(self.settings) as app:
            if turn == 1:
                for pair in pairs:
                    if pair.old.told:
                        await app.profiles.add(pair.supplier, {"mapping": pair.old.told}, created_by="a person")
            await app.producer.enqueue_many([task(pair, self.folder, turn=turn) for pair in pairs])
            await run_worker(app, burst=True, signals=False)
        return await self.states(turn)

    async def accept(self) -> list[str]:
        """Answers every open question with its first option; the suppliers concerned."""
        async with open_app(self.settings) as app:
            held = await app.reports.open_questions(limit=1000)
            for one in held:
                assert one.question.options, one
                done = await answer(app, one, 1)
                assert done.started
            await _work(app)
        return [one.supplier for one in held]

    async def states(self, turn: int) -> dict[str, str]:
        rows = await self._rows("SELECT task_id, status::text FROM tasks")
        suffix = f" #{turn}"
        return {row[0].removesuffix(suffix): row[1] for row in rows if row[0].endswith(suffix)}

    async def why(self) -> dict[str, Any]:
        rows = await self._rows("SELECT supplier_name, error::text FROM dead_letters WHERE status = 'open'")
        return {row[0]: orjson.loads(row[1]) for row in rows}

    async def stored(self) -> dict[str, Stored]:
        """By supplier."""
        found: dict[str, Stored] = {}
        for supplier, sku, price, basis, currency in await self._rows(PRICES):
            found.setdefault(supplier, {})[sku] = (price.normalize(), basis.normalize(), currency)
        return found

    async def _rows(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.url)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()


async def _work(app: App) -> None:
    await run_worker(app, burst=True, signals=False)


@pytest.fixture
def bench(database_url: str, redis_url: str, queue_name: str, tmp_path: Path) -> Bench:
    folder = tmp_path / "lists"
    folder.mkdir()
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        queue_name=queue_name,
        data_dir=tmp_path / "data",
        source_roots=(folder,),
        concurrency=3,
        log_level="ERROR",
    )
    return Bench(settings, database_url, folder)


def pairs_of(lists: Sequence[Book], ways: Mapping[str, Change]) -> list[Pair]:
    return [
        Pair(f"{book.name}: {way}", book, change(repriced(book, seed=place)))
        for place, book in enumerate(lists)
        for way, change in ways.items()
    ]


def complaints(pairs: Sequence[Pair], stored: Mapping[str, Stored]) -> dict[str, list[str]]:
    """By supplier, what is stored otherwise than the two versions say, newest last."""
    return {pair.supplier: wrong for pair in pairs if (wrong := _wrong(pair, stored.get(pair.supplier, {})))}


def _wrong(pair: Pair, stored: Stored) -> list[str]:
    truth = {sku: price.normalize() for sku, price in (pair.old.truth | pair.new.truth).items()}
    basis = Decimal(pair.old.basis).normalize()
    wrong = [sku for sku, price in truth.items() if sku not in stored or stored[sku][:2] != (price, basis)]
    wrong += [sku for sku, (_, _, currency) in stored.items() if pair.old.has("currency") and currency != "EUR"]
    return [*wrong, *(stored.keys() - truth.keys())]


async def test_lists_changed_in_twelve_ways_are_loaded_right_and_mostly_alone(bench: Bench) -> None:
    pairs = pairs_of(books(), WAYS)
    assert len(WAYS) == 12
    assert len({pair.old.name for pair in pairs}) >= 30
    assert set((await bench.load(pairs, turn=1)).values()) == {"completed"}
    states = await bench.load(pairs, turn=2)

    alone = [pair for pair in pairs if states[pair.supplier] == "completed"]
    assert complaints(alone, await bench.stored()) == {}
    assert len(alone) >= 0.9 * len(pairs), Counter(
        pair.supplier.split(": ")[1] for pair in pairs if states[pair.supplier] != "completed"
    )

    held = await bench.accept()
    assert sorted(held) == sorted(pair.supplier for pair in pairs if states[pair.supplier] != "completed")
    assert set((await bench.states(2)).values()) == {"completed"}, await bench.why()
    assert complaints(pairs, await bench.stored()) == {}


async def test_what_could_be_another_price_is_held_until_a_person_says(bench: Bench) -> None:
    pairs = pairs_of([book for book in books() if book.language in {"en", "de", "ja"}], DANGERS)
    assert set((await bench.load(pairs, turn=1)).values()) == {"completed"}
    states = await bench.load(pairs, turn=2)
    alone = [pair for pair in pairs if states[pair.supplier] == "completed"]
    assert complaints(alone, await bench.stored()) == {}
    assert {pair.supplier.split(": ")[1] for pair in alone} == {"the header of the price twice"}
    await bench.accept()
    assert set((await bench.states(2)).values()) == {"completed"}, await bench.why()
    assert complaints(pairs, await bench.stored()) == {}


REAL = [
    name
    for name, facts in EXPECTED.items()
    if facts["format"]["kind"] == "csv"
    and facts["format"]["header_record"]
    and facts["columns"]["key"]
    and facts["columns"]["price"]
    and name not in NOT_REACHED
    and not any(version in name for version in OLDER)
]
"""Text lists of the sample data that have a header."""
ROWS = 60


async def real_book(name: str, tmp_path: Path) -> Book:
    """The first rows of a real list as they stand there."""
    facts = EXPECTED[name]
    parser_type, source_config = config(name, facts, {})
    parser = get(parser_type, Resources(source_roots=(FOLDER,)))
    order = ParseTask(parser_type=parser_type, supplier_name="S", source_config=source_config)
    reading = await parser.open(await parser.fetch(order, tmp_path), parser.config.model_validate(source_config))
    first = facts["format"]["header_record"]
    try:
        chunk = await anext(aiter(reading.chunks(size=first + ROWS)))
        rows = dict(zip(chunk.row_numbers(), chunk.rows(), strict=True))
    finally:
        await reading.close()
    headers = [" ".join(str(cell or "").split()) for cell in rows.pop(first)]
    body = [row for number, row in rows.items() if number > first and len(row) == len(headers)]
    told = mapping_of(facts)
    key, names = (told[field] if isinstance(told[field], list) else [told[field]] for field in ("sku", "name"))
    roles = {told["price"]: "price"} | ({key[0]: "sku"} if len(key) == 1 else {})
    columns = [
        Col(roles.get(index, f"column {index}"), header, tuple(str(row[index] or "") for row in body))
        for index, header in enumerate(headers)
    ]
    kept = ("sku", *(f"column {index}" for index in (*key, *names)))
    return Book(name, "-", tuple(columns), sku=kept, told=told)


OF_A_LANGUAGE = {"the other decimal sign", "price under a word nobody knows", "headers in another language"}
"""Ways that need words or numbers that are known to the generator."""


@pytest.mark.skipif(not EXPECTED, reason="the sample data is not here")
async def test_real_lists_in_another_layout_change_no_price(bench: Bench, tmp_path: Path) -> None:
    lists = [await real_book(name, tmp_path / str(place)) for place, name in enumerate(REAL)]
    assert len(lists) >= 10
    pairs = [
        Pair(f"{book.name}: {way}", book, change(book))
        for book in lists
        for way, change in WAYS.items()
        if way not in OF_A_LANGUAGE
    ]
    assert set((await bench.load(pairs, turn=1)).values()) == {"completed"}, await bench.why()
    first = await bench.stored()
    assert first.keys() == {pair.supplier for pair in pairs}
    states = await bench.load(pairs, turn=2)
    alone = [pair.supplier for pair in pairs if states[pair.supplier] == "completed"]
    second = await bench.stored()
    assert [name for name in alone if second[name] != first[name]] == []
    why = {name: error["message"] for name, error in (await bench.why()).items()}
    assert len(alone) >= 0.9 * len(pairs), why
