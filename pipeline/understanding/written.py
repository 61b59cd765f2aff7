"""The grammar of a cell: one number, perhaps with a currency, a sign, a quantity it is for, a footnote mark."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from pipeline.understanding.currency import Sign, sign_of
from pipeline.understanding.text import fold
from pipeline.understanding.words import vocabulary

Mark = Literal[".", ","]
LONGEST = 60
INDIAN = 0.8
"""How sure “Rs. 500/-” is in Indian rupees: others write so, too, but seldom."""
_KEPT = 2 * LONGEST
"""Characters of a text whose reading is kept: a column is looked at by several."""

_SAME = str.maketrans(
    {
        **{chr(zero + digit): str(digit) for zero in (0xFF10, 0x0660, 0x06F0) for digit in range(10)},
        **{chr(0x2000 + place): " " for place in range(11)},
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **dict.fromkeys("’‘ʼ´`＇٬", "'"),
        **dict.fromkeys("−–—‒－", "-"),
        "．": ".",
        "٫": ".",
        "，": ",",
        "＋": "+",
        "／": "/",
        "％": "%",
        "＊": "*",
        "￥": "¥",
        "＄": "$",
        "（": "(",
        "）": ")",
    }
)
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")
_WITHIN = re.compile(rf"[0-9]{_INVISIBLE.pattern}[0-9]")
_ARABIC = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_OTHER_DIGIT = re.compile("[0-9\uff10-\uff19]")
_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_BODY = re.compile(r"[0-9]+(?:[., '][0-9]+)*")
_DIGIT = re.compile(r"[0-9]")
_SPLIT = re.compile(r"[., ']")
_ABBREVIATED = frozenset(
    ("руб", "р", "rs", "fr", "sfr", "kr", "грн", "rub", "тг", "лв", "долл", "дол", "s/", "b/", "bs", "rp", "kč")
)
"""Currency words that are written with a full stop, so that the stop before a number is not a decimal point."""
_NO_CENTS = re.compile(r"[.,] ?(?:-{1,2}|=)")
_ONLY = re.compile(r"/ ?[-=]$")
"""“Rs. 500/-”: five hundred rupees and nothing more, as one writes in India."""
_FOOTNOTE = re.compile(r"(?: ?(?:\*{1,3}|[†‡])| [⁰¹²³⁴-⁹]{1,2}[)⁾]?|[⁰¹²³⁴-⁹]{1,2}[)⁾])$")
_FOR = re.compile(
    r"(?P<number>.*?[0-9].*?) ?(?:(?P<slash>/)|\b(?:per|pro|par|je|pr)\b|\b(?P<loose>à|por|za|за|на)\b|\bp\.)"
    r" ?(?P<count>[0-9]{1,3}(?:[ .,'][0-9]{3})+|[0-9]{1,7})?(?![0-9]) ?(?P<unit>[^\W\d_]+[23²³]?)?\.?",
    re.IGNORECASE,
)
_FOR_SAYS = re.compile(r"/|\b(?:per|pro|par|je|pr|à|por|za|за|на)\b|\bp\.", re.IGNORECASE)
"""What _FOR cannot do without."""
_EACH = re.compile(r"(?P<number>.*[0-9].*?) ?(?:\beach|\bea\.?|\bc/u)", re.IGNORECASE)
_EACH_ENDS = ("each", "ea", "ea.", "c/u")


class Written(NamedTuple):
    """A number as it stands in a cell, before its separators are understood."""

    body: str
    """Digits and separators only."""
    negative: bool
    sign: Sign | None
    """What the text beside the number says about the currency."""
    cents: Mark | None = None
    """The decimal sign of "48,-", whose decimals are a dash."""
    basis: int | None = None
    """Units the number is for, where the cell says so: 100 in "3,50 €/100 m"."""
    unit: str | None = None
    note: str = ""
    """A footnote mark behind it: "*"."""

    @property
    def full(self) -> str:
        """The body with the decimals that a dash stands for."""
        return self.body if self.cents is None else f"{self.body}{self.cents}00"


def alike(text: str) -> str | None:
    """The text with one kind of digits, spaces, dashes and apostrophes, and without marks that nobody sees; None where
    such a mark stands between digits, or digits of two scripts stand in one cell."""
    if text.isascii():
        if text.isprintable() and "`" not in text:
            return text.strip()
    elif _ARABIC.search(text) and _OTHER_DIGIT.search(text):
        return None
    text = text.translate(_SAME)
    if not text.isprintable():
        if _WITHIN.search(text):
            return None
        text = _INVISIBLE.sub("", text)
    return text.strip()


def take_apart(text: str) -> Written | None:
    """Splits "€ 1.234,50", "(12.00)", "48,-", "руб. 7", "3,50 €/100 m", "9.90 *" …; None if the text is not one number
    with at most these beside it. ASCII, full-width and Arabic digits count; no exponents, no underscores."""
    return _known(text) if len(text) <= _KEPT else _taken(text)


def _taken(text: str) -> Written | None:
    if len(text) <= LONGEST and _PLAIN.fullmatch(text):
        return Written(text, negative=False, sign=None)
    cleaned = alike(text)
    if cleaned is None or len(cleaned) > LONGEST or not _DIGIT.search(cleaned):
        return None
    footnote = _FOOTNOTE.search(cleaned)
    if footnote:
        cleaned = cleaned[: footnote.start()]
    found = _number(cleaned)
    if found is None and ("/" in cleaned or not cleaned.isascii() or any(map(str.isalpha, cleaned))):
        found = _with_basis(cleaned)
    return found._replace(note=footnote[0].strip()) if found is not None and footnote else found


_known = lru_cache(maxsize=16_384)(_taken)


def grouped(body: str) -> bool:
    """True if every separator can group thousands."""
    groups = _SPLIT.split(body)
    return 1 <= len(groups[0]) <= 3 and groups[0][0] != "0" and all(len(group) == 3 for group in groups[1:])


def in_lakhs(body: str) -> bool:
    """True for the Indian grouping, 1,23,456: two digits above the thousands."""
    groups = _SPLIT.split(body)
    return (
        len(groups) > 2
        and 1 <= len(groups[0]) <= 2
        and groups[0][0] != "0"
        and len(groups[-1]) == 3
        and all(len(group) == 2 for group in groups[1:-1])
    )


def _number(text: str) -> Written | None:
    if text[:1] == "'":  # how a spreadsheet marks text
        text = text[1:].strip()
    first = _DIGIT.search(text)
    if first is None:
        return None
    start = first.start()
    end = len(text)
    while not ("0" <= text[end - 1] <= "9"):
        end -= 1
    before, body, after = text[:start].strip(), text[start:end], text[end:].strip()
    if before[-1:] in (".", ",") and text[start - 1] == before[-1]:
        mark, word = before[-1], before[:-1].strip()
        if not any(character.isalpha() for character in word):
            before, body = word, f"0{mark}{body}"
        elif mark == "," or before[-2] == " " or word.casefold() not in _ABBREVIATED:
            return None
    negative = False
    if before.startswith("(") and after.endswith(")"):
        negative, before, after = True, before[1:].strip(), after[:-1].strip()
    only = _ONLY.search(after)
    if only:
        after = after[: only.start()].strip()
    cents: Mark | None = None
    if without_cents := _NO_CENTS.match(after):
        cents = "." if after[0] == "." else ","
        after = after[without_cents.end() :].strip()
    if before[:1] in ("-", "+") or before[-1:] in ("-", "+"):
        negative = negative or "-" in (before[0], before[-1])
        before = before.strip("-+ ")
    if after[:1] == "-" or after[-1:] == "-":
        negative, after = True, after.strip("- ")
    if after == "CR" or after.endswith(" CR"):
        negative, after = True, after[:-2].strip()
    if not _BODY.fullmatch(body) or (cents and ("." in body or "," in body) and (cents in body or not grouped(body))):
        return None
    sign: Sign | None = None
    for word in (before, after):
        if word:
            found = sign_of(word[1:-1] if word[0] + word[-1] in ("()", "[]") else word)
            if found is None or (sign is not None and not set(sign.codes) & set(found.codes)):
                return None
            sign = found if sign is None or len(found.codes) < len(sign.codes) else sign
    if only:
        if sign is None or "INR" not in sign.codes:
            return None
        sign = sign if sign.settled else Sign(sign.codes, "INR", INDIAN)
    return Written(body, negative, sign, cents)


def _with_basis(text: str) -> Written | None:
    """A number and what it is for. A count without a unit must be a power of ten, and not stand behind a word that
    could as well mean "for" or "to" ("2 за 10", "5 à 10"); behind a mere stroke ("150/100" could be two prices) it must
    be 100 at least, and the number have decimals or a currency behind it."""
    if text[-4:].casefold().endswith(_EACH_ENDS) and (each := _EACH.fullmatch(text)):
        found = _number(each["number"].strip())
        return None if found is None else found._replace(basis=1)
    # The search is quick, and most texts end here.
    match = _FOR.fullmatch(text) if _FOR_SAYS.search(text) else None
    if match is None:
        return None
    found = _number(match["number"].strip())
    unit = match["unit"]
    if found is None or (unit is not None and fold(unit) not in vocabulary("units")):
        return None
    count = int(re.sub(r"\D", "", match["count"])) if match["count"] else None
    if count == 0 or (count is None and unit is None):
        return None
    if count is not None and unit is None:
        if match["loose"] or count < 10 or str(count).strip("0") != "1":
            return None
        if match["slash"] and (count < 100 or not (_has_decimals(found) or not match["number"].strip()[-1].isdigit())):
            return None
    return found._replace(basis=count or 1, unit=unit)


def _has_decimals(found: Written) -> bool:
    groups = _SPLIT.split(found.body)
    return found.cents is not None or (len(groups) > 1 and len(groups[-1]) != 3)
