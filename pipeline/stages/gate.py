"""The fast way through validation: one pydantic call a chunk, compiled from the understanding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Union

from pydantic import Field, StringConstraints, TypeAdapter

from contracts.understanding import Column, NumberFormat, Understanding
from pipeline.understanding.currency import ISO_4217

Accepted = tuple[str, ...]

LONGEST: Final = 2_000
"""Characters of a characteristic; longer ones go the slow way."""

# Characters that no rule of normalisation touches: printable, stable under NFC, no white space. Everything else takes
# the slow way and is none the worse, so the list need not be complete, only right.
_BEYOND_ASCII: Final = (
    r"\u00a1-\u00ac\u00ae-\u02ff\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u0400-\u0482\u048a-\u052f\u05d0-\u05ea"
    r"\u0621-\u063a\u0641-\u064a\u2010-\u2015\u2018-\u201f\u2022\u2026\u2030-\u2034\u2039\u203a\u20a0-\u20bf\u2116"
    r"\u2122\u2190-\u2193\u2264\u2265\u3001\u3002\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fd5\uac00-\ud7a3"
)
_ANY: Final = f"[!-~{_BEYOND_ASCII}]"
_INNER: Final = f"[ -~{_BEYOND_ASCII}]"
_REST: Final = f"(?:{_INNER}*{_ANY})?"
# Not "#": so begin the error cells of spreadsheets.
_TEXT: Final = rf"[!\x22$-~{_BEYOND_ASCII}]{_REST}"
# Nor a digit before ".", "," or "E": so begin codes that a spreadsheet turned into 1.23E+12.
_CODE: Final = rf"(?:[!\x22$-/:-~{_BEYOND_ASCII}]{_REST}|[0-9](?: {_REST}|[!-+\-/-DF-df-~{_BEYOND_ASCII}]{_REST})?)"
# The same with a digit somewhere.
_LETTERS: Final = rf"[ -/:-~{_BEYOND_ASCII}]*"
_CODED: Final = (
    rf"(?:[!\x22$-/:-~{_BEYOND_ASCII}]{_LETTERS}[0-9]{_REST}"
    rf"|[0-9](?: {_REST}|[!-+\-/-DF-df-~{_BEYOND_ASCII}]{_REST})?)"
)
_CATEGORY: Final = rf"[!\x22$-=?-~{_BEYOND_ASCII}](?:[ -=?-~{_BEYOND_ASCII}]*[!-=?-~{_BEYOND_ASCII}])?"
_UNIT: Final = rf"[!\x22$-.:-~{_BEYOND_ASCII}](?:[ -.:-~{_BEYOND_ASCII}]*[!-.:-~{_BEYOND_ASCII}])?"
_NUMBER: Final = r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?"
_BELOW_ONE: Final = "|".join(f"0{{{zeros}}}[1-9][0-9]{{0,{5 - zeros}}}" for zeros in range(6))


def price_pattern(numbers: NumberFormat, *, zero: bool) -> str:
    """Prices of which at most the decimal sign must be replaced: no grouping, no leading zeros, more than 0 unless
    `zero`."""
    whole = "[1-9][0-9]{0,11}"
    if numbers.decimal is None:
        return f"{whole}|0" if zero else whole
    mark = rf"\{numbers.decimal}"
    if numbers.decimal == numbers.thousands:
        return f"{whole}(?:{mark}[0-9]{{1,2}})?"
    if not numbers.three:  # 1,234 is in doubt, 0,234 and 1234,567 are not
        above = f"{whole}(?:{mark}(?:[0-9]{{1,2}}|[0-9]{{4,6}}))?|[1-9][0-9]{{3,11}}{mark}[0-9]{{3}}"
    else:
        above = f"{whole}(?:{mark}[0-9]{{1,6}})?"
    below = f"0(?:{mark}[0-9]{{1,6}})?" if zero else f"0{mark}(?:{_BELOW_ONE})"
    return f"{above}|{below}"


def compile_gate(understanding: Understanding) -> Gate | None:
    """None if no row of such a list can go the fast way: sections (a row's category comes from the rows above), a key
    or name of several columns or of the same one, a currency that only the price cells tell, prices in cents."""
    if understanding.numbers.scale != "1":
        return None
    if understanding.sections or any(len(understanding.columns_of(field)) != 1 for field in ("sku", "name", "price")):
        return None
    if understanding.currency is None and not understanding.columns_of("currency"):
        return None
    fields = [column.index for column in understanding.columns if column.field is not None]
    if len(set(fields)) != len(fields) or max(fields) >= understanding.width:
        return None
    patterns = [(f"(?:{_TEXT})?", LONGEST)] * understanding.width
    for column in understanding.columns:
        if column.index >= understanding.width or (column.kind == "number" and column.index in fields):
            return None
        if column.field is not None:
            patterns[column.index] = _pattern_of(column, understanding)
        elif column.key is not None and column.kind == "number":
            patterns[column.index] = (f"(?:{_NUMBER})?", LONGEST)
    return _gate(tuple(patterns))


@lru_cache(maxsize=64)
def _gate(patterns: tuple[tuple[str, int], ...]) -> Gate:
    """One for all lists of the same columns: to compile it takes longer than to judge a short list."""
    return Gate([Annotated[str, StringConstraints(pattern=f"^(?:{p})$", max_length=n)] for p, n in patterns])


def _pattern_of(column: Column, understanding: Understanding) -> tuple[str, int]:
    listed = understanding.currency
    match column.field:
        case "sku":
            return _CODE if understanding.rules.charges is None else _CODED, 255
        case "name":
            return _TEXT, 500
        case "price":
            return price_pattern(understanding.numbers, zero=understanding.zero_price == "accept"), 20
        case "currency" if listed is not None and listed != "XXX":
            return f"(?:{listed})?", 3
        case "currency":
            return "|".join(sorted(ISO_4217 - {"XXX"})), 3
        case "category":
            return f"(?:{_CATEGORY})?", 255
        case "unit":
            return f"(?:{_UNIT})?", 40
        case "price_basis":
            return "(?:[1-9][0-9]{0,8})?", 9
        case "gtin":
            return "(?:[0-9]{8}|[0-9]{12,14})?", 14
        case _:
            raise ValueError(f"no pattern for {column.field}")


class Gate:
    """Judges rows by pydantic and changes nothing: what was judged is what is sent."""

    def __init__(self, shapes: Sequence[Any]) -> None:
        row: Any = tuple.__class_getitem__(tuple(shapes))
        either: Any = Annotated[Union.__getitem__((row, Any)), Field(union_mode="left_to_right")]
        rows: Any = list.__class_getitem__(either)
        self._adapter: TypeAdapter[list[Any]] = TypeAdapter(rows)

    def judge(self, rows: list[Any]) -> list[Any]:
        """One answer per row, in order: a tuple of its cells if it passes, else the very row that came in. Rows must be
        lists; None stands for one without cells, of which each missing cell would cost."""
        return self._adapter.validate_python(rows)
