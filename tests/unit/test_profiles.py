"""Supplier profiles: the document, its schema, what is remembered after a run, and what wins over what."""

import copy
import json

import jsonschema
import pydantic
import pytest

from config.profiles import (
    SupplierProfile,
    apply_profile,
    load_profile,
    merge_options,
    profile_from_understanding,
)
from contracts.errors import ContractViolation, ProfileInvalid
from contracts.rows import Description
from contracts.schema import schema, validate
from contracts.task import CsvSource, ExcelSource, TaskOptions
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")
WORDS = ("title", "description", "examples", "$id", "$schema", "default")
LIMITS = {"ge": "minimum", "le": "maximum"}


def bare(document):
    """A schema without what is only for people."""
    if isinstance(document, dict):
        return {
            LIMITS.get(key, key): value if key in {"const", "enum"} else bare(value)
            for key, value in document.items()
            if key not in WORDS
            or not isinstance(value, (str, list, dict, bool, int, type(None)))
            or (key in {"title", "description", "default"} and isinstance(value, dict) and "type" in value)
        }
    return [bare(value) for value in document] if isinstance(document, list) else document


def accepted(check, document, error):
    try:
        check(document)
    except error:
        return False
    return True


def test_the_schema_says_what_the_model_says():
    assert bare(schema("supplier-profile")) == bare(SupplierProfile.model_json_schema())


def test_every_member_of_the_schema_is_described():
    document = schema("supplier-profile")
    for part in (document, *document["$defs"].values()):
        for name, member in part["properties"].items():
            target = document["$defs"][member["$ref"].rsplit("/", 1)[1]] if "$ref" in member else member
            assert member.get("description") or target.get("description"), name


def test_the_examples_fit_schema_and_model():
    examples = schema("supplier-profile")["examples"]
    assert len(examples) > 1
    for example in examples:
        validate("supplier-profile", example)
        assert load_profile(example).document().items() >= {"schema_version": "1.0"}.items()


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": "9.9"},
        {"currency": "euro"},
        {"currency": "EUR"},
        {"numbers": {"decimal": ";"}},
        {"numbers": {"decimal": ",", "thousands": " "}},
        {"price_basis": "0"},
        {"price_basis": "100"},
        {"price_basis": "1e3"},
        {"rules": {"duplicates": "newest"}},
        {"mapping": {"sku": ["A", 2]}},
        {"mapping": {"sku": -1}},
        {"mapping": {"sku": []}},
        {"mapping": {"colour": "A"}},
        {"synonyms": {"price": ["Tarif"]}},
        {"synonyms": {"colour": ["Farbe"]}},
        {"synonyms": {"price": [""]}},
        {"read": {"header_row": 0}},
        {"read": {"delimiter": ";;"}},
        {"notes": "x" * 4_001},
        {"unknown": 1},
        {},
    ],
)
def test_schema_model_and_an_independent_validator_agree(change):
    document = copy.deepcopy(schema("supplier-profile")["examples"][0]) | change
    answers = {
        accepted(lambda given: validate("supplier-profile", given), document, ContractViolation),
        accepted(SupplierProfile.model_validate, document, pydantic.ValidationError),
        accepted(
            jsonschema.Draft202012Validator(schema("supplier-profile")).validate, document, jsonschema.ValidationError
        ),
    }
    assert len(answers) == 1


def test_a_bad_profile_names_the_bad_member():
    with pytest.raises(ProfileInvalid, match="/numbers/decimal"):
        load_profile({"numbers": {"decimal": ";"}})


def test_a_profile_survives_json():
    profile = SupplierProfile(mapping={"sku": ["A", 1]}, currency="EUR", rules={"zero_price": "accept"})
    assert load_profile(json.loads(json.dumps(profile.document()))) == profile


def understood(*lines, profile=None, config=None):
    rows = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    return understand(rows, CSV, source_config=config or {}, options=TaskOptions(), profile=profile)


LIST = ["Art.-Nr.;Name;Preis;Preis alt", *[f"A-{n};Ding {n};1{n},50;9,99" for n in range(5)]]


def test_what_a_person_decided_once_is_remembered():
    first = understood(*LIST, config={"column_mapping": {"price": "Preis alt"}})
    profile = profile_from_understanding(first)
    second = understood(*LIST, profile=profile)
    assert [column.index for column in second.columns_of("price")] == [3]


def test_the_same_list_with_its_profile_is_understood_as_without():
    first = understood(*LIST)
    second = understood(*LIST, profile=profile_from_understanding(first))
    assert second.numbers == first.numbers
    assert [(c.index, c.field, c.key, c.kind) for c in second.columns] == [
        (c.index, c.field, c.key, c.kind) for c in first.columns
    ]
    assert (second.currency, second.price_basis, second.width) == (first.currency, first.price_basis, first.width)


def test_columns_are_remembered_by_header_and_those_without_a_unique_one_by_number():
    found = understood(
        "Ref;Text;Preis;Preis", *[f"A{n};Ding {n};1,50;2,50" for n in range(4)],
        config={"column_mapping": {"sku": "Ref", "name": "Text", "price": "D"}},
    )  # fmt: skip
    mapping = profile_from_understanding(found).mapping
    assert (mapping.sku, mapping.name, mapping.price) == ("Ref", "Text", 3)


def test_what_a_person_wrote_into_a_profile_stays():
    previous = SupplierProfile(currency="CHF", notes="call Ana", numbers={"decimal": "."}, mapping={"gtin": "EAN"})
    profile = profile_from_understanding(understood(*LIST), previous=previous)
    assert (profile.currency, profile.notes, profile.numbers.decimal) == ("CHF", "call Ana", ".")
    assert profile.mapping.gtin == "EAN"


def test_the_task_wins_over_the_profile_and_the_profile_over_the_installation():
    profile = SupplierProfile(currency="CHF", numbers={"decimal": ","}, rules={"duplicates": "first"})
    merged = merge_options(TaskOptions(decimal="."), profile, default_currency="EUR")
    assert (merged.decimal, merged.currency, merged.duplicates) == (".", "CHF", "first")
    assert merge_options(TaskOptions(), None, default_currency="EUR").currency == "EUR"


def test_a_config_is_completed_by_the_profile_and_never_overruled():
    profile = SupplierProfile(read={"encoding": "cp1252", "delimiter": ";", "sheet": "Preise", "header_row": 4})
    csv = apply_profile(CsvSource(file_path="a.csv", delimiter=","), profile)
    assert isinstance(csv, CsvSource)
    assert (csv.encoding, csv.delimiter, csv.header_row, csv.file_path) == ("cp1252", ",", 4, "a.csv")
    excel = apply_profile(ExcelSource(file_path="a.xlsx"), profile)
    assert isinstance(excel, ExcelSource)
    assert (excel.sheet_name, excel.header_row) == ("Preise", 4)
    assert apply_profile(excel, None) is excel
