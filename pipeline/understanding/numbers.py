"""How a column writes its numbers: evidence of all values, and the one format they allow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.understanding import NumberFormat
from pipeline.understanding.written import Mark, Written, grouped, in_lakhs, take_apart

__all__ = ["Ambiguity", "Evidence", "Mark", "apply", "collect", "contradicts", "decide", "fixed", "take_apart"]

_NO_MINOR_UNIT = ({"JPY"}, {"KRW"})
"""Currencies without decimals (ISO 4217) of countries that never write a decimal comma: "1,234円" groups thousands."""
_SPLIT = re.compile(r"[., ']")
CERTAIN = 10
"""So many values with at most two decimals make a third one in one value in ten (with just two: in half) a doubt."""


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
            doubtful = decimal == thousands or not numbers.three
            if not marks and doubtful and len(fraction) == 3 and groups[0][0] != "0" and len(groups[0]) <= 3:
                return None
        elif decimal is not None and marks in (["."], [","]) and marks[0] != thousands and len(groups[-1]) <= 2:
            fraction, marks = groups.pop(), []
        elif len(set(marks)) != 1 or marks[0] != thousands or thousands == decimal:
            return None
        if marks and not _groups_fit(groups, marks, numbers):
            return None
        whole = "".join(groups)
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _groups_fit(groups: list[str], marks: list[str], numbers: NumberFormat) -> bool:
    if len(set(marks)) != 1 or (marks[0] == numbers.decimal and numbers.decimal != numbers.thousands):
        return False
    return grouped(".".join(groups)) or (numbers.lakhs and marks[0] == "," and in_lakhs(".".join(groups)))


@dataclass(slots=True)
class Evidence:
    """What the written numbers of a column say about its separators; addable value by value."""

    decimal: Counter[str] = field(default_factory=Counter)
    """Values in which this sign can only be the decimal sign."""
    thousands: Counter[str] = field(default_factory=Counter)
    """Values in which this sign can only group thousands."""
    both: Counter[str] = field(default_factory=Counter)
    """Values in which the same sign must be both ("1,234,56")."""
    loose: Counter[str] = field(default_factory=Counter)
    """Values such as "1.234" by their only sign: thousands or three decimals."""
    fine: Counter[str] = field(default_factory=Counter)
    """Values in which this sign is certainly followed by three or more decimals."""
    cents: Counter[str] = field(default_factory=Counter)
    """Values in which it is followed by exactly two."""
    example: dict[str, str] = field(default_factory=dict)
    pairs: int = 0
    """Values such as "249 199", which could be an old price and a new one."""
    lakhs: int = 0
    """Values grouped the Indian way that no other grouping explains, less those that it does not explain."""
    yen: int = 0
    """Values with a sign of a currency that has no decimals, nor a country that writes a decimal comma."""
    plain: int = 0
    values: int = 0

    def add(self, written: Written) -> None:
        body = written.full
        self.values += 1
        self.yen += written.sign is not None and set(written.sign.codes) in _NO_MINOR_UNIT
        if body.isdigit():
            self.plain += 1
            return
        for mark in ".,":
            whole, found, fraction = body.partition(mark)
            if found and len(fraction) != 3 and whole.isdigit() and fraction.isdigit():
                self._decimal(mark, body)  # most prices; below it is told apart from everything else
                return
        groups = _SPLIT.split(body)
        marks = [character for character in body if not "0" <= character <= "9"]
        soft = {mark for mark in marks if mark in " '"}
        hard = [mark for mark in marks if mark in ".,"]
        if soft:
            self._add_soft(body, groups, marks, soft, hard)
        elif len(set(hard)) == 2:
            last = hard[-1]
            if hard.count(last) == 1 and self._group(".".join(groups[:-1]), hard[0]):
                self._decimal(last, body)
        elif len(hard) > 1:
            if self._group(body, hard[0]):
                self.example.setdefault("thousands" + hard[0], body)
            elif len(groups[-1]) < 3 and grouped(".".join(groups[:-1])):
                self.both[hard[0]] += 1
                self.example.setdefault("decimal" + hard[0], body)
        elif grouped(body):
            self.loose[hard[0]] += 1
            self.lakhs -= hard == [","] and len(groups[0]) == 3
            self.example.setdefault("loose" + hard[0], body)
        else:
            self._decimal(hard[0], body)

    def _group(self, body: str, mark: str) -> bool:
        """Counts what groups thousands in either way."""
        if grouped(body):
            self.lakhs -= max(map(len, _SPLIT.split(body)[:-1]), default=0) == 3
        elif mark == "," and in_lakhs(body):
            self.lakhs += 1
        else:
            return False
        self.thousands[mark] += 1
        return True

    def _add_soft(self, body: str, groups: list[str], marks: list[str], soft: set[str], hard: list[str]) -> None:
        if len(soft) > 1 or len(hard) > 1 or (hard and marks[-1] != hard[0]):
            return
        if not grouped(".".join(groups[:-1] if hard else groups)):
            return
        self.thousands[soft.copy().pop()] += 1
        if hard:
            self._decimal(hard[0], body)
        elif soft == {" "} and len(groups) == 2 and len(groups[0]) == 3 and "100" <= groups[1] <= groups[0]:
            self.pairs += 1
            self.example.setdefault("pair", body)

    def _decimal(self, mark: str, body: str) -> None:
        self.decimal[mark] += 1
        self.fine[mark] += len(body) - body.rindex(mark) > 3
        self.cents[mark] += len(body) - body.rindex(mark) == 3
        self.example.setdefault("decimal" + mark, body)

    @property
    def decided(self) -> bool:
        """False while more values could change or complete the answer."""
        return bool(self.decimal or self.both or self.thousands["."] or self.thousands[","])

    def in_cents(self, mark: str) -> bool:
        """Nine in ten decimals are two: there is no third one, and "1.234" is a thousand or a slip."""
        return self.cents[mark] * 10 >= self.decimal[mark] * 9

    def support(self, mark: str) -> int:
        """Values that can only be read with this decimal sign."""
        return max(self.decimal[mark], self.thousands[_other(mark)])


class Ambiguity(NamedTuple):
    """Two readings survived, and they give different prices."""

    value: str
    formats: tuple[NumberFormat, NumberFormat]
    """Both, as they would be read if a person chose them."""
    sentence: str

    @property
    def readings(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """(the sign that tells the two apart, what the value would then be) twice."""
        same = self.formats[0].decimal == self.formats[1].decimal
        one, two = (
            (form.thousands if same else form.decimal or "", apply(self.value, form) or "no number")
            for form in self.formats
        )
        return one, two


def collect(texts: Iterable[str]) -> Evidence:
    """Evidence of all number-shaped texts; others are left out."""
    evidence = Evidence()
    for text in texts:
        written = take_apart(text)
        if written is not None:
            evidence.add(written)
    return evidence


def decide(evidence: Evidence, *, whole: bool = False) -> NumberFormat | Ambiguity:
    """The one format that all values allow. Where both decimal signs are in evidence, 95 % decide, if no value reads
    differently under the two; otherwise it is a question for a person. `whole`: the prices are stated to be in yen or
    won."""
    if evidence.pairs and evidence.pairs == evidence.thousands[" "]:
        if evidence.pairs * 100 > evidence.values:
            return _paired(evidence)
        evidence.thousands[" "] = 0
    point, comma = evidence.support("."), evidence.support(",")
    if not comma:
        point += evidence.both["."]
    if not point:
        comma += evidence.both[","]
    loose = [mark for mark, count in sorted(evidence.loose.items()) if count]
    if point and comma:
        major, minor = max(point, comma), min(point, comma)
        if minor * 200 <= major or (minor * 20 <= major and not loose):
            mark: Mark = "." if point > comma else ","
            return _format(evidence, mark, f"{_why(evidence, mark)}, in {major} of {major + minor} values", mixed=True)
        shown = "loose" + loose[0] if loose else "decimal," if evidence.decimal[","] else "decimal."
        shown = shown if shown in evidence.example else "thousands" + ("." if evidence.thousands["."] else ",")
        why = f"{point} values of the column need a decimal point, {comma} a decimal comma"
        return _ambiguity(evidence, evidence.example[shown], why)
    if point or comma:
        mark = "." if point else ","
        lone = evidence.decimal[mark]
        even = lone >= CERTAIN and evidence.in_cents(mark) and evidence.loose[mark] > lone
        if lone and not evidence.fine[mark] and (even or evidence.loose[mark] > 200 * lone):
            few = f"only {lone} of {lone + evidence.loose[mark]} values tell thousands from decimals"
            return _ambiguity(evidence, evidence.example["loose" + mark], few)
        return _format(evidence, mark, _why(evidence, mark))
    if loose:
        if loose == [","] and (whole or evidence.yen * 2 > evidence.values):
            return NumberFormat(".", ",", "yen and won have no decimals, so “,” groups thousands")
        why = "no value of the column tells thousands from decimals"
        return _ambiguity(evidence, evidence.example["loose" + loose[0]], why)
    thousands = _thousands(evidence, None)
    return NumberFormat(None, thousands, "no value has decimals" if evidence.values else "no text needs reading")


def fixed(decimal: Mark, thousands: str | None, evidence: Evidence, reason: str) -> NumberFormat:
    """The format a person or profile stated; the grouping sign, if it is not stated, is the one seen, else the other
    hard one. Where values of the column need that one for decimals, "1,234" and "1.234" are left in doubt."""
    mixed = evidence.decimal[_other(decimal)] > 0
    if thousands is None:
        thousands = _thousands(evidence, decimal, loose=not mixed) or ("" if mixed else _other(decimal))
    return NumberFormat(decimal, thousands, reason, three=not mixed, lakhs=thousands == "," and evidence.lakhs > 0)


def contradicts(evidence: Evidence, decimal: Mark) -> bool:
    """True if values of the column can only be read with the other decimal sign, and none only with this one."""
    return evidence.support(_other(decimal)) > 0 and evidence.support(decimal) == 0


def _other(mark: str) -> Mark:
    return "," if mark == "." else "."


def _format(evidence: Evidence, mark: Mark, reason: str, *, mixed: bool = False) -> NumberFormat:
    """`mixed` takes from values such as "1,234" their power to prove that the comma groups thousands."""
    thousands = _thousands(evidence, mark, loose=not mixed)
    if evidence.both[mark] and thousands not in {".", ","}:
        return NumberFormat(mark, mark, f"{reason}; the same sign groups thousands")
    loose, certain = evidence.loose[mark], evidence.decimal[mark]
    few = certain >= CERTAIN and (loose * 10 <= certain or (loose <= certain and evidence.in_cents(mark)))
    doubtful = not evidence.fine[mark] and (mixed or few)
    return NumberFormat(mark, thousands, reason, three=not doubtful, lakhs=thousands == "," and evidence.lakhs > 0)


def _thousands(evidence: Evidence, decimal: Mark | None, *, loose: bool = True) -> str:
    seen = Counter({mark: count for mark, count in evidence.thousands.items() if mark != decimal and count})
    three = evidence.fine[decimal or ""] + evidence.loose[decimal or ""]
    if decimal is not None and loose and three * 2 <= evidence.decimal[decimal]:
        # Where three decimals are usual, "1,234" among decimal points could be a stray decimal comma.
        seen.update({mark: count for mark, count in evidence.loose.items() if mark != decimal})
    return max(sorted(seen), key=lambda mark: seen[mark]) if seen.total() else ""


def _why(evidence: Evidence, mark: Mark) -> str:
    name = "point" if mark == "." else "comma"
    if example := evidence.example.get("decimal" + mark):
        return f"decimal {name}, as in “{example}”"
    other = _other(mark)
    return f"“{other}” groups thousands, as in “{evidence.example.get('thousands' + other, '')}”"


def _ambiguity(evidence: Evidence, value: str, why: str) -> Ambiguity:
    found = Ambiguity(value, (_stated(".", evidence), _stated(",", evidence)), "")
    results = dict(found.readings)
    return found._replace(
        sentence=f"“{value}” is {results['.']} with a decimal point and {results[',']} with a decimal comma; {why}"
    )


def _stated(mark: Mark, evidence: Evidence) -> NumberFormat:
    other = _other(mark)
    hard = evidence.loose[other] or evidence.decimal[other] or evidence.thousands[other]
    return fixed(mark, other if hard else None, evidence, "as told")


def _paired(evidence: Evidence) -> Ambiguity:
    shown = evidence.example["pair"]
    one, two = shown.split(" ")
    return Ambiguity(
        shown,
        (NumberFormat(",", " ", "as told"), NumberFormat(",", "", "as told")),
        f"“{shown}” could be {one}{two}, or two prices in one cell ({one} and {two}), and so could every other value "
        "with a space",
    )
