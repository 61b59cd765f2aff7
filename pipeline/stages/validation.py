"""Sorts the rows of a chunk into accepted, rejected and ignored: by the gate where it can, else row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.rows import BrokenRow, Item, Row, RowError
from contracts.understanding import Understanding
from pipeline.stages.encode import ColumnEncoder, item_of
from pipeline.stages.gate import Accepted, Gate, compile_gate
from pipeline.stages.normalization import Ignored, Normalised, RowNormaliser
from pipeline.stages.rules import Rules
from pipeline.understanding.gtin import is_gtin

FEW = 8
"""Fewer rows than this are not worth a call of the gate."""


@dataclass(slots=True)
class Verdicts:
    """What became of some rows; every row stands in exactly one member."""

    positions: list[int] = field(default_factory=list)
    """Of the accepted rows within those handed in, ascending."""
    items: list[Item] = field(default_factory=list)
    """Aligned with `positions`."""
    rejects: list[RowError] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


class Validation:
    """Both ways give the same items for a row that both can read."""

    def __init__(self, understanding: Understanding) -> None:
        self._normaliser = RowNormaliser(understanding)
        self._gate = compile_gate(understanding)
        self._encoder = None if self._gate is None else ColumnEncoder(understanding)
        self._gtin = next((column.index for column in understanding.columns_of("gtin")), None)
        self._rules = Rules(understanding)
        self._first_data_row = (understanding.header_row or 0) + 1

    def read(self, numbers: Sequence[int], rows: list[Row], prints: Sequence[int | None]) -> Verdicts:
        """Rows must come in the order of the source; `prints` are their fingerprints."""
        verdicts = Verdicts()
        if self._gate is None or self._encoder is None or len(rows) < FEW:
            self._one_by_one(range(len(rows)), numbers, rows, prints, verdicts)
            return verdicts
        passed, accepted = self._passed(numbers, rows, self._gate)
        items = self._encoder.items(
            [numbers[position] for position in passed], [prints[position] for position in passed], accepted
        )
        if len(passed) == len(rows):
            verdicts.positions, verdicts.items = passed, items
            return verdicts
        through = set(passed)
        others = [position for position in range(len(rows)) if position not in through]
        self._one_by_one(others, numbers, rows, prints, verdicts)
        if not verdicts.items:
            verdicts.positions, verdicts.items = passed, items
            return verdicts
        merged = sorted(
            zip([*passed, *verdicts.positions], [*items, *verdicts.items], strict=True), key=lambda pair: pair[0]
        )
        verdicts.positions = [position for position, _ in merged]
        verdicts.items = [item for _, item in merged]
        return verdicts

    def _passed(self, numbers: Sequence[int], rows: list[Row], gate: Gate) -> tuple[list[int], list[Accepted]]:
        judged = gate.judge([(list(row) if isinstance(row, tuple) else row) if row else None for row in rows])
        first, gtin = self._first_data_row, self._gtin
        passed, accepted = [], []
        for position, answer in enumerate(judged):
            if type(answer) is not tuple or numbers[position] < first:
                continue
            if gtin is not None and answer[gtin] and not is_gtin(answer[gtin]):
                continue
            passed.append(position)
            accepted.append(answer)
        if self._rules:
            kept = [index for index, answer in enumerate(accepted) if not self._rules.concern(answer)]
            passed, accepted = [passed[index] for index in kept], [accepted[index] for index in kept]
        if any(type(row) is BrokenRow for row in rows):
            kept = [index for index, position in enumerate(passed) if type(rows[position]) is not BrokenRow]
            return [passed[index] for index in kept], [accepted[index] for index in kept]
        return passed, accepted

    def _one_by_one(
        self,
        positions: Sequence[int],
        numbers: Sequence[int],
        rows: list[Row],
        prints: Sequence[int | None],
        verdicts: Verdicts,
    ) -> None:
        read = self._normaliser.read
        for position in positions:
            outcome = read(numbers[position], rows[position])
            if isinstance(outcome, Normalised):
                verdicts.positions.append(position)
                verdicts.items.append(item_of(outcome, prints[position]))
            elif isinstance(outcome, Ignored):
                verdicts.ignored[outcome.reason] += 1
            else:
                verdicts.rejects.append(outcome)
