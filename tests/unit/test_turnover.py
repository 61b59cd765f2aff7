"""Which items a list no longer has: those in none of its rows, whatever became of these."""

from decimal import Decimal
from typing import Any

import numpy as np

from contracts.store import Known
from pipeline.stages.chain import Stages
from pipeline.stages.fingerprint import Hashes, key_hashes
from pipeline.turnover import Turnover, compare_with_last
from tests.support.lists import HEADER, ListReading, plan_of, understanding

NOTHING = Known(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


class Kept:
    """What a loader remembers of the last list."""

    stale = False

    def __init__(self) -> None:
        self.keys: Hashes | None = None

    async def last_keys(self) -> Hashes | None:
        return self.keys

    async def keep_keys(self, keys: Hashes) -> None:
        self.keys = keys


def hashes(*skus: str) -> list[int]:
    return sorted(key_hashes(skus).tolist())


async def turnover(kept: Any, *lines: str, new: int = 0) -> Turnover:
    stages = Stages(plan_of(understanding()), NOTHING)
    reading: Any = ListReading([HEADER, *lines])
    await stages.prepare(reading, size=3)
    async for chunk in reading.chunks(size=3):
        stages.process(chunk)
    return await compare_with_last(kept, stages.seen(), named=stages.named(), new=new, cut=Decimal("0.5"))


async def test_an_item_whose_row_is_rejected_is_not_missing_and_does_not_return() -> None:
    kept = Kept()
    await turnover(kept, "A,Pipe,5.00,", "B,Lamp,6.00,", "C,Valve,7.00,", new=3)
    second = await turnover(kept, "A,Pipe,5.00,", "B,Lamp,call us,", "X,Elbow,=cmd,")
    assert (second.missing, second.returned) == (1, 0)
    assert second.warnings == (
        "1 items of the last list are not in this one; they keep their prices",
        "the rows of 1 items of the last list were rejected; they keep their prices",
    )
    assert kept.keys is not None
    assert kept.keys.tolist() == hashes("A", "B")
    third = await turnover(kept, "A,Pipe,5.00,", "B,Lamp,6.50,", "C,Valve,7.00,")
    assert (third.missing, third.returned) == (0, 1)


async def test_a_code_with_an_accepted_row_counts_once() -> None:
    kept = Kept()
    await turnover(kept, "A,Pipe,5.00,", "B,Lamp,6.00,", new=2)
    assert await turnover(kept, "A,Pipe,5.00,", "A,Pipe,call,", "B,Lamp,6.00,", ",Lamp,6.00,") == Turnover()
