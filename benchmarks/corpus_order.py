"""What is handed in of a corpus: every file, each list once in each mode, and both versions of each pair in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from benchmarks.corpus_facts import Corpus, Duplicates, Facts, Mode, profile
from config.profiles import amend

ANSWERS = 6
"""Ready answers of a question that are tried."""


@dataclass(frozen=True, slots=True)
class Order:
    """One file for one supplier."""

    supplier: str
    path: Path
    profile: Mapping[str, Any] | None = None
    duplicates: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    """Members of the source_config besides the path."""

    def task_id(self, turn: int) -> str:
        return f"{self.supplier} #{turn}"


class Run(NamedTuple):
    """What was asked for."""

    corpus: Corpus
    modes: Sequence[Mode]
    duplicates: Duplicates
    others: dict[str, Order]


def supplier_of(mode: Mode, what: str, number: int) -> str:
    return f"{mode} {what} {number}"


def order_of(facts: Facts, supplier: str, mode: Mode, duplicates: Duplicates) -> Order:
    document = profile(facts, duplicates=duplicates, sheet=sheet_of(facts)) if mode == "profile" else None
    return Order(supplier, facts.path, document, duplicates)


def sheet_of(facts: Facts) -> str | None:
    """Name of the sheet that the facts mean, given by name or place; None leaves the choice to the product."""
    sheet = facts.format.get("sheet")
    if not isinstance(sheet, int):
        return sheet if isinstance(sheet, str) else None
    try:
        names = CalamineWorkbook.from_path(str(facts.path)).sheet_names
    except (CalamineError, OSError):
        return None
    return names[sheet] if 0 <= sheet < len(names) else None


def answered(run: Run, number: int, facts: Facts, question: Mapping[str, Any]) -> list[Order]:
    """A list that is held, with each of its first ready answers taken, for a supplier of its own each."""
    return [
        Order(
            f"{supplier_of('automatic', 'list', number)} answer {answer}",
            facts.path,
            amend(None, option["patch"]).document(),
            run.duplicates,
        )
        for answer, option in enumerate(question["options"][:ANSWERS], start=1)
    ]


def plan(run: Run) -> tuple[list[Order], list[Order]]:
    """Two rounds: every file and the older of each pair, then the newer ones."""
    corpus, modes, duplicates, others = run
    first: list[Order] = list(others.values())
    second: list[Order] = []
    for mode in modes:
        for number, facts in enumerate(corpus.lists.values()):
            first.append(order_of(facts, supplier_of(mode, "list", number), mode, duplicates))
        for number, pair in enumerate(corpus.pairs):
            supplier = supplier_of(mode, "pair", number)
            for orders, file in ((first, pair.files[0]), (second, pair.files[1])):
                orders.append(order_of(corpus.lists[file], supplier, mode, duplicates))
    return first, second


def other_orders(corpus: Corpus) -> dict[str, Order]:
    """One order a file, by the file's name."""
    names = [*corpus.invoices, *corpus.pages, *corpus.torture]
    return {name: Order(f"file {number}", corpus.root / name) for number, name in enumerate(names)}
