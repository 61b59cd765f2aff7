"""The meters: what they export is well formed, bounded, and complete from the first scrape on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.metrics import Meters, Sample, fleet_text
from observability.metrics_catalogue import CAPS, FAMILIES, KNOWN, OTHER, PREFIX
from observability.metrics_rows import GrowingBuckets
from tests.support.exposition import complaints


def filled() -> Meters:
    meters = Meters(parsers=("csv", "excel"))
    for family in FAMILIES.values():
        labels = {label: "csv" if label == "parser" else "x" for label in family.labels}
        if family.of == "worker":
            match family.kind:
                case "counter":
                    meters.count(family.name, **labels)
                case "histogram":
                    meters.observe(family.name, 1.0, **labels)
                case "gauge":
                    meters.set(family.name, 1.0, **labels)
                case "info":
                    meters.tell(family.name, **labels)
    return meters


def everything() -> str:
    fleet = [
        Sample(family.name, tuple("x" for _ in family.labels), 1.0)
        for family in FAMILIES.values()
        if family.of == "fleet"
    ]
    return filled().text(fleet).decode()


def test_every_family_of_the_catalogue_is_exported_and_nothing_else() -> None:
    exported = set(re.findall(rf"^# TYPE {PREFIX}(\S+)", everything(), flags=re.MULTILINE))
    assert exported == set(FAMILIES)


def test_what_is_exported_is_well_formed() -> None:
    assert complaints(everything()) == []


@pytest.mark.parametrize(
    "text",
    [
        "# TYPE a_total counter\na_total 1\n",
        "# HELP a x\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n",
        "# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\na 2\n",
    ],
)
def test_the_lint_complains(text: str) -> None:
    assert complaints(text)


def test_the_sum_of_a_familys_labels_is_known_or_capped() -> None:
    for family in FAMILIES.values():
        assert len(family.labels) == len(family.known), family.name
        assert all(known in KNOWN for known in family.known if known), family.name
        assert not {"supplier", "task", "task_id", "file"} & set(family.labels), family.name


def test_every_counter_of_a_known_parser_begins_at_zero() -> None:
    text = Meters(parsers=("csv",)).text().decode()
    for outcome in KNOWN["bucket"]:
        assert f'pricemill_rows_total{{outcome="{outcome}",parser="csv"}} 0.0' in text
    assert 'pricemill_rows_read_total{parser="csv"} 0.0' in text
    assert 'pricemill_checkpoints_total{result="corrupt"} 0.0' in text


def test_five_hundred_queues_and_a_stranger_parser_make_few_series() -> None:
    meters = Meters(parsers=("csv",))
    for number in range(500):
        meters.begin(queue=f"queue-{number}", parser="csv")
        meters.count("tasks_settled_total", queue=f"queue-{number}", parser=f"p{number}", outcome="completed")
    text = meters.text().decode()
    queues = set(re.findall(r'pricemill_tasks_settled_total\{.*?queue="([^"]+)"', text))
    assert OTHER in queues
    assert len(queues) <= CAPS["queue"] + 1
    assert set(re.findall(r'pricemill_tasks_settled_total\{.*?parser="([^"]+)"', text)) == {"csv", OTHER}


def test_a_value_that_is_not_of_its_closed_set_is_other() -> None:
    meters = Meters()
    meters.count("checkpoints_total", result="eaten\nby_mice 1")
    assert 'pricemill_checkpoints_total{result="other"} 1.0' in meters.text().decode()


def test_what_is_not_above_zero_is_not_counted() -> None:
    meters = Meters(parsers=("csv",))
    meters.count("rows_read_total", -5, parser="csv")
    meters.count("rows_read_total", 0, parser="csv")
    assert 'pricemill_rows_read_total{parser="csv"} 0.0' in meters.text().decode()


def test_without_an_answer_of_the_database_the_fleet_is_absent_not_zero() -> None:
    assert "pricemill_queue_tasks" not in Meters().text(None).decode()


def test_queues_beyond_the_cap_are_added_up_and_the_oldest_of_them_counts() -> None:
    number = CAPS["queue"] + 3
    samples = [Sample("queue_tasks", (f"q{at}", "queued"), 2.0) for at in range(number)]
    samples += [Sample("queue_oldest_age_seconds", (f"q{at}",), float(at)) for at in range(number)]
    text = fleet_text(samples).decode()
    assert 'pricemill_queue_tasks{queue="other",state="queued"} 6.0' in text
    assert f'pricemill_queue_oldest_age_seconds{{queue="other"}} {number - 1}.0' in text


CHUNKS = st.lists(
    st.dictionaries(st.sampled_from(KNOWN["bucket"]), st.integers(-20, 50), min_size=1).filter(
        lambda account: sum(account.values()) >= 0
    ),
    max_size=30,
)


@given(CHUNKS)
def test_buckets_only_grow_and_sum_to_the_rows_that_came(chunks: list[dict[str, int]]) -> None:
    buckets = GrowingBuckets()
    told: dict[str, int] = {}
    true: dict[str, int] = {}
    moved = 0
    for account in chunks:
        for bucket, rows in account.items():
            true[bucket] = true.get(bucket, 0) + rows
            moved += max(-rows, 0)
        for bucket, rows in buckets.grow(account).items():
            assert rows >= 0
            told[bucket] = told.get(bucket, 0) + rows
        assert sum(told.values()) == sum(true.values())
        assert all(abs(told.get(bucket, 0) - rows) <= moved for bucket, rows in true.items())


def test_a_row_that_moved_is_told_where_it_belongs_once_its_first_bucket_has_grown() -> None:
    buckets = GrowingBuckets()
    assert buckets.grow({"changed": 10}) == {"changed": 10}
    assert sum(buckets.grow({"changed": -1, "ignored": 1}).values()) == 0
    assert buckets.grow({"changed": 5}) == {"changed": 4, "ignored": 1}
