"""How plausible a text is as writing: the evidence by which code pages are told apart."""

from __future__ import annotations

import re
from collections import Counter

_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
CODE_PAGES: dict[str, dict[str, str]] = {
    "cp1252": {
        "French": "àâæçèéêëîïôœùûüÿ",
        "German": "äöüß",
        "Spanish": "áéíñóúüçªº",
        "Portuguese": "àáâãçéêíóôõúªº",
        "Italian": "àèéìíòóùúªº",
        "Dutch": "áéèëïóöü",
        "Danish or Norwegian": "æøåéöä",
        "Swedish or Finnish": "åäöéš",
        "Icelandic": "áðéíóúýþæö",
    },
    "cp1250": {
        "Polish": "ąćęłńóśźż",
        "Czech": "áčďéěíňóřšťúůýž",
        "Slovak": "áäčďéíĺľňóôŕšťúýž",
        "Hungarian": "áéíóöőúüű",
        "Croatian or Slovene": "čćđšž",
        "Romanian": "ăâîşţ",
    },
    "cp1251": {
        "Russian": _CYRILLIC + "ё",
        "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
        "Bulgarian": "абвгдежзийклмнопрстуфхцчшщъьюя",
        "Serbian": "абвгдђежзијклљмнњопрстћуфхцчџш",
    },
    "koi8-r": {"Russian": _CYRILLIC + "ё"},
    "cp866": {"Russian": _CYRILLIC + "ё"},
    "cp1253": {"Greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"},
    "cp1254": {"Turkish": "âçğıiîöşüû"},
}
"""Letters above ASCII (lower case) of the languages a code page is used for; the order breaks ties."""

_WORDS = re.compile(r"[^\W\d_]+")
_STRAY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f¤¦¨¬¯¸¹¼½¾¿þ‡†ƒ\u2500-\u259f]")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3001\u3002\u300c\u300d\u3010\u3011\u30fb\uff01-\uff5e]")
_HALF_WIDTH = re.compile(r"[\uff61-\uff9f]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_FULL_WIDTH = re.compile(r"[\u3000-\u3020\uff01-\uff5e\u2010-\u2026\u2160-\u2169]")


def plausibility(text: str, code_page: str) -> tuple[float, str]:
    """0..1: the share of characters above ASCII that make sense, and the language they make sense in."""
    foreign = sum(character > "\x7f" for character in text)
    if not foreign:
        return 1.0, "ASCII"
    if code_page == "cp932":
        return _japanese(text, foreign), "Japanese"
    if code_page in {"gb18030", "big5"}:
        return _chinese(text, foreign, "gb2312" if code_page == "gb18030" else "big5"), "Chinese"
    words = Counter(word for word in _WORDS.findall(text) if not word.isascii())
    best, language = 0.0, "no language"
    stray = len(_STRAY.findall(text))
    for name, letters in CODE_PAGES[code_page].items():
        alphabet = frozenset(letters)
        good = bad = 0
        for word, count in words.items():
            if _is_word(word, alphabet):
                good += count * sum(character > "\x7f" for character in word)
            else:
                bad += count * sum(character > "\x7f" for character in word)
        score = good / (good + bad + stray) if good else 0.0
        if score > best:
            best, language = score, name
    if not words and not stray:
        return 0.5, "signs only"
    return best, language


def _is_word(word: str, alphabet: frozenset[str]) -> bool:
    """All letters above ASCII are of one alphabet, in a case that people write, next to the right script."""
    inside = [character for character in word if character > "\x7f"]
    if not all(character.lower() in alphabet for character in inside):
        return False
    cyrillic_or_greek = inside[0].lower() > "\u036f"
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
