"""A list beside the last one: what is absorbed, what is asked, and with which figures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from config.profiles import SupplierProfile, amend, profile_from_understanding, remember_columns
from contracts.errors import ListDoubtful
from contracts.rows import Description
from contracts.store import Current
from contracts.task import CsvSource, TaskOptions
from pipeline.drift.absorb import Drift, LastList, absorb
from pipeline.drift.agreement import FAR, NEAR, TELLING, TOGETHER, compare, percent
from pipeline.drift.compared import alike, another_kind
from pipeline.drift.verify import verify
from pipeline.understanding.shape import Shape, resemblance, shape_document, sketch
from pipeline.understanding.understand import understand
from tests.support.changing_lists import Book, Col, book, repriced, with_tax

TEXT = Description("csv", encoding="utf-8", delimiter=";")
DIGEST = "f" * 64
CONFIG = CsvSource(file_path="list.csv")


def rows_of(made: Book) -> list[tuple[int, list[str]]]:
    lines = [[column.header for column in made.columns]] if made.header else []
    lines += [[str(cell) for cell in row] for row in zip(*(column.values for column in made.columns), strict=True)]
    return list(enumerate(lines, start=1))


class Known:
    """A supplier of whom one list was loaded."""

    def __init__(self, made: Book) -> None:
        rows = rows_of(made)
        how = understand(rows, TEXT, source_config=CONFIG, options=TaskOptions(), profile=None)
        self.profile = profile_from_understanding(how)
        told = self.profile.mapping.model_dump(mode="json", exclude_none=True)
        document = shape_document(rows, TEXT, how, told=told, as_of=datetime(2026, 1, 1, tzinfo=UTC))
        self.shape = Shape.read(document)
        names = dict(zip(made.of("sku").values, made.of("name").values, strict=True))
        self.items = {sku: Current(str(names[sku]), price, "EUR", Decimal(1)) for sku, price in made.truth.items()}
        self.asked = 0

    async def lookup(self, skus: Sequence[str]) -> dict[str, Current]:
        self.asked += 1
        return {sku: self.items[sku] for sku in skus if sku in self.items}

    async def next(self, made: Book, profile: SupplierProfile | None = None) -> Drift:
        return await absorb(
            rows_of(made),
            TEXT,
            config=CONFIG,
            options=TaskOptions(),
            profile=profile or self.profile,
            last=LastList(self.shape, self.lookup),
            sha256=DIGEST,
        )


FIRST = book("en", seed=1)
NEXT = repriced(FIRST, seed=2)


async def test_a_list_that_did_not_change_is_read_as_the_last_one() -> None:
    known = Known(FIRST)
    drift = await known.next(FIRST)
    assert (drift.profile, drift.warnings, drift.changed) == (known.profile, (), ())
    assert known.asked == 1


async def test_of_a_supplier_without_a_list_nothing_is_compared() -> None:
    async def nothing(_: Sequence[str]) -> dict[str, Current]:
        return {}

    known = Known(FIRST)
    drift = await absorb(
        rows_of(FIRST),
        TEXT,
        config=CONFIG,
        options=TaskOptions(),
        profile=known.profile,
        last=LastList(None, nothing),
        sha256=DIGEST,
    )
    assert (drift.profile, drift.warnings) == (known.profile, ())


async def test_a_renamed_price_is_absorbed_where_name_and_values_agree() -> None:
    drift = await Known(FIRST).next(NEXT.changed("price", header="Unit Price"))
    assert drift.profile.mapping.price == "Unit Price"
    assert drift.changed == ("price",)
    assert "“Unit Price” holds price now instead of “Price”" in drift.warnings[0]


async def test_a_price_under_an_unknown_word_is_asked_about_with_its_figures() -> None:
    known = Known(FIRST)
    changed = NEXT.changed("price", header="Kondition B7")
    with pytest.raises(ListDoubtful) as held:
        await known.next(changed)
    question = held.value.question
    assert question is not None
    assert question.code == "layout"
    common = len(known.items.keys() & changed.truth.keys())
    assert f"“Kondition B7” replaces “Price”: 100 % of {common} known prices within 5 %?" in question.sentence
    answered = amend(known.profile, question.options[0].patch)
    assert answered.mapping.price == "Kondition B7"
    assert answered.rules.accepted_lists == [DIGEST]
    assert (await known.next(changed, answered)).profile.mapping.price == "Kondition B7"


async def test_one_answer_settles_code_and_price_at_once() -> None:
    known = Known(FIRST)
    changed = NEXT.changed("price", header="Kondition B7").changed("sku", header="Merkmal 4")
    with pytest.raises(ListDoubtful) as held:
        await known.next(changed)
    assert held.value.question is not None
    mapping = held.value.question.options[0].patch["mapping"]
    assert (mapping["sku"], mapping["price"]) == ("Merkmal 4", "Kondition B7")


async def test_prices_that_all_moved_as_if_by_tax_are_held_under_the_same_header() -> None:
    with pytest.raises(ListDoubtful, match="about 19 % higher"):
        await Known(FIRST).next(with_tax(FIRST))


async def test_an_old_price_that_agrees_best_of_all_is_not_taken_for_the_price() -> None:
    old = Col("old", "Old price", FIRST.of("price").values)
    raised = tuple(
        (p * Decimal("1.04")).quantize(Decimal("0.01"))
        for p in FIRST.of("price").values
        if p is not None and not isinstance(p, str)
    )
    drift = await Known(FIRST).next(FIRST.changed("price", values=raised).put(0, old))
    assert drift.profile.mapping.price == "Price"


async def test_new_articles_under_the_old_headers_are_no_doubt() -> None:
    known = Known(FIRST)
    other = book("en", seed=77)
    other = other.changed(
        "name", values=tuple(f"Something else {place}" for place in range(len(other.of("name").values)))
    )
    drift = await known.next(other)
    assert any("none of the compared codes" in warning for warning in drift.warnings)


async def test_another_list_of_the_supplier_is_read_as_the_first() -> None:
    known = Known(FIRST)
    drift = await known.next(book("ja", seed=5))
    assert drift.profile is known.profile


async def test_what_a_person_says_since_the_last_list_is_believed() -> None:
    known = Known(FIRST)
    wider = NEXT.put(0, Col("rrp", "Retail", tuple(Decimal(place + 1) for place in range(len(NEXT.of("sku").values)))))
    told = amend(known.profile, {"mapping": {"price": "Retail"}})
    drift = await known.next(wider, told)
    assert drift.believed
    assert drift.profile.mapping.price == "Retail"


async def test_a_currency_that_is_no_longer_stated_is_asked_about() -> None:
    known = Known(FIRST)
    how = understand(rows_of(FIRST), TEXT, source_config=CONFIG, options=TaskOptions(), profile=None)
    assert how.currency == "XXX"
    with pytest.raises(ListDoubtful) as held:
        await verify(rows_of(FIRST), how, profile=known.profile, lookup=known.lookup, sha256=DIGEST)
    assert held.value.question is not None
    assert held.value.question.options[0].patch == {"currency": "EUR"}
    with_euro = replace(how, currency="EUR")
    await verify(rows_of(FIRST), with_euro, profile=known.profile, lookup=known.lookup, sha256=DIGEST)


async def test_a_basis_that_is_no_longer_stated_is_asked_about() -> None:
    known = Known(FIRST)
    known.items = {sku: current._replace(basis=Decimal(100)) for sku, current in known.items.items()}
    how = understand(rows_of(FIRST), TEXT, source_config=CONFIG, options=TaskOptions(currency="EUR"), profile=None)
    with pytest.raises(ListDoubtful, match="were per 100, and the list no longer says so") as held:
        await verify(rows_of(FIRST), how, profile=known.profile, lookup=known.lookup, sha256=DIGEST)
    assert held.value.question is not None
    assert held.value.question.options[0].patch == {"price_basis": "100"}


def test_only_what_changed_is_remembered_anew() -> None:
    stored = SupplierProfile(mapping={"price": "Preis", "sku": "D"}, currency="CHF", notes="call Ana")
    used = SupplierProfile(mapping={"price": "VK", "sku": "Code"}, currency="CHF", notes="call Ana")
    amended = remember_columns(stored, used, ["price"])
    assert amended == amend(stored, {"mapping": {"price": "VK"}})


def test_the_measures_of_agreement_are_those_of_the_pairs() -> None:
    old = [Decimal(price) for price in range(100, 100 + 2 * TELLING)]
    same = compare(zip(old, old, strict=True))
    assert (same.same, same.near, same.far, same.error, same.agrees) == (1, 1, 1, 0, True)
    near = compare((price * (1 + NEAR), price) for price in old)
    assert (near.same, near.near, near.agrees) == (0, 1, True)
    far = compare((price * (1 + FAR), price) for price in old)
    assert (far.near, far.far, far.agrees, far.shifted) == (0, 1, False, True)
    below = compare((price * Decimal(str(1 + TOGETHER - 0.01)), price) for price in old)
    assert not below.shifted
    assert compare((price / 100, price) for price in old).power == -2
    assert not compare([]).agrees


@pytest.mark.parametrize(("share", "text"), [(1, "100 %"), (0.9999, "99.9 %"), (0.987, "98.7 %"), (0, "0 %")])
def test_shares_are_never_rounded_up_to_everything(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("old", "new", "is_alike"),
    [
        ("Price", "Price 2027", True),
        ("Bezeichnung", "Bezeichnungen", True),
        ("Price", "Stock", False),
        ("Preis", "Gewicht", False),
        ("", "Price", False),
    ],
)
def test_like_headers_share_their_words_or_nearly_all_letters(old: str, new: str, is_alike: bool) -> None:
    assert alike(old, new) is is_alike


@pytest.mark.parametrize(
    ("old", "new", "other"),
    [
        ("Price", "Old price", True),
        ("Preis netto", "Preis brutto", True),
        ("Prix HT", "Prix TTC", True),
        ("Price", "Promo price", True),
        ("Price", "Price 2027", False),
        ("Old price", "Old price EUR", False),
    ],
)
def test_a_header_that_says_another_kind_of_price_is_noticed(old: str, new: str, other: bool) -> None:
    assert another_kind(old, new, plain=False) is other


def test_columns_are_compared_without_their_values() -> None:
    one = sketch([f"value {place}" for place in range(200)])
    assert resemblance(one, sketch([f"value {place}" for place in range(200)])) == 1
    assert resemblance(one, sketch([f"another {place}" for place in range(200)])) == 0
    half = resemblance(one, sketch([f"value {place}" for place in range(100, 300)]))
    assert 0.1 < half < 0.6
    assert sketch(["1.234,50"]) == sketch(["1234.5"])
