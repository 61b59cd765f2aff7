"""Decides which column holds which field: what a person said, then the profile, then words that the values confirm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from contracts.errors import MappingIncomplete
from contracts.rows import Row
from contracts.task import ColumnMapping
from contracts.understanding import Alternative
from pipeline.understanding.agree import NO_CODES, disagrees
from pipeline.understanding.headerless import plain_columns
from pipeline.understanding.keys import gtin_as_key
from pipeline.understanding.mapped import Fields, Mapped
from pipeline.understanding.name_keys import other_code, why_not
from pipeline.understanding.pricing import Choice, choose_price
from pipeline.understanding.refusal import available, refusal
from pipeline.understanding.split_columns import other_half
from pipeline.understanding.table import Table
from pipeline.understanding.text import letter, letter_index, one_line, short
from pipeline.understanding.variants import could_be_name, key_with_variants, several_prices, variant_columns
from pipeline.understanding.words import Hit

NAMES_AS_KEYS = "no column of codes; the names tell the rows apart"
VARIANTS_AS_KEYS = "no single column of codes; together they tell the rows apart"
BY_PROFILE = "as the profile says"
REPEATS, VARIANTS = "repeats (only", "tells variants of one name apart"
"""As agree.py and name_keys.py say it."""
SURE = 0.7
"""Least certainty of name and price for names to become keys unasked."""
CERTAINTY = {4: 0.98, 3: 0.9, 2: 0.7, 1: 0.75}
"""By level of a hit (words.py)."""


def map_columns(
    table: Table,
    manual: ColumnMapping,
    *,
    remembered: ColumnMapping | None,
    name_from_sku: bool,
    warnings: list[str],
    more: Callable[[], Iterable[tuple[int, Row]]] | None = None,
    price_choice: Sequence[str] = (),
    currency: str = "",
    considered: list[Alternative] | None = None,
    first_rows: str = "",
    other_sheets: Sequence[str] = (),
) -> Fields:
    """Each column serves one field, unless a mapping names it for several. Raises MappingIncomplete (HeaderNotFound if
    `first_rows` of a list without header are given) with everything that is missing at once, a question, and a context
    that lists the headers and, for each missing field, why no column was taken. `considered` takes what was not."""
    considered = [] if considered is None else considered
    choice: Choice | None = None
    fields: Fields = {}
    for field, reference in manual.model_dump(exclude_none=True).items():
        fields[field] = [Mapped(index, 1.0, "as told") for index in resolve(table, field, reference)]
    if remembered is not None:
        _remember(table, remembered, fields, warnings)
    taken = {mapped.index for columns in fields.values() for mapped in columns}
    problems: dict[str, str] = {}
    if "price" not in fields:
        choice = choose_price(table, taken, price_choice, currency)
        if choice.taken is None:
            problems["price"] = choice.reason
        else:
            fields["price"] = [Mapped(choice.taken.index, choice.certainty, choice.reason)]
            taken.add(choice.taken.index)
        considered += _other_prices(table, choice)
    _detect(table, fields, taken, problems=problems, warnings=warnings, considered=considered)
    if first_rows and more is not None and not fields and (plain := plain_columns(table)):
        fields |= plain
        problems.clear()
    if "name" not in fields:
        _name_within_key(table, fields)
    if "name" not in fields and name_from_sku and "sku" in fields:
        fields["name"] = [
            Mapped(mapped.index, mapped.certainty, "profile: the code is the name") for mapped in fields["sku"]
        ]
        problems.pop("name", None)
    if "name" in fields and "name" not in manual.model_dump(exclude_none=True):
        _join_halves(table, fields)
    _ask_for_own_code(table, fields, problems, considered)
    _take_gtins_as_keys(table, fields, problems)
    if more is not None:
        _take_names_as_keys(table, fields, problems, warnings, more)
        _take_variants(table, fields, problems=problems, warnings=warnings, considered=considered, more=more)
    _take_code_as_name(table, fields, problems, warnings)
    missing = [field for field in ("sku", "name", "price") if field not in fields]
    if missing:
        refuse = partial(refusal, choice=choice, considered=considered, first_rows=first_rows)
        raise refuse(table, fields, missing, problems, other_sheets=other_sheets)
    _warn_of_repeated_codes(table, fields, warnings)
    return fields


def resolve(table: Table, field: str, reference: Any) -> list[int]:
    """Column indexes of a reference or a list of them. A header that equals wins over a letter, a letter over a
    number written as text. Raises MappingIncomplete naming the headers there are."""
    if isinstance(reference, list):
        return [index for part in reference for index in resolve(table, field, part)]
    if isinstance(reference, int):
        found = [reference] if reference < max(table.width, 1) else []
    else:
        found = table.find(reference)
        if len(found) > 1:
            places = ", ".join(letter(index) for index in found)
            raise MappingIncomplete(
                f"the column “{reference}” for {field} stands in this list more than once ({places}); "
                "name it by letter",
                missing=[field],
                headers=table.named(),
            )
        if not found:
            index = int(reference) if reference.isascii() and reference.isdigit() else letter_index(reference)
            found = [index] if index is not None and index < table.width else []
    if not found:
        raise MappingIncomplete(
            f"there is no column “{reference}” for {field}; the list has {available(table)}",
            missing=[field],
            headers=table.named(),
        )
    return found


def _remember(table: Table, remembered: ColumnMapping, fields: Fields, warnings: list[str]) -> None:
    for field, reference in remembered.model_dump(exclude_none=True).items():
        if field in fields:
            continue
        try:
            indexes = resolve(table, field, reference)
        except MappingIncomplete:
            warnings.append(f"the column that holds {field} by the profile is not in this list")
            continue
        fields[field] = [Mapped(index, 0.99, BY_PROFILE) for index in indexes]


def _detect(
    table: Table,
    fields: Fields,
    taken: set[int],
    *,
    problems: dict[str, str],
    warnings: list[str],
    considered: list[Alternative],
) -> None:
    """Best words first over all fields, so that a column goes to the field it fits best."""
    offers: list[tuple[Hit, int, int]] = []
    for index, heading in enumerate(table.headings):
        offers += [(hit, -table.figures(index).quality, index) for hit in heading.hits if hit.field != "price"]
    for hit, _, index in sorted(offers, key=lambda offer: (-offer[0].level, offer[0].rank, offer[1], offer[2])):
        if hit.field in fields or index in taken:
            if hit.field == "sku" and hit.level >= 3 and index not in taken:
                considered.append(_alternative(table, "sku", index, f"{hit.reason}; another column says it better"))
            continue
        objection = disagrees(table, hit.field, index, hit.level)
        if objection is None:
            fields[hit.field] = [Mapped(index, CERTAINTY[hit.level], hit.reason)]
            taken.add(index)
            problems.pop(hit.field, None)
            if hit.field == "name" and problems.get("sku") == f"“{table.header(index)}” {NO_CODES}":
                del problems["sku"]  # “Artículo” is a word for either
        else:
            problems.setdefault(hit.field, f"“{table.header(index)}” {objection}")
            considered.append(_alternative(table, hit.field, index, objection))
    warnings += [
        f"{problems[field]}: it says nothing about the prices then"
        for field in ("currency", "price_basis")
        if field in problems and field not in fields and "is blank" not in problems[field]
    ]


def _alternative(table: Table, field: str, index: int, reason: str) -> Alternative:
    sample = short(one_line(table.figures(index).sample))
    return Alternative(field, index, short(table.header(index), 120), reason, sample)


def _other_prices(table: Table, choice: Choice) -> list[Alternative]:
    return [
        _alternative(
            table,
            "price",
            other.index,
            other.objection or f"a price, too: {', '.join(sorted(other.kinds)) or other.reason}",
        )
        for other in choice.candidates
        if other is not choice.taken
    ]


def _ask_for_own_code(table: Table, fields: Fields, problems: dict[str, str], considered: list[Alternative]) -> None:
    sku = fields.get("sku", [])
    if len(sku) != 1 or sku[0].reason in {"as told", BY_PROFILE}:
        return
    objection = several_prices(table, sku[0].index, fields["price"][0].index) if "price" in fields else None
    if objection is not None:
        problems["sku"] = f"“{table.header(sku[0].index) or letter(sku[0].index)}” {objection}"
        considered.append(_alternative(table, "sku", sku[0].index, objection))
        del fields["sku"]
        return
    other = other_code(table, sku[0].index, {mapped.index for columns in fields.values() for mapped in columns})
    if other is not None:
        shown = table.header(other) or letter(other)
        problems["sku"] = f"“{table.header(sku[0].index)}” is the maker's code, and “{shown}” could be the supplier's"
        del fields["sku"]


def _take_gtins_as_keys(table: Table, fields: Fields, problems: dict[str, str]) -> None:
    if "sku" in fields or "sku" in problems or not {"gtin", "price"} <= fields.keys():
        return
    gtin = fields["gtin"][0].index
    if gtin_as_key(table, gtin, fields["price"][0].index):
        fields["sku"] = [Mapped(gtin, 0.85, "no other codes; every item has a GTIN of its own")]


def _name_within_key(table: Table, fields: Fields) -> None:
    """Whoever makes the name a key, alone or with other columns, still means it as name."""
    for mapped in fields.get("sku", ()):
        hit = table.headings[mapped.index].hit("name")
        if hit is not None and hit.level >= 3 and disagrees(table, "name", mapped.index, hit.level) is None:
            fields["name"] = [Mapped(mapped.index, CERTAINTY[hit.level], f"{hit.reason}; part of the key, too")]
            return


def _join_halves(table: Table, fields: Fields) -> None:
    name, taken = fields["name"], {mapped.index for columns in fields.values() for mapped in columns}
    if len(name) == 1 and (beside := other_half(table, name[0].index, taken)) is not None:
        fields["name"] = [*name, Mapped(beside, 0.8, "no header; filled where the name beside it is blank")]


def _take_names_as_keys(
    table: Table,
    fields: Fields,
    problems: dict[str, str],
    warnings: list[str],
    more: Callable[[], Iterable[tuple[int, Row]]],
) -> None:
    """Only where the whole list shows that names are as good as codes; else a person is asked."""
    if "sku" in fields or "sku" in problems or not {"name", "price"} <= fields.keys():
        return
    (name, *others), price = fields["name"], fields["price"][0]
    if others or min(name.certainty, price.certainty) < SURE:
        return
    objection = why_not(table, name.index, price.index, more())
    if objection is None:
        fields["sku"] = [Mapped(name.index, 0.8, NAMES_AS_KEYS)]
        warnings.append(f"the list has no codes: “{table.header(name.index)}” is the key of its items")
    else:
        problems["sku"] = f"there are no codes, and {objection}"


def _take_variants(
    table: Table,
    fields: Fields,
    *,
    problems: dict[str, str],
    warnings: list[str],
    considered: Sequence[Alternative],
    more: Callable[[], Iterable[tuple[int, Row]]],
) -> None:
    """A code that repeats, or a name in a list without codes, is the key together with the columns that say what its
    rows differ by, where the whole list shows that this tells them apart."""
    if "sku" in fields or "price" not in fields:
        return
    codes = [other.index for other in considered if other.field == "sku" and REPEATS in other.reason]
    names = [mapped.index for mapped in fields.get("name", ())]
    base = codes[:1] or (names if VARIANTS in problems.get("sku", "") else [])
    taken = {mapped.index for columns in fields.values() for mapped in columns} | set(base)
    key = (
        key_with_variants(table, base, fields["price"][0].index, variant_columns(table, taken), more())
        if base
        else None
    )
    if key is None:
        return
    fields["sku"] = [Mapped(index, 0.75, VARIANTS_AS_KEYS) for index in key]
    problems.pop("sku", None)
    told = " and ".join(f"“{table.header(index) or letter(index)}”" for index in key)
    warnings.append(f"no single column tells the items apart: {told} together are the key")


def _take_code_as_name(table: Table, fields: Fields, problems: dict[str, str], warnings: list[str]) -> None:
    """Only in a list that has nothing else to call its items by."""
    if "name" in fields or "name" in problems or "sku" not in fields:
        return
    if could_be_name(table, {mapped.index for columns in fields.values() for mapped in columns}) is not None:
        return
    fields["name"] = [Mapped(part.index, 0.7, "the list has no names: the code is shown") for part in fields["sku"]]
    warnings.append("the list has no names: its items are called by their codes")


def _warn_of_repeated_codes(table: Table, fields: Fields, warnings: list[str]) -> None:
    if len(fields["sku"]) > 1:
        return
    figures = table.figures(fields["sku"][0].index)
    if figures.filled > 1 and figures.distinct < figures.filled:
        repeated = figures.filled - figures.distinct
        warnings.append(f"{repeated} of the first {figures.filled} rows repeat a code; rules.duplicates decides")
