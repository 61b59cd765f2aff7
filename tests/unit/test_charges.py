"""A line of freight below a table of coded items is a note; where codes are words, nothing is taken for one."""

import pytest

from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.stages.normalization import Ignored, RowNormaliser
from pipeline.understanding.charges import CHARGES
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")


def outcome(last, codes):
    lines = ["Code;Name;Price EUR", *(f"{code};Pipe {n};{n}.50" for n, code in enumerate(codes, 1)), last]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None)
    return RowNormaliser(found).read(*sample[-1]), found.warnings


@pytest.mark.parametrize("word", sorted(CHARGES))
def test_a_charge_below_coded_items_is_a_note_and_said(word):
    code = word.capitalize()
    found, warnings = outcome(f"{code};per delivery;7.90", [f"01{n:03}" for n in range(36)])
    assert found == Ignored("note")
    assert any(code in warning for warning in warnings)


def test_other_footers_beside_a_charge_do_not_make_codes_of_words_usual():
    lines = ["Code;Name;Price EUR", *(f"01{n:03};Pipe {n};{n}.50" for n in range(1, 37)), ";;"]
    lines += ["Minimum order;;50.00", "Freight;per delivery;7.90", "Phone;;089 123456"]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None)
    assert RowNormaliser(found).read(*sample[-2]) == Ignored("note")


def test_an_article_of_that_name_stays_where_other_codes_are_words_too():
    found, _ = outcome("Port;Fortified wine;7.90", [f"01{n:03}" for n in range(30)] + ["Sherry", "Madeira"])
    assert not isinstance(found, Ignored)


def test_a_code_with_digits_stays_an_item_whatever_it_says():
    found, _ = outcome("Freight-01;Model train;7.90", [f"01{n:03}" for n in range(36)])
    assert not isinstance(found, Ignored)
