"""What text of a list is compared as: folded headers, cleaned values, column letters."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from contracts.rows import Cell, Row

_CAMEL = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_SEPARATORS = re.compile(r"[^\w%€$£¥₽₴]+|_+")
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")
_OTHER_SPACE = re.compile(r"[ ]*[^\S ]\s*")
_SHAPES = str.maketrans(dict.fromkeys(string.ascii_letters, "A") | dict.fromkeys(string.digits, "9"))
_EDGES = " \ufeff\u200b\u200e\u200f\u2060"

ERROR_CELLS = frozenset(
    (
        "#N/A", "#NA", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!",
        "#GETTING_DATA", "#ERROR!", "#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#NOMBRE?",
        "#VALOR!", "#¡VALOR!", "#¡REF!", "#¡DIV/0!", "#ARG!", "#ADR!", "#Н/Д", "#ССЫЛКА!", "#ЗНАЧ!", "#ДЕЛ/0!",
        "#ИМЯ?", "#ЧИСЛО!", "#ПУСТО!", "#BLOCKED!", "#BUSY!", "#CONNECT!", "#EXTERNAL!", "#UNKNOWN!", "#ERR!",
        "#FORMULA!",
    )
)  # fmt: skip
"""How spreadsheets in several languages write a failed formula; #FORMULA! and #ERR! are our own words for one without a
result and for an error that has no name."""


class TextInvalid(ValueError):
    """The text holds characters that cannot be stored: NUL, other C0 controls, DEL, lone surrogates."""


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """A header or word for comparison: case, accents, punctuation, white space and line breaks do not count;
    "#" and "№" read as "no", camelCase as two words."""
    if text.isascii():
        spaced = text.replace("#", " no ")
        bare = spaced.lower()
        if bare != spaced:
            bare = _CAMEL.sub(" ", spaced).lower()
        return bare if bare.isalnum() else " ".join(_SEPARATORS.sub(" ", bare).split())
    spaced = _CAMEL.sub(" ", text.replace("#", " no ").replace("№", " no "))
    plain = unicodedata.normalize("NFKD", spaced.casefold())
    bare = "".join(character for character in plain if unicodedata.category(character) != "Mn")
    return " ".join(_SEPARATORS.sub(" ", unicodedata.normalize("NFC", bare)).split())


def clean(text: str) -> str:
    """The stored form of a text: NFC, without outer white space and invisible marks, every run of white space that
    is not plain spaces (line breaks, tabs, no-break spaces) as one space. Runs of plain spaces stay: in codes and
    names they may tell two items apart. Raises TextInvalid."""
    if text.isprintable():
        text = text.strip(" ")
        return text if text.isascii() or unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    if _FORBIDDEN.search(text):
        raise TextInvalid(text)
    return unicodedata.normalize("NFC", _OTHER_SPACE.sub(" ", text).strip(_EDGES))


def plain(number: Decimal) -> str:
    """A real number of the source as text: no exponent, no trailing zeros behind the decimal point."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell_text(cell: Cell) -> str:
    """Any cell as text, not cleaned; '' for None."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return plain(cell)


def raw(cell: Cell) -> str | None:
    """A cell as evidence in a log: what cannot be stored is shown as U+FFFD."""
    if cell is None:
        return None
    text = cell_text(cell)
    return text if text.isprintable() else _FORBIDDEN.sub("\ufffd", text)


def is_blank(cell: Cell) -> bool:
    """True for None and for text of nothing but white space and invisible marks."""
    if cell is None:
        return True
    # What begins with a visible ASCII character is not blank, and most cells do.
    if not isinstance(cell, str) or " " < cell[:1] < "\x7f":
        return False
    return not cell or cell.isspace() or not cell.strip(_EDGES + "\t\r\n")


def filled(row: Row) -> list[int]:
    """Indexes of the cells that hold something."""
    return [
        index
        for index, cell in enumerate(row)
        # As is_blank does, which costs a call for each cell.
        if cell is not None and ((type(cell) is str and " " < cell[:1] < "\x7f") or not is_blank(cell))
    ]


def one_line(cell: Cell) -> str:
    """A cell as a header or sample for people: one line, single spaces."""
    return " ".join(_FORBIDDEN.sub("\ufffd", cell_text(cell)).split())


def letter(index: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def letter_index(name: str) -> int | None:
    """A -> 0, BC -> 54; None if it is no column letter."""
    if not (name.isascii() and name.isalpha() and len(name) <= 3):
        return None
    value = 0
    for character in name.upper():
        value = value * 26 + ord(character) - 64
    return value - 1


def shape(text: str) -> str:
    """Letters as A and digits as 9: what codes of one supplier have in common."""
    if text.isascii():
        return text[:60].translate(_SHAPES)
    return "".join("9" if c.isdigit() else "A" if c.isalpha() else c for c in text[:60])


def short(text: str, limit: int = 60) -> str:
    """Cut for a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(names: Sequence[str]) -> str:
    """“A”, “B” and “C”, for a sentence."""
    quoted = [f"“{short(name)}”" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1] if quoted else "none"
