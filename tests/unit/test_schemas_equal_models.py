"""Schema and model give the same answer; jsonschema, written by others in another language, is the oracle."""

import copy
import string
import warnings
from collections import Counter
from datetime import datetime

import jsonschema
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import ContractViolation
from contracts.schema import parse_task, schema, validate
from contracts.task import ParseTask, TaskResult

FORMATS = jsonschema.FormatChecker(formats=["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value):
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


def oracle(name):
    return jsonschema.Draft202012Validator(schema(name), format_checker=FORMATS)


def accepts(name, document):
    try:
        validate(name, document)
    except ContractViolation:
        return False
    return True


def model_accepts(model, document):
    try:
        model.model_validate(document)
    except pydantic.ValidationError:
        return False
    return True


# Line ends are left out: Python's $ also fits before the last one, which the two engines we run do not do.
ALPHABET = string.ascii_letters + string.digits + " ._-/:;,+TZ\t\x1f\x85\u2028\ufeffé中😀"
TEXTS = st.text(ALPHABET, max_size=12)
SPECIAL_TEXTS = [
    "",
    " ",
    "\ufeff",
    "\x1c",
    "\x85",
    "1",
    "true",
    "x" * 255,
    "x" * 256,
    "é" * 255,
    "csv",
    "excel",
    "json_lines",
    "google_sheets",
    "low",
    "High",
    "EUR",
    "eur",
    ".",
    ",",
    "last",
    "accept",
    "2.0",
    "1.0",
    "https://",
    "https://[bad",
    "https://[::1]:8443/a",
    "https://u:p@a/b",
    "https://a:99/b?c#d",
    "https://a b/c",
    "http://a",
    "https://docs.google.com/spreadsheets/d/1",
    "https://docs.google.com/spreadsheets/d/",
    "2026-11-20T03:15:00Z",
    "2026-11-20T03:15:00+01:00",
    "2026-11-20T03:15:00.123456789-11:30",
    "2026-11-20T03:15:00",
    "2026-11-20 03:15:00Z",
    "2026-02-30T03:15:00Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T23:59:60Z",
    "2026-11-20T03:15:00+24:00",
    "0001-01-01T00:00:00+23:59",
    "2026-11-20",
    "1700000000",
    "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    "success",
    "0",
    "00",
    "1.50",
    "-1",
    "1e5",
    "NaN",
    "１２",
    "1_0",
    "a.json",
    "9" * 15,
    "9" * 16,
    "1.1234567891",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2, 20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, 3.0, 16383.0, -0.0, 2.5]),
    TEXTS,
    st.sampled_from(SPECIAL_TEXTS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["file_path", "url", "sku", "count", "note", "x", "currency"]), inner, max_size=3
        ),
    ),
    max_leaves=4,
)


def members_of(name):
    """Every member that any part of the schema knows, so that changes land where they matter."""
    found = set()

    def walk(part):
        if isinstance(part, dict):
            if isinstance(part.get("properties"), dict):
                found.update(part["properties"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk({key: value for key, value in schema(name).items() if key != "examples"})
    return sorted(found)


def places(document):
    yield document
    for value in document.values() if isinstance(document, dict) else document:
        if isinstance(value, dict | list):
            yield from places(value)


@st.composite
def documents(draw, name, seeds):
    """A good document with up to four changes, each anywhere: a member set to anything, or taken away."""
    document = copy.deepcopy(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from(list(places(document))))
        if isinstance(place, dict):
            member = draw(st.sampled_from([*place, *members_of(name)]))
            if draw(st.booleans()) or member not in place:
                place[member] = draw(VALUES)
            elif member != "schema_version":
                del place[member]
        else:
            place.append(draw(VALUES))
    return document


def blocks_of(part):
    """Every set of members that a part of the schema knows."""
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            yield part["properties"]
        for key, value in part.items():
            if key not in {"examples", "if"}:
                yield from blocks_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from blocks_of(value)


def edges_of(part):
    """Values at and beside every bound the schema states."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"minimum", "maximum"}:
                yield from (value - 1, value, value + 1, float(value), str(value))
            elif key in {"minLength", "maxLength"}:
                yield from ("x" * length for length in (value - 1, value, value + 1) if 0 <= length < 5_000)
                yield from ("https://" + "x" * (value - 8 + more) for more in (0, 1) if 500 < value < 5_000)
            elif key == "enum":
                yield from value
            elif key != "examples":
                yield from edges_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from edges_of(value)


def single_changes(name, seeds):
    """Each seed with each member it could have set to each interesting value, and with each of its members gone."""
    edges = {repr(value): value for value in [*SPECIAL_TEXTS, *edges_of(schema(name)), None, True, False, 2.5, 10**15]}
    values = [*edges.values(), [], {}, [None], ["a"], ["a", 1], [[1]], {"a": 1}, {"a": -1}, {"count": "1"}]
    blocks = list(blocks_of(schema(name)))
    for seed in seeds:
        for index, place in enumerate(places(seed)):
            if not isinstance(place, dict) or not place:
                continue
            for member in {member for block in blocks if block.keys() >= place.keys() for member in block}:
                for value in values:
                    document = copy.deepcopy(seed)
                    list(places(document))[index][member] = value
                    yield document
            for member in place:
                document = copy.deepcopy(seed)
                del list(places(document))[index][member]
                yield document


MANY = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
TASKS = [
    *schema("queue-message")["examples"],
    {
        "schema_version": "2.0",
        "task_id": "all",
        "parser_type": "csv",
        "supplier_name": "A",
        "source_config": {
            "file_path": "a",
            "has_header": True,
            "encoding": "utf-8",
            "characteristic_columns": ["a", 3, "B"],
            "column_mapping": {
                "sku": ["a", 0],
                "name": 1,
                "price": "C",
                "currency": None,
                "category": ["x"],
                "gtin": 2,
                "unit": "u",
                "price_basis": 16383,
            },
        },
        "expires_at": None,
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "options": {"duplicates": "last", "zero_price": "accept", "chunk_size": 100, "list_name": "b", "decimal": "."},
    },
]


@pytest.mark.parametrize("seed", range(len(TASKS)))
def test_a_change_of_one_member_is_judged_alike_by_schema_and_model_of_a_task(seed):
    verdicts = Counter()
    for document in single_changes("queue-message", [TASKS[seed]]):
        if document.get("schema_version") == "2.0":
            by_schema = accepts("queue-message", document)
            assert by_schema == model_accepts(ParseTask, document), document
            verdicts[by_schema] += 1
    assert min(verdicts[True], verdicts[False]) > 100


def test_a_change_of_one_member_is_judged_alike_by_schema_and_model_of_a_result():
    verdicts = Counter()
    for document in single_changes("task-result", schema("task-result")["examples"][:1]):
        by_schema = accepts("task-result", document)
        assert by_schema == model_accepts(TaskResult, document), document
        verdicts[by_schema] += 1
    assert min(verdicts[True], verdicts[False]) > 100


@MANY
@given(documents("queue-message", TASKS))
def test_queue_message_schema_and_model_accept_the_same(document):
    if document.get("schema_version") not in ("2.0", "2.1"):
        assert not accepts("queue-message", {**document, "schema_version": "2.2"})
        return
    by_schema = accepts("queue-message", document)
    assert by_schema == model_accepts(ParseTask, document)
    if by_schema:
        task = parse_task(document)
        again = task.document()
        validate("queue-message", again)
        assert parse_task(again) == task


@MANY
@given(documents("task-result", schema("task-result")["examples"]))
def test_task_result_schema_and_model_accept_the_same(document):
    by_schema = accepts("task-result", document)
    assert by_schema == model_accepts(TaskResult, document)
    if by_schema:
        result = TaskResult.model_validate(document)
        validate("task-result", result.document())
        assert TaskResult.model_validate(result.document()) == result


@pytest.mark.parametrize(
    "name", ["queue-message", "queue-message-1.0", "task-result", "checkpoint", "dead-letter", "parser-interface"]
)
def test_both_validators_give_the_same_answer(name):
    seeds = schema(name)["examples"]
    judge = oracle(name)

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(name, seeds))
    def compare(document):
        expected = judge.is_valid(document)
        if name == "queue-message":
            # The oracle knows one schema; which version is asked is decided before, rules between members behind it.
            if document.get("schema_version") not in ("2.0", "2.1"):
                return
            if expected and not accepts(name, document):
                with pytest.raises(ContractViolation) as caught:
                    validate(name, document)
                assert dict(caught.value.violations).keys() == {"/source_config/data_start_row"}
                return
        if name == "queue-message-1.0" and expected and not accepts(name, document):
            with pytest.raises(ContractViolation) as caught:
                validate(name, document)
            assert "/source_config/data_start_row" in dict(caught.value.violations)
            return
        assert accepts(name, document) == expected

    compare()


@pytest.mark.parametrize("name", ["queue-message", "task-result", "checkpoint", "dead-letter", "parser-interface"])
def test_the_schemas_are_schemas(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jsonschema.Draft202012Validator.check_schema(schema(name))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents("queue-message-1.0", schema("queue-message-1.0")["examples"]))
def test_every_message_of_version_one_becomes_one_of_version_two(document):
    document.pop("schema_version", None)
    if not accepts("queue-message", document):
        return
    task, refused = None, {}
    try:
        task = parse_task(document)
    except ContractViolation as error:
        refused = dict(error.violations)
    if task is None:
        assert refused.keys() == {"/source_config/credentials_path"}
        return
    assert task.task_id == document["task_id"]
    validate("queue-message", task.document())
