"""Two tables on one sheet: one list where their headers say the same, else a question."""

import pytest

from contracts.errors import ListDoubtful
from contracts.rows import Description
from contracts.task import TaskOptions
from pipeline.stages.normalization import Ignored, Normalised, RowNormaliser
from pipeline.understanding.understand import understand

CSV = Description("csv", encoding="utf-8", delimiter=";")
COUNT = 30


def read(first, second):
    lines = [first, *(f"A-{n};Pipe {n} in steel;{n}.50" for n in range(1, COUNT)), ";;", "Lamps;;"]
    lines += [second, *(f"B-{n};Lamp {n} of brass;{n}.50" for n in range(1, COUNT))]
    sample = [(number, line.split(";")) for number, line in enumerate(lines, 1)]
    found = understand(sample, CSV, source_config={}, options=TaskOptions(), profile=None, more=lambda: sample)
    normaliser = RowNormaliser(found)
    return [normaliser.read(*row) for row in sample]


@pytest.mark.parametrize("second", ["Code;Name;Price", "CODE;name;Price"])
def test_tables_with_the_same_header_are_one_list(second):
    rows = read("Code;Name;Price", second)
    assert sum(isinstance(row, Normalised) for row in rows) == 2 * (COUNT - 1)
    assert sum(row == Ignored("header") for row in rows) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Code;Name;Price", "Code;Name;Cost"),
        ("Code;Name;Price", "Code;Name;Price per 100"),
        ("Code;Name;Price EUR", "Code;Name;Price USD"),
        ("Code;Name;Price", "Code;Name;Price (cents)"),
        ("Code;Name;Net price", "Code;Name;Gross price"),
        ("Code;Name;Price", "Price;Code;Name"),
    ],
)
def test_another_price_in_the_place_of_the_first_one_is_a_question(first, second):
    with pytest.raises(ListDoubtful, match="two tables") as caught:
        read(first, second)
    assert caught.value.question is not None
    (option,) = caught.value.question.options
    assert option.patch == {"read": {"header_row": COUNT + 3}}
