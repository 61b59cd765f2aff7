"""Real price lists through the whole product: the tables hold exactly the sums and counts computed by other code."""

from __future__ import annotations

import json
from decimal import Decimal

import asyncpg
import pytest

from contracts.task import ParseTask, TaskOptions
from tests.acceptance.conftest import MakeFleet
from tests.acceptance.tables import broken_invariants
from tests.integration.test_expected_lists import (
    EXPECTED,
    FACTS,
    FOLDER,
    LISTS,
    config,
    mapping_of,
    stated_currency,
)

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not EXPECTED, reason="the sample data is not here"),
    pytest.mark.timeout(600),
]

ROW = """
SELECT i.name, i.current_price, i.currency, i.source_row FROM supplier_items i
  JOIN suppliers s ON s.id = i.supplier_id WHERE s.name = $1 AND i.supplier_sku = $2
"""
HISTORY = """
SELECT h.price FROM price_history h JOIN supplier_items i ON i.id = h.supplier_item_id
  JOIN suppliers s ON s.id = i.supplier_id WHERE s.name = $1 AND i.supplier_sku = $2 ORDER BY h.as_of, h.id
"""
SUMS = """
SELECT s.name, count(*) AS items, sum(i.current_price) AS total,
       (SELECT count(*) FROM price_history h JOIN supplier_items j ON j.id = h.supplier_item_id
         WHERE j.supplier_id = s.id) AS history
  FROM supplier_items i JOIN suppliers s ON s.id = i.supplier_id GROUP BY s.id
"""


def order(name: str, *, supplier: str, task_id: str) -> ParseTask:
    facts = EXPECTED[name]
    parser_type, source_config = config(name, facts, mapping_of(facts))
    return ParseTask(
        task_id=task_id,
        parser_type=parser_type,
        supplier_name=supplier,
        source_config=source_config,
        options=TaskOptions(currency=stated_currency(facts)),
    )


async def test_thirty_real_lists_are_stored_with_exactly_the_expected_sums(make_fleet: MakeFleet) -> None:
    names = LISTS
    assert len(names) > 30
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(FOLDER), PRICEMILL_CHUNK_SIZE="2000")
    await fleet.enqueue([order(name, supplier=name, task_id=name) for name in names])
    fleet.start_worker()
    states = await fleet.until_ended(within=400)
    assert states == dict.fromkeys(names, "completed")
    assert await broken_invariants(fleet.database_url) == {}
    connection = await asyncpg.connect(fleet.database_url)
    try:
        stored = {row["name"]: row for row in await connection.fetch(SUMS)}
        for name in names:
            facts = EXPECTED[name]
            of_list = stored[name]
            assert of_list["items"] == of_list["history"] == facts["unique_keys_valid"], name
            assert of_list["total"] == Decimal(facts["sum_price_last_of_each_key"]), name
            for check in facts["spot_checks"]:
                item = await connection.fetchrow(ROW, name, check["key"])
                if item["source_row"] == check["record"]:  # else a later row of the same key won
                    assert item["current_price"] == Decimal(check["price"]), (name, check)
    finally:
        await connection.close()


PAIRS = json.loads(FACTS.read_text(encoding="utf-8"))["version_pairs"] if EXPECTED else {}


async def test_versions_of_a_list_change_exactly_the_prices_that_changed(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(FOLDER), PRICEMILL_CHUNK_SIZE="2000")
    await fleet.enqueue(
        order(file, supplier=pair, task_id=f"{pair} #{place}")
        for pair, facts in PAIRS.items()
        for place, file in enumerate(facts["files"])
    )
    fleet.start_worker()
    states = await fleet.until_ended(within=400, count=2 * len(PAIRS))
    assert set(states.values()) == {"completed"}
    assert await broken_invariants(fleet.database_url) == {}
    connection = await asyncpg.connect(fleet.database_url)
    try:
        for pair, facts in PAIRS.items():
            result = json.loads(await connection.fetchval("SELECT result FROM tasks WHERE task_id = $1", f"{pair} #1"))
            assert result["statistics"]["new"] == facts["keys_added"], pair
            assert result["statistics"]["changed"] == facts["prices_changed"], pair
            assert result["statistics"]["unchanged"] == facts["keys_in_both"] - facts["prices_changed"], pair
            for example in facts["examples"]:
                prices = await connection.fetch(HISTORY, pair, example["key"])
                assert [row["price"] for row in prices] == [Decimal(example["old"]), Decimal(example["new"])], pair
    finally:
        await connection.close()
