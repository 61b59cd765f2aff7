"""A key of several columns, one of which is blank: stored where it tells items apart, rejected where it does not."""

from typing import Any

import numpy as np
import pytest

from contracts.store import Known
from pipeline.stages.chain import Stages
from tests.support.lists import ListReading, column, plan_of, understanding

NOTHING = Known(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


async def staged(*lines: str, duplicates: str = "last") -> tuple[list[str], list[tuple[int, str]], int]:
    """Codes stored, rows rejected, rows passed over as duplicates."""
    columns = (column(0, "sku"), column(1, "sku"), column(2, "name"), column(3, "price"))
    plan = plan_of(understanding(columns=columns, duplicates=duplicates))
    reading: Any = ListReading(["Style,Size,Name,Price", *lines])
    stages = Stages(plan, NOTHING)
    await stages.prepare(reading, size=2)
    skus: list[str] = []
    rejects: list[tuple[int, str]] = []
    duplicate = 0
    async for chunk in reading.chunks(size=2):
        batch = stages.process(chunk)
        skus += [item.sku for item in batch.items]
        rejects += [(reject.row_number, reject.code) for reject in batch.rejects]
        duplicate += batch.account.ignored["duplicate"]
    return skus, rejects, duplicate


@pytest.mark.parametrize("duplicates", ["last", "first"])
async def test_rows_that_a_blank_part_makes_one_are_rejected_where_their_prices_differ(duplicates: str) -> None:
    skus, rejects, duplicate = await staged(
        "Kaya,S,Shirt,5.00", ",M,Shirt,6.00", "Nilo,S,Coat,9.00", ",M,Coat,10.00", duplicates=duplicates
    )
    assert skus == ["Kaya|S", "Nilo|S"]
    assert rejects == [(3, "sku_missing"), (5, "sku_missing")]
    assert duplicate == 0


async def test_a_part_that_is_blank_in_one_item_belongs_to_its_key() -> None:
    skus, rejects, _ = await staged("Kaya,S,Shirt,5.00", "Kaya,,Shirt,6.00", "Nilo,,Coat,9.00", ",M,Belt,3.00")
    assert skus == ["Kaya|S", "Kaya|", "Nilo|", "|M"]
    assert rejects == []


async def test_the_policy_of_the_profile_still_decides_about_whole_keys() -> None:
    skus, rejects, duplicate = await staged(
        ",M,Belt,3.00", "Kaya,S,Shirt,5.00", "Kaya,S,Shirt,6.00", ",M,Belt,3.00", duplicates="first"
    )
    assert skus == ["|M", "Kaya|S"]
    assert (rejects, duplicate) == ([], 2)
