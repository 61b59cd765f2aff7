"""The vocabulary of lists in many languages, loaded once from synonyms.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from pipeline.understanding.text import fold

NEAR = 0.85
"""Least likeness of a misspelt header. Measured on the vocabulary (tests/unit/test_headers.py): more than 95 % of the
words with seven letters and more are known with one letter missing, doubled, swapped or mistyped, and none is taken for
another field; from 0.8 down, scores of words of two fields are as near to each other."""
KINDS = ("net", "gross", "cost", "list", "retail", "wholesale", "promo", "reference", "other")
"""What kind of price a header can say. reference: former, market and recommended prices. other: totals, deposits,
freight, the lowest and highest of several."""

BY_KIND = ("wholesale", "retail", "list", "cost", "net", "gross")
"""Kinds that make a hint of a header which has no word for price."""


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


@lru_cache(maxsize=256)
def vocabulary(name: str) -> frozenset[str]:
    """A word list of synonyms.json, folded, of all languages: totals, on_request, units, price_kinds.net …"""
    part: Any = _document()
    for member in name.split("."):
        part = part.get(member, ()) if isinstance(part, Mapping) else ()
    return frozenset(fold(word) for _, word in _words(part))


def members(name: str) -> tuple[str, ...]:
    """The languages of a word list."""
    part = _document()[name]
    return tuple(part) if isinstance(part, Mapping) else ()


def _words(part: Mapping[str, Any] | Sequence[str]) -> Iterator[tuple[int, str]]:
    """(rank within its language, word)"""
    if isinstance(part, Mapping):
        for words in part.values():
            yield from _words(words)
    else:
        yield from enumerate(part)


@lru_cache(maxsize=1)
def _exact() -> dict[str, list[tuple[str, int, int]]]:
    """Folded word -> (field, level, rank)."""
    table: dict[str, list[tuple[str, int, int]]] = {}
    for field, lists in _document()["fields"].items():
        for level, name in ((4, "exact"), (2, "weak")):
            for rank, word in _words(lists[name]):
                entries = table.setdefault(fold(word), [])
                if all(entry[0] != field for entry in entries):
                    entries.append((field, level, rank))
    return table


Phrase = tuple[str, str, int]
"""Folded phrase, field, rank."""


@lru_cache(maxsize=1)
def _phrases() -> tuple[dict[str, list[Phrase]], list[Phrase]]:
    """Phrases by their first word, and those of scripts without spaces."""
    spaced: dict[str, list[Phrase]] = {}
    unspaced: list[Phrase] = []
    for field, lists in _document()["fields"].items():
        for rank, word in _words(lists["phrase"]):
            phrase = (fold(word), field, rank)
            if _unspaced(phrase[0]):
                unspaced.append(phrase)
            else:
                spaced.setdefault(phrase[0].split()[0], []).append(phrase)
    return spaced, unspaced


def _contained(header: str) -> list[Phrase]:
    """Phrases that stand in a header, longest first."""
    spaced, unspaced = _phrases()
    padded = f" {header} "
    found = {phrase for token in header.split() for phrase in spaced.get(token, ()) if f" {phrase[0]} " in padded}
    if not header.isascii():
        found |= {phrase for phrase in unspaced if phrase[0] in header}
    return sorted(found, key=lambda phrase: (-len(phrase[0]), phrase[2], phrase[1]))


def _unspaced(word: str) -> bool:
    """Of a script that puts no spaces between words."""
    return not word.isascii() and ord(word[0]) > 0x2E80


@lru_cache(maxsize=256)
def _sorted(name: str) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """A word list as single words, several words, and words of scripts without spaces."""
    words = vocabulary(name)
    unspaced = tuple(sorted(filter(_unspaced, words)))
    several = tuple(sorted(word for word in words if " " in word and not _unspaced(word)))
    return words.difference(unspaced, several), several, unspaced


@lru_cache(maxsize=8192)
def says(header: str, name: str) -> str:
    """The longest word of a word list that stands in a folded header; '' if none does. Where the script has no spaces,
    it may stand anywhere."""
    single, several, unspaced = _sorted(name)
    found = [word for word in header.split() if word in single]
    if " " in header:
        padded = f" {header} "
        found += [word for word in several if f" {word} " in padded]
    if not header.isascii():
        found += [word for word in unspaced if word in header]
    return max(found, key=lambda word: (len(word), word), default="")


def without(header: str, name: str) -> str:
    """A folded header less the words of a word list."""
    while word := says(header, name):
        header = (
            " ".join(f" {header} ".replace(f" {word} ", " ").split())
            if not _unspaced(word)
            else header.replace(word, "")
        )
    return header


@lru_cache(maxsize=4096)
def kinds_of(header: str) -> frozenset[str]:
    """Which of KINDS a folded header says: "ek netto" -> cost, net. "incl VAT" makes nothing but gross of "net"."""
    found = {kind: word for kind in KINDS if (word := says(header, f"price_kinds.{kind}"))}
    for kind in [kind for kind, word in found.items() if _inside(word, kind, found)]:
        del found[kind]
    return frozenset(found)


def _inside(word: str, kind: str, found: Mapping[str, str]) -> bool:
    """不含税 (net) holds 含税 (gross): the longer word says what is meant."""
    return any(other != kind and len(longer) > len(word) and word in longer for other, longer in found.items())


@lru_cache(maxsize=4096)
def hits(header: str) -> tuple[Hit, ...]:
    """How a folded header (currency words taken out) can be read, best first; at most one per field. Words that mean
    something else ("customer code") take their field out; fuzzy likeness counts only where nothing else does."""
    if len(header) > 120 or not any(map(str.isalpha, header)):
        return ()
    found: dict[str, Hit] = {}
    for field, level, rank in _exact().get(header, ()):
        found[field] = Hit(field, level, rank, "header name" if level == 4 else "header word that may mean it")
    for phrase, field, rank in _contained(header):
        if field not in found and (field == "price" or not _within_kind(header, phrase)):
            found[field] = Hit(field, 3, rank, f"header contains “{phrase}”")
    if "price" not in found and any(
        token.endswith(suffix) for token in header.split() for suffix in _document()["price_suffixes"]
    ):
        found["price"] = Hit("price", 3, 999, "header ends in a word for price")
    if not found:
        found = _less_sure(header)
    kept = [hit for hit in found.values() if hit.level == 4 or not says(header, f"never.{hit.field}")]
    return tuple(sorted(kept, key=lambda hit: (-hit.level, hit.rank)))


def _within_kind(header: str, phrase: str) -> bool:
    """Such as "bez vat": no name (German "Bez."), but a price without tax (Polish)."""
    words = (says(header, f"price_kinds.{kind}") for kind in BY_KIND)
    return any(f" {phrase} " in f" {word} " for word in words if word != phrase)


def _less_sure(header: str) -> dict[str, Hit]:
    kind = next((kind for kind in BY_KIND if says(header, f"price_kinds.{kind}")), None)
    if kind is not None:
        word = says(header, f"price_kinds.{kind}")
        return {"price": Hit("price", 2, 998, f"header contains “{word}”, which is said of prices")}
    near = _fuzzy(header)
    return {} if near is None else {near.field: near}


@lru_cache(maxsize=1)
def _by_start() -> dict[tuple[str, int], list[tuple[str, frozenset[str], tuple[str, ...]]]]:
    """Exact words of five letters and more by first letter and length, with their letters and fields. Few misspell the
    first letter, and looking at all words for every header of a wide table would take seconds."""
    table: dict[tuple[str, int], list[tuple[str, frozenset[str], tuple[str, ...]]]] = {}
    for word, entries in _exact().items():
        fields = tuple(field for field, level, _ in entries if level == 4)
        if len(word) >= 5 and fields:
            table.setdefault((word[0], len(word)), []).append((word, frozenset(word), fields))
    return table


def _fuzzy(header: str) -> Hit | None:
    """A header one or two letters from a known one, if it is near to one field only."""
    if len(header) < 5:
        return None
    near: dict[str, tuple[float, str]] = {}
    known = _by_start()
    near_length = range(len(header) - 2, len(header) + 3)
    for word, letters, fields in (entry for length in near_length for entry in known.get((header[0], length), ())):
        if 2 * sum(map(letters.__contains__, header)) < NEAR * (len(word) + len(header)):
            continue  # no ratio can be larger, and this one costs a tenth
        matcher = SequenceMatcher(None, word, header, autojunk=False)
        if matcher.real_quick_ratio() >= NEAR and matcher.quick_ratio() >= NEAR and (ratio := matcher.ratio()) >= NEAR:
            for field in fields:
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
