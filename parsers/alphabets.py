"""How plausible a text is as writing: the evidence by which code pages are told apart."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container
from typing import NamedTuple

_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
CODE_PAGES: dict[str, dict[str, str]] = {
    "cp1252": {
        "French": "éèàêçâîôûùëïüœæÿ",
        "German": "üäöß",
        "Spanish": "óíáéñúüçªº",
        "Portuguese": "ãçáéíóêõâàúôüªº",
        "Italian": "èàùòìéóíúîç",
        "Dutch": "ëéïóöüèáí",
        "Danish or Norwegian": "åøæéöä",
        "Swedish or Finnish": "äåöéš",
        "Icelandic": "áíðéóöúþæý",
    },
    "cp1250": {
        "Polish": "łąęóżśćńź",
        "Czech": "íáéěýřčžšůúťňďó",
        "Slovak": "áíéúýčžľšťôňäďóĺŕ",
        "Hungarian": "éáőöíóüúű",
        "Croatian or Slovene": "čšžćđ",
        "Romanian": "ăîâşţ",
    },
    "cp1251": {
        "Russian": _RUSSIAN,
        "Ukrainian": "оаинівретсклудмпзяьбгчйхцїюжєшщфґ",
        "Bulgarian": "аоиетнрсвлкдпмзгъубчщцжяхшюфйь",
        "Serbian": "аоиенртсјвукдмплзгбшчњцжхљћџђф",
    },
    "koi8-r": {"Russian": _RUSSIAN},
    "cp866": {"Russian": _RUSSIAN},
    "cp1253": {"Greek": "αοιετσνηυρπκμλςίόάέήώγδύωχθφβξζψϊϋΐΰ"},
    "cp1254": {"Turkish": "ıişğüöçâîû"},
}
"""Letters above ASCII (lower case, the most frequent first) of the languages a code page is used for; the order
of code pages breaks ties."""

_WORDS = re.compile(r"[^\W\d_]+")
_STRAY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f¤¦¨¬¯¸¹¼½¾¿þ‡†ƒ\u2500-\u259f]")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3001\u3002\u300c\u300d\u3010\u3011\u30fb\uff01-\uff5e]")
_HALF_WIDTH = re.compile(r"[\uff61-\uff9f]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_FULL_WIDTH = re.compile(r"[\u3000-\u3020\uff01-\uff5e\u2010-\u2026\u2160-\u2169]")


class Fit(NamedTuple):
    """How well a text fits a language; compares as a tuple."""

    share: float
    """0..1: the share of characters above ASCII that make sense."""
    fluency: float
    """How usual its letters are in that language (mean logarithm); tells Spanish from Polish by ñ and ń."""
    language: str


def plausibility(text: str, code_page: str) -> Fit:
    """The best fit of all languages of the code page."""
    foreign = sum(character > "\x7f" for character in text)
    if not foreign:
        return Fit(1.0, 0.0, "ASCII")
    if code_page == "cp932":
        return Fit(_japanese(text, foreign), 0.0, "Japanese")
    if code_page in {"gb18030", "big5"}:
        return Fit(_chinese(text, foreign, "gb2312" if code_page == "gb18030" else "big5"), 0.0, "Chinese")
    words = Counter(word for word in _WORDS.findall(text) if not word.isascii())
    stray = len(_STRAY.findall(text))
    if not words and not stray:
        return Fit(0.5, 0.0, "signs only")
    return max(_fit(words, stray, name, letters) for name, letters in CODE_PAGES[code_page].items())


def _fit(words: Counter[str], stray: int, language: str, letters: str) -> Fit:
    total = sum(1 / rank for rank in range(1, len(letters) + 1))
    usual = {letter: -math.log(rank * total) for rank, letter in enumerate(letters, start=1)}
    good = bad = 0
    fluency = 0.0
    for word, count in words.items():
        inside = [character.lower() for character in word if character > "\x7f"]
        if _is_word(word, inside, usual):
            good += count * len(inside)
            fluency += count * sum(usual[letter] for letter in inside)
        else:
            bad += count * len(inside)
    if not good:
        return Fit(0.0, 0.0, language)
    return Fit(round(good / (good + bad + stray), 1), fluency / good, language)


def _is_word(word: str, inside: list[str], letters: Container[str]) -> bool:
    """All letters above ASCII are of one alphabet, in a case that people write, next to the right script."""
    if not all(letter in letters for letter in inside):
        return False
    cyrillic_or_greek = inside[0] > "\u036f"
    if cyrillic_or_greek and len(inside) != len(word):
        return False
    if not cyrillic_or_greek and len(word) > 3 and len(inside) * 2 > len(word):
        return False
    return word.islower() or word.isupper() or word[1:].islower() or len(word) < 4


def _japanese(text: str, foreign: int) -> float:
    kana = len(_JAPANESE.findall(text))
    han = len(_HAN.findall(text))
    if not kana:
        return 0.2 * han / foreign
    return max(0.0, (kana + han - 2 * len(_HALF_WIDTH.findall(text))) / foreign)


def _chinese(text: str, foreign: int, charset: str) -> float:
    """Everyday characters stand in the first level of the national character sets (rows B0-D7, A4-C6)."""
    last = 0xD7 if charset == "gb2312" else 0xC6
    common = 0
    for character, count in Counter(_HAN.findall(text)).items():
        code = character.encode(charset, "ignore")
        if len(code) == 2 and code[0] <= last:
            common += count
    return min(1.0, (common + len(_FULL_WIDTH.findall(text))) / foreign)
