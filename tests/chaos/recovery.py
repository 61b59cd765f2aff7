"""How long after a fault the tasks that it met make new progress."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import asyncpg

LOOK_SECONDS = 0.15
ALMOST_ALL = (0.9, 15.0)
"""So large a share of the faults is over within so many seconds."""
ALL_WITHIN = 60.0

AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asking a server raises that a fault took away."""

HEADS = """
SELECT DISTINCT ON (supplier_name) t.id, t.worker, t.status::text,
       coalesce((SELECT max(sequence) FROM checkpoints c WHERE c.task_key = t.id), 0) AS sequence
  FROM tasks t WHERE status IN ('queued', 'running', 'retryable') ORDER BY supplier_name, id
"""
MARKS = """
SELECT t.id, t.finished_at IS NOT NULL AS ended,
       coalesce((SELECT max(sequence) FROM checkpoints c WHERE c.task_key = t.id), 0) AS sequence
  FROM tasks t WHERE id = ANY ($1::bigint[])
"""


@dataclass(slots=True)
class Strike:
    """One fault and the tasks that it met."""

    fault: str
    began: float
    waiting: dict[int, int] = field(default_factory=dict)
    """Sequence of the newest checkpoint, by task."""
    crossed: set[int] = field(default_factory=set)
    """Tasks that another fault met, too, before they had recovered."""

    def healed(self) -> None:
        """What the fault took away is back: from now on it counts how long the tasks take."""
        self.began = monotonic()


@dataclass(frozen=True, slots=True)
class Recovered:
    fault: str
    seconds: float
    alone: bool
    """No other fault met the task meanwhile."""


class Recovery:
    """Watches the ledger; a server that is away is asked again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._heads: Sequence[Any] = ()
        self._strikes: list[Strike] = []
        self.recovered: list[Recovered] = []
        """One for each fault and task that it met."""

    def strike(self, fault: str, *, pid: int | None = None) -> Strike:
        """A fault begins. It meets what a worker holds, or every supplier's oldest unfinished task."""
        met = {
            head["id"]: head["sequence"]
            for head in self._heads
            if pid is None or (head["worker"] is not None and head["worker"].split(":")[1:2] == [str(pid)])
        }
        strike = Strike(fault, monotonic(), met)
        for other in self._strikes:
            both = other.waiting.keys() & met.keys()
            other.crossed |= both
            strike.crossed |= both
        self._strikes.append(strike)
        return strike

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=2.0)
                try:
                    while True:
                        await self._look(connection)
                        await asyncio.sleep(LOOK_SECONDS)
                finally:
                    connection.terminate()
            except AWAY:
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, connection: asyncpg.Connection) -> None:
        self._heads = await connection.fetch(HEADS)
        met = {key for strike in self._strikes for key in strike.waiting}
        if not met:
            return
        marks = {row["id"]: row for row in await connection.fetch(MARKS, list(met))}
        now = monotonic()
        for strike in self._strikes:
            for key, sequence in list(strike.waiting.items()):
                mark = marks.get(key)
                if mark is None:
                    continue  # of a fault that has begun since the question was asked
                if mark["ended"] or mark["sequence"] != sequence:
                    del strike.waiting[key]
                    self.recovered.append(
                        Recovered(strike.fault, max(now - strike.began, 0.0), key not in strike.crossed)
                    )
        self._strikes = [strike for strike in self._strikes if strike.waiting]


def quantile(seconds: Sequence[float], share: float) -> float:
    """The least of `seconds` that is not exceeded by that share of them."""
    return sorted(seconds)[max(math.ceil(share * len(seconds)) - 1, 0)]


def table(recovered: Sequence[Recovered]) -> str:
    """By fault and in all; the tasks that two faults met at a time stand in a line of their own."""
    groups: dict[str, list[float]] = {}
    for one in sorted(recovered, key=lambda one: one.fault):
        if one.alone:
            groups.setdefault(one.fault, []).append(one.seconds)
    groups["all of these"] = [one.seconds for one in recovered if one.alone]
    groups["met by several faults at a time"] = [one.seconds for one in recovered if not one.alone]
    lines = [f"{'fault → next committed chunk':34} {'n':>5} {'p50':>7} {'p90':>7} {'max':>7}"]
    for name, seconds in groups.items():
        figures = "".join(f" {quantile(seconds, share):6.1f}s" for share in (0.5, 0.9, 1.0)) if seconds else ""
        lines.append(f"{name:34} {len(seconds):5}{figures}")
    return "\n".join(lines)


def missed(recovered: Sequence[Recovered]) -> list[str]:
    """Which of the targets were not reached: the first is of faults that came alone, the other of all."""
    alone, seconds = [one.seconds for one in recovered if one.alone], [one.seconds for one in recovered]
    share, limit = ALMOST_ALL
    bad = []
    if alone and quantile(alone, share) > limit:
        bad.append(f"{share:.0%} of the faults took {quantile(alone, share):.1f} s, wanted are {limit:g}")
    if seconds and max(seconds) > ALL_WITHIN:
        bad.append(f"a fault took {max(seconds):.1f} s, wanted are {ALL_WITHIN:g}")
    return bad
