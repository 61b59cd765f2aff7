"""The schemas themselves, both versions of the queue message, and what is refused before any schema is asked."""

import orjson
import pytest

from contracts.account import Account
from contracts.errors import ContractViolation, HeaderNotFound
from contracts.reasons import REASONS
from contracts.rows import Description, Item, RowError
from contracts.schema import names, parse_task, schema, validate
from contracts.task import SOURCES
from resilience.settle import failure_from

OURS = ("queue-message", "queue-message-1.0", "task-result", "checkpoint", "dead-letter", "parser-interface")
SHEET = "https://docs.google.com/spreadsheets/d/1AbC/edit"


def violations(name, document):
    with pytest.raises(ContractViolation) as caught:
        validate(name, document)
    return dict(caught.value.violations)


def task(**members):
    return {
        "schema_version": "2.0",
        "parser_type": "csv",
        "supplier_name": "Nordwind",
        "source_config": {"file_path": "a.csv"},
        **members,
    }


def old(**members):
    return {
        "task_id": "t-1",
        "parser_type": "csv",
        "supplier_name": "Nordwind",
        "source_config": {"file_path": "a.csv"},
        **members,
    }


def properties_of(part, path=""):
    if isinstance(part, dict):
        for name, member in part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else ():
            yield f"{path}/{name}", member
        for key, value in part.items():
            if key not in {"if", "then", "else", "oneOf", "examples"}:
                yield from properties_of(value, f"{path}/{key}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from properties_of(value, f"{path}/{index}")


@pytest.mark.parametrize("name", OURS)
def test_every_schema_is_identified_and_describes_every_member(name):
    document = schema(name)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"].startswith(f"https://pricemill.example/schemas/{name.removesuffix('-1.0')}/")
    assert document["title"]
    assert document["description"]
    members = list(properties_of(document))
    assert members
    for path, member in members:
        target = document["$defs"][member["$ref"].rsplit("/", 1)[1]] if "$ref" in member else member
        assert target.get("title"), path
        assert target.get("description"), path


def test_no_two_schemas_have_the_same_id():
    ids = [schema(name)["$id"] for name in names()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", OURS)
def test_every_example_fits_its_schema(name):
    assert schema(name)["examples"]
    for example in schema(name)["examples"]:
        validate(name, example)


def test_an_unknown_schema_is_an_error_of_the_caller():
    with pytest.raises(KeyError):
        validate("no-such-schema", {})
    with pytest.raises(KeyError):
        schema("../queue-message")


def test_no_schema_refers_to_anything_outside_itself():
    for name in names():
        text = orjson.dumps(schema(name)).decode()
        assert text.count('"$ref":"') == text.count('"$ref":"#/')


# ------------------------------------------------------------------ what the original got wrong (4.7, 1 and 2)


def test_an_ordinary_csv_message_is_accepted_though_it_would_also_fit_excel():
    assert parse_task(old()).parser_type == "csv"


def test_an_ordinary_excel_message_is_accepted():
    assert parse_task(old(parser_type="excel", source_config={"file_path": "a.xlsx"})).parser_type == "excel"


@pytest.mark.parametrize("message", [old, task])
def test_a_csv_task_with_the_source_of_a_sheet_is_refused(message):
    found = violations("queue-message", message(source_config={"sheet_url": SHEET}))
    assert "/source_config/sheet_url" in found


@pytest.mark.parametrize("parser", sorted(SOURCES))
def test_the_form_of_the_source_follows_the_parser(parser):
    own = {"sheet_url": SHEET} if parser == "google_sheets" else {"file_path": "a"}
    other = {"file_path": "a"} if parser == "google_sheets" else {"sheet_url": SHEET}
    assert parse_task(task(parser_type=parser, source_config=own)).source() is not None
    assert violations("queue-message", task(parser_type=parser, source_config=other))


def test_a_parser_that_is_not_built_in_takes_any_object():
    message = task(parser_type="ubl_2", source_config={"x": [1, {"y": None}]})
    assert parse_task(message).source_config == message["source_config"]
    assert "/source_config" in violations("queue-message", task(parser_type="ubl_2", source_config=[1]))


def test_every_price_of_two_decimals_is_an_item():
    prices = [f"{cents // 100}.{cents % 100:02d}" for cents in range(100_000)]
    for start in range(0, len(prices), 5_000):
        items = [
            {"row_number": 1, "supplier_sku": "A", "name": "a", "price": price, "currency": "EUR"}
            for price in prices[start : start + 5_000]
        ]
        validate(
            "parser-interface", {"parser_name": "csv", "description": {"format": "csv"}, "items": items, "errors": []}
        )


@pytest.mark.parametrize("price", [19.99, 19, "1e3", "-1", "１２", "1_000", "NaN", "", "1.", "1234567890123"])
def test_a_price_is_decimal_text_and_nothing_else(price):
    item = {"row_number": 1, "supplier_sku": "A", "name": "a", "price": price, "currency": "EUR"}
    document = {"parser_name": "csv", "description": {"format": "csv"}, "items": [item], "errors": []}
    assert "/items/0/price" in violations("parser-interface", document)


# ------------------------------------------------------------------ version 1.0


def test_version_one_counts_excel_headers_from_zero():
    message = old(parser_type="excel", source_config={"file_path": "a.xlsx", "header_row": 4})
    assert parse_task(message).source().header_row == 5
    assert parse_task({**message, "source_config": {"file_path": "a.xlsx"}}).source().header_row == 1


def test_version_one_assumed_sheet1():
    for parser, source in (("excel", {"file_path": "a.xlsx"}), ("google_sheets", {"sheet_url": SHEET})):
        assert parse_task(old(parser_type=parser, source_config=source)).source().sheet_name == "Sheet1"
        named = {**source, "sheet_name": "Prices"}
        assert parse_task(old(parser_type=parser, source_config=named)).source().sheet_name == "Prices"


def test_version_one_names_a_credential_file_by_path():
    message = old(
        parser_type="google_sheets",
        source_config={"sheet_url": SHEET, "credentials_path": "/app/credentials/Acme-Sheets.json"},
    )
    assert parse_task(message).source().credentials == "acme-sheets"
    message["source_config"]["credentials_path"] = "/app/crédit.json"
    with pytest.raises(ContractViolation, match="credential"):
        parse_task(message)


def test_version_one_carries_a_retry_count_that_nobody_needs():
    message = parse_task(old(retry_count=2, max_retries=5, priority="high", enqueued_at="2026-01-14T10:00:00"))
    assert "retry_count" not in message.document()
    assert (message.max_retries, message.priority) == (5, "high")
    assert message.enqueued_at.isoformat() == "2026-01-14T10:00:00+00:00"


def test_version_one_had_the_address_of_a_second_account():
    url = "https://docs.google.com/spreadsheets/u/1/d/1AbC/edit#gid=0"
    message = parse_task(old(parser_type="google_sheets", source_config={"sheet_url": url}))
    assert message.source().sheet_url == "https://docs.google.com/spreadsheets/d/1AbC/edit#gid=0"


def test_a_message_of_version_two_without_its_version_is_not_misread():
    message = task(as_of="2026-01-01T00:00:00Z")
    del message["schema_version"]
    assert {"/as_of", "/schema_version", "/task_id"} <= set(violations("queue-message", message))


def test_reading_version_one_does_not_change_the_message():
    message = old(parser_type="excel", source_config={"file_path": "a.xlsx", "header_row": 4})
    before = orjson.dumps(message)
    parse_task(message)
    assert orjson.dumps(message) == before


@pytest.mark.parametrize("version", ["3.0", "", 2.0, ["2.0"], {"a": 1}, True])
def test_a_version_nobody_knows_is_refused(version):
    assert set(violations("queue-message", task(schema_version=version))) == {"/schema_version"}


# ------------------------------------------------------------------ violations


def test_all_violations_are_named_at_once_each_by_its_pointer():
    document = task(priority="urgent", max_retries=11, surprise=1, source_config={"file_path": "a", "delimiter": ";;"})
    del document["supplier_name"]
    assert set(violations("queue-message", document)) == {
        "/max_retries",
        "/priority",
        "/source_config/delimiter",
        "/supplier_name",
        "/surprise",
    }


def test_a_pointer_escapes_what_it_must():
    assert "/source_config/a~1b~0c" in violations("queue-message", task(source_config={"file_path": "a", "a/b~c": 1}))


def test_a_sentence_never_repeats_the_value():
    secret = "hunter2-hunter2-hunter2"
    document = task(
        priority=secret,
        task_id=[secret],
        parser_type="CSV " + secret,
        source_config={"file_path": {"a": secret}},
        as_of=secret,
        idempotency_key=secret * 20,
    )
    with pytest.raises(ContractViolation) as caught:
        validate("queue-message", document)
    assert len(caught.value.violations) >= 5
    assert secret not in f"{caught.value} {caught.value.violations}"


def test_exactly_one_place_of_a_source_is_given():
    for source in ({}, {"file_path": "a", "url": "https://a.example/b"}, {"file_path": None}):
        found = violations("queue-message", task(source_config=source))
        assert found == {"/source_config": "give exactly one of file_path and url"}
    parse_task(task(source_config={"file_path": "a", "url": None}))


@pytest.mark.parametrize(("header", "data", "fits"), [(1, 2, True), (2, 2, False), (3, 2, False), (None, 1, True)])
def test_data_start_below_the_header(header, data, fits):
    message = task(
        parser_type="google_sheets", source_config={"sheet_url": SHEET, "header_row": header, "data_start_row": data}
    )
    if fits:
        parse_task(message)
    else:
        assert set(violations("queue-message", message)) == {"/source_config/data_start_row"}


def test_no_more_than_fifty_violations_are_listed():
    assert len(violations("task-result", {f"m{n}": 1 for n in range(500)})) <= 503
    found = violations("queue-message", task(source_config={"file_path": "a", "characteristic_columns": [True] * 500}))
    assert 1 <= len(found) <= 50


# ------------------------------------------------------------------ before the schema


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 2**63, -(2**63) - 1, "a\0b", "\ud800"])
def test_what_neither_json_nor_postgresql_can_hold_is_refused_wherever_it_stands(value):
    message = task(parser_type="plugin", source_config={"deep": [{"er": value}]})
    assert set(violations("queue-message", message)) == {"/source_config/deep/0/er"}


def test_names_of_members_are_held_to_the_same():
    assert violations("queue-message", task(parser_type="plugin", source_config={"a\0": 1}))
    assert violations("queue-message", task(parser_type="plugin", source_config={"\udfff": 1}))
    assert violations("queue-message", task(parser_type="plugin", source_config={1: 1}))


def test_what_is_no_json_value_is_refused():
    for value in (object(), b"x", (1, 2), {1, 2}):
        assert violations("queue-message", task(parser_type="plugin", source_config={"a": value}))


def test_documents_have_a_largest_depth():
    deep = {"a": 1}
    for _ in range(17):
        deep = {"a": deep}
    validate("queue-message", task(parser_type="plugin", source_config={"a": deep}))
    assert violations("queue-message", task(parser_type="plugin", source_config={"a": {"a": deep}}))
    for _ in range(5_000):
        deep = {"a": deep}
    assert violations("queue-message", task(parser_type="plugin", source_config={"a": deep}))


def test_documents_have_a_largest_size():
    validate("queue-message", task(parser_type="plugin", source_config={"a": "x" * 900_000}))
    assert violations("queue-message", task(parser_type="plugin", source_config={"a": "x" * 1_000_000}))
    assert violations("queue-message", task(parser_type="plugin", source_config={"a": "é" * 600_000}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"a"',
        b"NaN",
        b'{"a": Infinity}',
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b"\xff",
        b"{}x",
    ],
)
def test_a_message_that_is_no_task_is_a_contract_violation(data):
    with pytest.raises(ContractViolation) as caught:
        parse_task(data)
    assert caught.value.violations


def test_a_message_may_come_as_bytes_or_text():
    data = orjson.dumps(task(task_id="t"))
    assert parse_task(data).task_id == parse_task(data.decode()).task_id == "t"
    with pytest.raises(ContractViolation, match="larger"):
        parse_task(b" " * 1_000_001)


# ------------------------------------------------------------------ the documents our own code makes


def test_the_reasons_of_the_schema_are_the_catalogue():
    assert schema("parser-interface")["$defs"]["parsing_error"]["properties"]["code"]["enum"] == list(REASONS)


def test_items_errors_and_descriptions_fit_the_parser_interface():
    item = Item(3, None, 1, "A", "a", "0.004500", "EUR", "100", None, "4006381333931", ("X",), '{"a": 1}')
    document = item._asdict()
    for name in ("fingerprint", "key_hash"):
        del document[name]
    document["supplier_sku"] = document.pop("sku")
    document["category"] = list(item.category)
    document["characteristics"] = orjson.loads(item.characteristics)
    error = RowError(4, "price_missing", "Price is blank", "Price", None, ("B", None))
    validate(
        "parser-interface",
        {
            "parser_name": "csv",
            "description": Description("csv", notes=("a",)).document(),
            "items": [document],
            "errors": [{**error._asdict(), "cells": list(error.cells)}],
        },
    )


def test_a_failure_fits_the_dead_letter():
    failure = failure_from(HeaderNotFound(rows=30))
    letter = {**schema("dead-letter")["examples"][0], "error": failure.document()}
    validate("dead-letter", letter)
    assert set(failure.document()) == set(schema("dead-letter")["$defs"]["failure"]["properties"])


def test_a_dead_letter_is_open_or_says_when_it_was_closed():
    letter = schema("dead-letter")["examples"][0]
    assert violations("dead-letter", {**letter, "status": "replayed"})
    assert violations("dead-letter", {**letter, "closed_at": "2026-11-20T08:00:00Z"})
    validate("dead-letter", {**letter, "status": "replayed", "closed_at": "2026-11-20T08:00:00Z"})


def test_an_account_has_the_members_of_the_checkpoint():
    assert set(Account().document()) == set(schema("checkpoint")["properties"]["account"]["properties"])
