"""The vocabulary of lists in many languages, loaded once from synonyms.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from pipeline.understanding.text import fold


class Hit(NamedTuple):
    """One way to read a header as a field."""

    field: str
    level: int
    """4 = exact, 3 = contains a phrase, 2 = weak word, 1 = nearly the same letters."""
    rank: int
    """Lower is the better known word of its level."""
    reason: str


@lru_cache(maxsize=1)
def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(
        files("pipeline.understanding").joinpath("synonyms.json").read_text(encoding="utf-8")
    )
    return document


VERSION: int = _document()["version"]


@lru_cache(maxsize=16)
def vocabulary(name: str) -> frozenset[str]:
    """A word list of synonyms.json, folded: totals, on_request, units …"""
    return frozenset(fold(word) for word in _document()[name])


@lru_cache(maxsize=1)
def _exact() -> dict[str, list[tuple[str, int, int]]]:
    """Folded word -> (field, level, rank)."""
    table: dict[str, list[tuple[str, int, int]]] = {}
    for field, lists in _document()["fields"].items():
        for level, name in ((4, "exact"), (2, "weak")):
            for rank, word in enumerate(lists[name]):
                entries = table.setdefault(fold(word), [])
                if all(entry[0] != field for entry in entries):
                    entries.append((field, level, rank))
    return table


@lru_cache(maxsize=1)
def _phrases() -> tuple[tuple[str, str, int], ...]:
    """(folded phrase, field, rank), longest first."""
    found = [
        (fold(word), field, rank)
        for field, lists in _document()["fields"].items()
        for rank, word in enumerate(lists["phrase"])
    ]
    return tuple(sorted(set(found), key=lambda item: (-len(item[0]), item[2], item[1])))


@lru_cache(maxsize=4096)
def hits(header: str) -> tuple[Hit, ...]:
    """How a folded header (currency words taken out) can be read, best first; at most one per field."""
    if not header or len(header) > 120:
        return ()
    found: dict[str, Hit] = {}
    for field, level, rank in _exact().get(header, ()):
        found[field] = Hit(field, level, rank, "header name" if level == 4 else "header word that may mean it")
    padded = f" {header} "
    for phrase, field, rank in _phrases():
        inside = f" {phrase} " in padded or (not phrase.isascii() and ord(phrase[0]) > 0x2E80 and phrase in header)
        if inside and field not in found:
            found[field] = Hit(field, 3, rank, f"header contains “{phrase}”")
    if "price" not in found and any(
        token.endswith(suffix) for token in header.split() for suffix in _document()["price_suffixes"]
    ):
        found["price"] = Hit("price", 3, 999, "header ends in a word for price")
    if not found:
        near = _fuzzy(header)
        if near is not None:
            found[near.field] = near
    return tuple(sorted(found.values(), key=lambda hit: (-hit.level, hit.rank)))


def _fuzzy(header: str) -> Hit | None:
    """A header one or two letters from a known one, if it is near to one field only."""
    if len(header) < 5:
        return None
    near: dict[str, tuple[float, str]] = {}
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(header)
    for word, entries in _exact().items():
        if abs(len(word) - len(header)) > 2 or len(word) < 5:
            continue
        matcher.set_seq1(word)
        if matcher.real_quick_ratio() >= 0.85 and matcher.quick_ratio() >= 0.85 and (ratio := matcher.ratio()) >= 0.85:
            for field, level, _ in entries:
                if level == 4:
                    near[field] = max(near.get(field, (0.0, "")), (ratio, word))
    if len(near) != 1:
        return None
    ((field, (_, word)),) = near.items()
    return Hit(field, 1, 0, f"header nearly reads “{word}”")


def extra_hits(header: str, extra: Mapping[str, Sequence[str]]) -> tuple[Hit, ...]:
    """Hits by a supplier's own words (profile.synonyms), before the general ones."""
    own = tuple(
        Hit(field, 4, -1, "header name (supplier's own word)")
        for field, names in sorted(extra.items())
        if header in {fold(name) for name in names}
    )
    return own or hits(header)


def says_total(text: str) -> bool:
    """True if a text is nothing but the caption of a total line: "Summe netto EUR", "Итого:". An item that only
    begins with such a word ("Total Quartz 5W40") is none."""
    folded = fold(text)
    if not folded or len(folded) > 80:
        return False
    totals = vocabulary("totals")
    if folded in totals:
        return True
    tokens = folded.split()
    company = vocabulary("total_company")
    return (tokens[0] in totals or " ".join(tokens[:2]) in totals) and all(
        token in totals or token in company or token.isdigit() for token in tokens
    )


@lru_cache(maxsize=4096)
def says_on_request(text: str) -> bool:
    """True for "auf Anfrage", "POA", "-", "н/д" … in the place of a price."""
    stripped = text.strip()
    if stripped and not stripped.strip("-–—−*./ "):
        return True
    return fold(stripped) in vocabulary("on_request")
