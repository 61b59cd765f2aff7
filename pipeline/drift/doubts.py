"""What a changed list leaves open, and the question that settles all of it with one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.questions import Option, Question
from pipeline.understanding.table import Table
from pipeline.understanding.text import letter, letter_index, short

ACCEPTED = 20
"""Lists of a supplier that a person let through, the newest ones."""
OTHERS = 6
"""Options beside the first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to settle a doubt."""

    columns: tuple[int, ...]
    label: str
    consequence: str
    patch: Mapping[str, Any] = field(default_factory=dict)
    """What the profile must say besides the columns."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A field whose column is not certain; proposals with the most likely first."""

    field: str
    sentence: str
    proposals: tuple[Proposal, ...]


def shown(table: Table, index: int) -> str:
    """“Header”, or the column's letter."""
    header = table.header(index)
    return f"“{short(header)}”" if header else f"column {letter(index)}"


def reference(table: Table, index: int) -> str | int:
    """What names this column for good: its header where that is the only one of its kind, else its index."""
    header = table.header(index)
    if not header or len(header) > 500 or table.find(header) != [index]:
        return index
    return index if header.isdigit() and letter_index(header) is None else header


def references(table: Table, columns: Sequence[int]) -> Any:
    """As a column mapping holds them."""
    named = [reference(table, index) for index in columns]
    return named if len(named) > 1 else named[0]


def layout_question(
    table: Table, settled: Mapping[str, tuple[int, ...]], doubts: Sequence[Doubt], *, accepted: Sequence[str]
) -> Question:
    """The first option takes the first proposal of every doubt; each other one varies one of them. `accepted`: the
    lists that are let through, this one included."""
    first = {doubt.field: doubt.proposals[0] for doubt in doubts if doubt.proposals}
    choices = [first] if first else []
    for doubt in doubts:
        choices += [first | {doubt.field: other} for other in doubt.proposals[1:]]
    rules = {"accepted_lists": list(accepted)[-ACCEPTED:]}
    options = []
    for chosen in choices[: OTHERS + 1]:
        columns = dict(settled) | {name: proposal.columns for name, proposal in chosen.items()}
        mapping = {name: references(table, indexes) for name, indexes in columns.items() if indexes}
        besides = {name: value for proposal in chosen.values() for name, value in proposal.patch.items()}
        options.append(
            Option(
                "; ".join(proposal.label for proposal in chosen.values()),
                "; ".join(proposal.consequence for proposal in chosen.values()),
                {"mapping": mapping, "rules": rules, **besides},
            )
        )
    return Question("layout", " ".join(_sentence(doubt.sentence) for doubt in doubts), tuple(options))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith("?") else ".")
