"""No policy that ships stops a real list, whatever the size of its chunks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from contracts.account import Account
from contracts.rows import RowError
from pipeline.stages.normalization import Normalised, RowNormaliser
from resilience.abort.policy import CONSERVATIVE, POLICIES
from resilience.abort.watch import RunWatch
from tests.integration.test_expected_lists import EXPECTED, LISTS, mapping_of, rows_of, stated_currency, understood

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the sample data is not here")

POLICY = POLICIES[CONSERVATIVE]
SIZES = (100, 500, 2_000, 15_000)


@pytest.mark.parametrize("name", LISTS)
async def test_a_real_list_is_not_stopped(name: str, tmp_path: Path) -> None:
    facts = EXPECTED[name]
    rows, description = await rows_of(name, tmp_path)
    how = understood(name, rows, description, mapping=mapping_of(facts), currency=stated_currency(facts))
    reader = RowNormaliser(how)
    judged = [reader.read(number, cells) for number, cells in rows]
    for size in SIZES:
        watch, total = RunWatch(POLICY), Account()
        for look, begin in enumerate(range(0, len(judged), size), start=1):
            part = judged[begin : begin + size]
            chunk = Account(
                read=len(part),
                new=sum(isinstance(one, Normalised) for one in part),
                rejected=Counter(one.code for one in part if isinstance(one, RowError)),
            )
            total.add(chunk)
            watch.record(chunk)
            assert watch.verdict(total, look=look) is None, (size, begin, total.rejected)
