"""How a price is written: one grammar for a cell, one inference for a column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from contracts.understanding import NumberFormat
from pipeline.understanding.currency import Sign, sign_of

Mark = Literal[".", ","]

_SAME = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **{chr(0x2000 + place): " " for place in range(11)},
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **dict.fromkeys("’‘ʼ´`＇", "'"),
        **dict.fromkeys("−–—‒－", "-"),
        "．": ".",
        "，": ",",
        "￥": "¥",
        "＄": "$",
        "（": "(",
        "）": ")",
    }
)
_BODY = re.compile(r"[0-9]+(?:[., '][0-9]+)*")
_DIGIT = re.compile(r"[0-9]")
_SPLIT = re.compile(r"[., ']")
_ABBREVIATED = frozenset(("руб", "р", "rs", "fr", "sfr", "kr", "грн", "rub", "тг", "лв", "долл", "дол"))
"""Currency words that are written with a full stop, so that the stop before a number is not a decimal point."""
_NO_CENTS = re.compile(r"[.,] ?-{1,2}")


class Written(NamedTuple):
    """A number as it stands in a cell, before its separators are understood."""

    body: str
    """Digits and separators only."""
    negative: bool
    sign: Sign | None
    """What the text beside the number says about the currency."""


def take_apart(text: str) -> Written | None:
    """Splits "€ 1.234,50", "(12.00)", "48,-", "руб. 7" …; None if the text is not one number with at most a currency
    beside it. Only ASCII and full-width digits count; no exponents, no underscores."""
    text = text.translate(_SAME).strip()
    first = _DIGIT.search(text)
    if first is None or len(text) > 60:
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
    without_cents = _NO_CENTS.match(after)
    if without_cents:
        after = after[without_cents.end() :].strip()
    if before[:1] in ("-", "+") or before[-1:] in ("-", "+"):
        negative = negative or "-" in (before[0], before[-1])
        before = before.strip("-+ ")
    if after[:1] == "-" or after[-1:] == "-":
        negative, after = True, after.strip("- ")
    if not _BODY.fullmatch(body) or (without_cents and ("." in body or "," in body) and not _grouped(body)):
        return None
    sign: Sign | None = None
    for word in (before, after):
        if word:
            found = sign_of(word)
            if found is None or (sign is not None and not set(sign.codes) & set(found.codes)):
                return None
            sign = found if sign is None or len(found.codes) < len(sign.codes) else sign
    return Written(body, negative, sign)


def _grouped(body: str) -> bool:
    """True if every separator can group thousands."""
    groups = _SPLIT.split(body)
    return 1 <= len(groups[0]) <= 3 and groups[0][0] != "0" and all(len(group) == 3 for group in groups[1:])


def apply(body: str, numbers: NumberFormat) -> str | None:
    """Reads digits and separators as this column writes them: canonical text with '.' and no grouping, leading zeros
    cut, decimals kept; None if they do not fit. A grouping sign that the column is not known to use is believed only
    beside the decimal sign ("1,234.50"), because "1,234" alone could be something else. The other decimal sign is
    believed before one or two digits ("1.50" among commas), which no grouping can be, unless it groups thousands in
    this column."""
    marks = [character for character in body if not "0" <= character <= "9"]
    decimal, thousands = numbers.decimal, numbers.thousands
    fraction = ""
    if not marks:
        whole = body
    else:
        groups = _SPLIT.split(body)
        if decimal is not None and marks[-1] == decimal and (marks.count(decimal) == 1 or decimal == thousands):
            fraction = groups.pop()
            marks.pop()
            if decimal == thousands and len(fraction) == 3 and groups[0] != "0" and len(groups[0]) <= 3:
                return None
        elif decimal is not None and marks in (["."], [","]) and marks[0] != thousands and len(groups[-1]) <= 2:
            fraction, marks = groups.pop(), []
        elif len(set(marks)) != 1 or marks[0] != thousands or thousands == decimal:
            return None
        if marks and (len(set(marks)) != 1 or not _grouped(".".join(groups))):
            return None
        if marks and marks[0] == decimal and decimal != thousands:
            return None
        whole = "".join(groups)
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


@dataclass(slots=True)
class Evidence:
    """What the written numbers of a column say about its separators; addable value by value."""

    decimal: Counter[str] = field(default_factory=Counter)
    """Values in which this sign can only be the decimal sign."""
    thousands: Counter[str] = field(default_factory=Counter)
    """Values in which this sign can only group thousands."""
    both: Counter[str] = field(default_factory=Counter)
    """Values in which the same sign must be both ("1,234,56")."""
    open: dict[str, list[str]] = field(default_factory=dict)
    """Values such as "1.234" by their only sign: thousands or three decimals."""
    example: dict[str, str] = field(default_factory=dict)
    plain: int = 0
    values: int = 0

    def add(self, body: str) -> None:
        self.values += 1
        if body.isdigit():
            self.plain += 1
            return
        groups = _SPLIT.split(body)
        marks = [character for character in body if not "0" <= character <= "9"]
        soft = {mark for mark in marks if mark in " '"}
        hard = [mark for mark in marks if mark in ".,"]
        if soft:
            self._add_soft(body, groups, marks, soft, hard)
        elif len(set(hard)) == 2:
            last = hard[-1]
            if hard.count(last) == 1 and _grouped(".".join(groups[:-1])):
                self._decimal(last, body)
                self.thousands[hard[0]] += 1
        elif len(hard) > 1:
            if _grouped(body):
                self.thousands[hard[0]] += 1
                self.example.setdefault("thousands" + hard[0], body)
            elif len(groups[-1]) < 3 and _grouped(".".join(groups[:-1])):
                self.both[hard[0]] += 1
                self.example.setdefault("decimal" + hard[0], body)
        elif _grouped(body):
            examples = self.open.setdefault(hard[0], [])
            if len(examples) < 20:
                examples.append(body)
        else:
            self._decimal(hard[0], body)

    def _add_soft(self, body: str, groups: list[str], marks: list[str], soft: set[str], hard: list[str]) -> None:
        if len(soft) > 1 or len(hard) > 1 or (hard and marks[-1] != hard[0]):
            return
        if not _grouped(".".join(groups[:-1] if hard else groups)):
            return
        self.thousands[soft.copy().pop()] += 1
        if hard:
            self._decimal(hard[0], body)

    def _decimal(self, mark: str, body: str) -> None:
        self.decimal[mark] += 1
        self.example.setdefault("decimal" + mark, body)

    @property
    def decided(self) -> bool:
        """False while more values could change or complete the answer."""
        return bool(self.decimal or self.both or self.thousands["."] or self.thousands[","])

    def support(self, mark: str) -> int:
        """Values that can only be read with this decimal sign."""
        other = "," if mark == "." else "."
        return self.decimal[mark] + self.thousands[other] - min(self.decimal[mark], self.thousands[other])


class Ambiguity(NamedTuple):
    """Two readings survived, and they give different prices."""

    value: str
    readings: tuple[tuple[Mark, str], tuple[Mark, str]]
    """(decimal sign, what the value would then be) twice."""
    sentence: str


def collect(texts: Iterable[str]) -> Evidence:
    """Evidence of all number-shaped texts; others are left out."""
    evidence = Evidence()
    for text in texts:
        written = take_apart(text)
        if written is not None:
            evidence.add(written.body)
    return evidence


def decide(evidence: Evidence) -> NumberFormat | Ambiguity:
    """The one format that all values allow. Where both decimal signs are in evidence, 95 % decide, if no value reads
    differently under the two; otherwise it is a question for a person."""
    point, comma = evidence.support("."), evidence.support(",")
    if not comma:
        point += evidence.both["."]
    if not point:
        comma += evidence.both[","]
    loose = [(mark, values[0]) for mark, values in sorted(evidence.open.items())]
    if point and comma:
        major, minor = max(point, comma), min(point, comma)
        if minor * 200 <= major or (minor * 20 <= major and not loose):
            mark: Mark = "." if point > comma else ","
            return _format(evidence, mark, f"{_why(evidence, mark)}, in {major} of {major + minor} values", loose=False)
        shown = loose[0][1] if loose else evidence.example["decimal," if evidence.decimal[","] else "decimal."]
        return _ambiguity(shown, f"{point} values of the column need a decimal point, {comma} a decimal comma")
    if point or comma:
        mark = "." if point else ","
        return _format(evidence, mark, _why(evidence, mark))
    if loose:
        soft = evidence.thousands[" "] + evidence.thousands["'"]
        if soft and len(loose) == 1:
            only: Mark = "." if loose[0][0] == "." else ","
            return _format(evidence, only, "another sign groups the thousands")
        return _ambiguity(loose[0][1], "no value of the column tells thousands from decimals")
    thousands = _thousands(evidence, None)
    return NumberFormat(None, thousands, "no value has decimals" if evidence.values else "no text needs reading")


def fixed(decimal: Mark, thousands: str | None, evidence: Evidence, reason: str) -> NumberFormat:
    """The format a person or profile stated; the grouping sign is the one seen, else the other hard one."""
    seen = _thousands(evidence, decimal)
    return NumberFormat(decimal, (seen or ("," if decimal == "." else ".")) if thousands is None else thousands, reason)


def contradicts(evidence: Evidence, decimal: Mark) -> bool:
    """True if values of the column can only be read with the other decimal sign, and none only with this one."""
    return evidence.support("," if decimal == "." else ".") > 0 and evidence.support(decimal) == 0


def _format(evidence: Evidence, mark: Mark, reason: str, *, loose: bool = True) -> NumberFormat:
    """`loose` lets values such as "1,234" alone prove that the comma groups thousands."""
    thousands = _thousands(evidence, mark, loose=loose)
    if evidence.both[mark] and thousands not in {".", ","}:
        return NumberFormat(mark, mark, f"{reason}; the same sign groups thousands")
    return NumberFormat(mark, thousands, reason)


def _thousands(evidence: Evidence, decimal: Mark | None, *, loose: bool = True) -> str:
    seen = Counter({mark: count for mark, count in evidence.thousands.items() if mark != decimal and count})
    for mark, values in evidence.open.items():
        if loose and mark != decimal and decimal is not None:
            seen[mark] += len(values)
    return max(sorted(seen), key=lambda mark: seen[mark]) if seen else ""


def _why(evidence: Evidence, mark: Mark) -> str:
    name = "point" if mark == "." else "comma"
    example = evidence.example.get("decimal" + mark)
    if example:
        return f"decimal {name}, as in “{example}”"
    other = "," if mark == "." else "."
    return f"“{other}” groups thousands, as in “{evidence.example.get('thousands' + other, '')}”"


def _ambiguity(value: str, why: str) -> Ambiguity:
    point = apply(value, NumberFormat(".", ",")) or "no number"
    comma = apply(value, NumberFormat(",", ".")) or "no number"
    return Ambiguity(
        value,
        ((".", point), (",", comma)),
        f"“{value}” is {point} with a decimal point and {comma} with a decimal comma; {why}",
    )
