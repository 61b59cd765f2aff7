"""Real price lists from parser to items: counts, exact sums and spot checks as computed by independent code."""

import json
import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.errors import HeaderNotFound, MappingIncomplete
from contracts.rows import RowError
from contracts.task import ParseTask, TaskOptions
from parsers import get
from parsers.resources import Resources
from pipeline.stages.normalization import Ignored, Normalised, RowNormaliser
from pipeline.understanding.understand import understand

FOLDER = Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
FACTS = FOLDER / "EXPECTED.json"
EXPECTED = json.loads(FACTS.read_text(encoding="utf-8"))["price_lists"] if FACTS.exists() else {}
NOT_REACHED: dict[str, str] = {}
"""Lists whose figures are not reached yet, and why."""
KEY_WITHOUT_PRICE = {
    "freudenhof": "footer texts and group titles in the column of names, which is the key",
    "price-cooler.by": "two items without a price, which the facts count as titles",
    "radiotechnika": "rows with a year and a number of pages and no title, which the facts count as notes",
    "rezina13": "one item without a price, which the facts count as a heading",
}
"""Lists in which rows that lack a price or a name are rejected, while the facts call them text lines."""
OLDER = (
    "registrar-pricelist/2026-08-0",
    "registrar-pricelist/2026-08-20",
    "2021-01-11",
    "2026-05-05",
    "2026-07-22",
    "2026-08-21",
)
"""Versions that differ little from the newest of the same list; left out for time."""

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the sample data is not here")


def column(text):
    """Zero-based index of a column described as '3 "Name"'."""
    return int(text.split()[0]) - 1


def columns(described):
    return [column(text) for text in described] if isinstance(described, list) else column(described)


def stated_currency(facts):
    match = re.match(r"([A-Z]{3})\b", facts["columns"]["currency"] or "")
    return match[1] if match and "column" not in facts["columns"]["currency"] else None


def config(name, facts, mapping):
    source = {"file_path": str(FOLDER / name), "column_mapping": mapping}
    shape = facts["format"]
    if shape["kind"] == "csv":
        return "csv", source | ({"has_header": False} if shape["header_record"] is None else {})
    sheet = shape["sheet"]
    return "excel", source | ({"sheet_name": sheet} if isinstance(sheet, str) else {})


async def rows_of(name, tmp_path):
    parser_type, source_config = config(name, EXPECTED[name], {})
    parser = get(parser_type, Resources(source_roots=(FOLDER,)))
    task = ParseTask(parser_type=parser_type, supplier_name="S", source_config=source_config)
    source = await parser.fetch(task, tmp_path)
    reading = await parser.open(source, parser.config.model_validate(source_config))
    try:
        rows = []
        async for chunk in reading.chunks():
            rows += zip(chunk.row_numbers(), chunk.rows(), strict=True)
    finally:
        await reading.close()
    return rows, reading.description


def understood(name, rows, description, *, mapping=None, currency=None):
    return understand(
        rows[:2_000],
        description,
        source_config=config(name, EXPECTED[name], mapping or {})[1],
        options=TaskOptions(currency=currency),
        profile=None,
        more=lambda: rows,
    )


def mapping_of(facts):
    described = facts["columns"]
    mapping = {field: columns(described[of]) for field, of in (("sku", "key"), ("name", "name"), ("price", "price"))}
    if described["category"] and described["category"][:1].isdigit():
        mapping["category"] = columns(described["category"])
    return mapping


LISTS = [
    name
    for name, facts in EXPECTED.items()
    if facts["columns"]["key"] and facts["columns"]["price"] and not any(version in name for version in OLDER)
]


def squeezed(text):
    return " ".join(text.split())


def check_unaided(name, rows, description):
    """Without any help the right columns are taken, or none: a question, never a guess. Of a key of several columns,
    those are enough that tell its rows apart."""
    facts = EXPECTED[name]
    try:
        found = understood(name, rows, description)
    except (MappingIncomplete, HeaderNotFound):
        return
    assert [column.index for column in found.columns_of("price")] == [columns(facts["columns"]["price"])]
    ours, theirs = [column.index for column in found.columns_of("sku")], columns(facts["columns"]["key"])
    assert ours == [index for index in theirs if index in ours]
    if ours != theirs:
        keys = [
            [tuple(row[index] for index in key) for _, row in rows if len(row) > max(theirs)] for key in (ours, theirs)
        ]
        assert len(set(keys[0])) == len(set(keys[1]))
    stated = stated_currency(facts)
    assert found.currency in {None, "XXX", stated}


@pytest.mark.parametrize("name", LISTS)
async def test_a_real_list_gives_the_expected_items(name, tmp_path):
    facts = EXPECTED[name]
    rows, description = await rows_of(name, tmp_path)
    check_unaided(name, rows, description)
    currency = stated_currency(facts)
    understanding = understood(name, rows, description, mapping=mapping_of(facts), currency=currency)
    reader = RowNormaliser(understanding)
    found = [reader.read(number, cells) for number, cells in rows]

    items = [answer for answer in found if isinstance(answer, Normalised)]
    assert len(items) == facts["rows_valid"]
    assert sum(Decimal(item.price) for item in items) == Decimal(facts["sum_price_valid_rows"])
    last = {item.sku: Decimal(item.price) for item in items}
    assert len(last) == facts["unique_keys_valid"]
    assert sum(last.values()) == Decimal(facts["sum_price_last_of_each_key"])

    by_row = {item.row_number: item for item in items}
    for check in facts["spot_checks"]:
        item = by_row[check["record"]]
        assert (item.sku, Decimal(item.price)) == (check["key"], Decimal(check["price"]))
        assert squeezed(item.name).startswith(squeezed(check["name"])[:60])
        assert currency is None or item.currency == currency

    rejected = {answer.row_number: answer.code for answer in found if isinstance(answer, RowError)}
    for examples in (facts.get("rejected_examples") or {}).values():
        assert not {example["record"] for example in examples} & set(by_row)
    nothing_mapped = facts["rows_rejected"].get("key_missing+name_missing+price_missing", 0)
    expected = sum(facts["rows_rejected"].values()) - nothing_mapped
    if any(part in name for part in KEY_WITHOUT_PRICE):
        besides = sum(facts["non_data_records"].values())
        assert expected <= len(rejected) <= expected + besides
        assert set(rejected.values()) <= {"price_missing", "sku_missing", "name_missing"}
    else:
        assert len(rejected) == expected
    assert len(items) + len(rejected) + sum(isinstance(answer, Ignored) for answer in found) == len(rows)


@pytest.mark.parametrize("name", [name for name, facts in EXPECTED.items() if not facts["columns"]["price"]])
async def test_a_list_without_prices_is_refused_and_says_so(name, tmp_path):
    rows, description = await rows_of(name, tmp_path)
    with pytest.raises((MappingIncomplete, HeaderNotFound), match="no header says price"):
        understood(name, rows, description)


async def test_a_list_without_a_key_is_refused(tmp_path):
    for name, facts in EXPECTED.items():
        if not facts["columns"]["key"] and facts["columns"]["price"]:
            rows, description = await rows_of(name, tmp_path)
            with pytest.raises(MappingIncomplete, match="sku"):
                understood(name, rows, description)
