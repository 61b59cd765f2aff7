"""How probable bytes are as the writing of a language: the evidence by which encodings are told apart."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_LANGUAGES = {
    "French": "éèàêçâîôûùëïüœæÿ",
    "German": "üäöß",
    "Spanish": "óíáéñúüçªº",
    "Portuguese": "ãçáéíóêõâàúôüªº",
    "Italian": "èàùòìéóíúîç",
    "Dutch": "ëéïóöüèáí",
    "Danish or Norwegian": "åøæéöä",
    "Swedish or Finnish": "äåöéš",
    "Icelandic": "áíðéóöúþæý",
    "Polish": "łąęóżśćńź",
    "Czech": "íáéěýřčžšůúťňďó",
    "Slovak": "áíéúýčžľšťôňäďóĺŕ",
    "Hungarian": "éáőöíóüúű",
    "Croatian or Slovene": "čšžćđ",
    "Romanian": "ăîâşţ",
    "Lithuanian": "ėšųžįčąūę",
    "Latvian": "āīšēņļžūķčģ",
    "Estonian": "äõüöšž",
    "Turkish": "ıişğüöçâîû",
    "Russian": _RUSSIAN,
    "Ukrainian": "оаинівретсклудмпзяьбгчйхцїюжєшщфґ",
    "Bulgarian": "аоиетнрсвлкдпмзгъубчщцжяхшюфйь",
    "Serbian": "аоиенртсјвукдмплзгбшчњцжхљћџђф",
    "Greek": "αοιετσνηυρπκμλςίόάέήώγδύωχθφβξζψϊϋΐΰ",
    "Hebrew": "יוהלאתרבשמנחדקעפטגסזצכםןךףץ",
    "Arabic": "اليمنرتبوسدعفهكقحجصشطخضغذثزظءأإآةىؤئ",
    "Thai": "านรก่อเ้งมัยลีวิดทสตุปคบพแะห์ูจไขืช็ซผึำโใธณศถญภฟฉษฐฝฮฤๆฆฏฑฒฬ",
}
"""Letters above ASCII (lower case, the most frequent first)."""
_WESTERN = (
    "French", "German", "Spanish", "Portuguese", "Italian", "Dutch", "Danish or Norwegian", "Swedish or Finnish",
    "Icelandic",
)  # fmt: skip
_CENTRAL = ("Polish", "Czech", "Slovak", "Hungarian", "Croatian or Slovene", "Romanian")
_CYRILLIC = ("Russian", "Ukrainian", "Bulgarian", "Serbian")
CODE_PAGES: dict[str, tuple[str, ...]] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC,
    "cp1253": ("Greek",),
    "cp1254": ("Turkish",),
    "cp1255": ("Hebrew",),
    "cp1256": ("Arabic",),
    "cp1257": ("Lithuanian", "Latvian", "Estonian"),
    "cp874": ("Thai",),
    "iso8859-15": _WESTERN,
    "iso8859-2": _CENTRAL,
    "iso8859-13": ("Lithuanian", "Latvian", "Estonian"),
    "iso8859-7": ("Greek",),
    "iso8859-6": ("Arabic",),
    "iso8859-5": _CYRILLIC,
    "koi8-r": ("Russian",),
    "koi8-u": ("Ukrainian",),
    "cp866": ("Russian", "Bulgarian"),
    "mac-cyrillic": ("Russian", "Ukrainian"),
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
    "mac-roman": _WESTERN,
}
"""Languages by single-byte encoding; the order breaks ties."""
_PRIOR = {"cp1252": 3.0, "iso8859": -1.0, "cp85": -1.0, "cp86": -1.0, "mac": -3.0, "Icelandic": -2.0}
"""Nats by which an encoding is likelier before any byte is seen, by the beginning of its name, or of a language: most
lists come from Windows."""
SYLLABIC = {
    "cp932": "Japanese", "euc_jp": "Japanese", "gb18030": "Chinese", "big5": "Chinese", "cp949": "Korean",
}  # fmt: skip

_ALONE = frozenset("àáéèêëìíòóôùúýåäöøæœüºª")
"""Latin letters that may stand alone."""
_WORDS = re.compile(r"[^\W\d_]+")
_USUAL_SIGNS = frozenset("°²³®™€£©–—„“”‚‘’…×·•±«»§№½¼¾ØµΩ¿¡¢¥ºª \u00a0\u200e\u200f،؛؟฿‰†″′")
_COMMON_HAN = frozenset(
    "的一不人了大上中下有小用子水料品机器管板门电线机油木石纸布头式型号长宽高厚度直径米毫公斤克个只件套包盒箱袋瓶"
    "色红黄蓝绿白黑灰银金铜铁钢铝锌锈镀螺丝母钉垫圈弹簧塑胶橡皮革绝缘带工具刀锯钻锤扳手阀泵接轴承链条齿轮灯开关插座"
    "價格單號貨名稱規產編碼數量備註說明電線機門鐵鋼鋁鏽鍍絲墊彈塑膠絕緣帶鑽鎖緊軸鏈條燈開關價规产编码数量备注说明价货名称"
    "商元新特级优质家居食衣鞋书本笔台车床柜洗香茶酒米面粉肉鱼菜果奶糖盐酱醋"
)
_ACCENTED = re.compile("[άέήίόύώΐΰΆΈΉΊΌΎΏ]")
_UNACCENTED = -3.0
_MIXED, _LETTER_OFF, _SIGN, _IMPOSSIBLE, _BROKEN = -1.5, -7.0, -6.0, -9.0, -12.0
"""Natural logarithms: added for a Greek word without the accent that each has; added for a letter beside one of
another script; a letter of a related language, a sign found in price lists, anything else, a byte that does not fit at
all."""


class Fit(NamedTuple):
    """How well a text fits its most probable language."""

    weight: float
    """Logarithm of the probability of its characters above ASCII; comparable between encodings of the same bytes."""
    share: float
    """0..1: the share of characters above ASCII that make sense."""
    language: str


class _Pieces(NamedTuple):
    words: list[str]
    marks: list[str]
    """Characters that are no letters to Unicode but are in the alphabet (vowel signs)."""
    signs: list[str]


def plausibility(text: str, encoding: str) -> Fit:
    """The best fit of all languages of an encoding; U+FFFD stands for what could not be decoded."""
    foreign = [character for character in text if character > "\x7f"]
    if not foreign:
        return Fit(0.0, 1.0, "ASCII")
    if encoding in SYLLABIC:
        weights = [_syllable(character, encoding) for character in foreign]
        good = sum(weight > _IMPOSSIBLE - 1 for weight in weights)
        return Fit(sum(weights), good / len(foreign), SYLLABIC[encoding])
    letters = frozenset("".join(_LANGUAGES[name] for name in CODE_PAGES[encoding]))
    pieces = _Pieces(
        [word for word in _WORDS.findall(text) if not word.isascii()],
        [character for character in foreign if not character.isalpha() and character in letters],
        [character for character in foreign if not character.isalpha() and character not in letters],
    )
    best = max(_fit(pieces, name, letters, len(foreign)) for name in CODE_PAGES[encoding])
    return best._replace(weight=best.weight + sum(nats for name, nats in _PRIOR.items() if encoding.startswith(name)))


def _fit(pieces: _Pieces, language: str, related: frozenset[str], foreign: int) -> Fit:
    usual = _frequencies(language)
    weight, good = 0.0, 0
    for word in pieces.words:
        inside = [character.lower() for character in word if character > "\x7f"]
        if not _is_word(word, inside):
            weight += _IMPOSSIBLE * len(inside)
            continue
        if inside[0] > "\u036f" and len(inside) != len(word):
            weight += _MIXED * len(inside)
        if language == "Greek" and word[1:].islower() and len(word) > 3 and not _ACCENTED.search(word):
            weight += _UNACCENTED
        for letter in inside:
            known = usual.get(letter)
            good += known is not None
            weight += known if known is not None else _LETTER_OFF if letter in related else _IMPOSSIBLE
    for character in pieces.marks:
        good += character in usual
        weight += usual.get(character, _LETTER_OFF)
    for character in pieces.signs:
        good += character in _USUAL_SIGNS
        weight += _SIGN if character in _USUAL_SIGNS else _BROKEN
    return Fit(weight + _PRIOR.get(language, 0.0), good / foreign, language)


@lru_cache(maxsize=64)
def _frequencies(language: str) -> dict[str, float]:
    """Logarithms by letter, as Zipf would have them."""
    letters = _LANGUAGES[language]
    total = sum(1 / (rank + 2) for rank in range(len(letters)))
    return {letter: -math.log((rank + 2) * total) for rank, letter in enumerate(letters)}


def _is_word(word: str, inside: list[str]) -> bool:
    """In a case that people write, and in one script."""
    first = inside[0]
    if len(word) == 1 and first not in _ALONE and first < "\u0370":
        return False
    other_script = first > "\u036f"
    if other_script and len(inside) != len(word):
        return word.isupper()  # codes such as AJEГЛВ
    if not other_script and len(word) > 3 and len(inside) * 2 > len(word):
        return False
    return word.islower() or word.isupper() or word[1:].islower() or len(word) < 4 or first > "\u058f"


@lru_cache(maxsize=16_384)
def _syllable(character: str, encoding: str) -> float:
    """Everyday characters stand in the first level of the national character sets."""
    if character == "\ufffd" or "\ue000" <= character <= "\uf8ff":
        return _BROKEN - 4
    language = SYLLABIC[encoding]
    if "\u3041" <= character <= "\u30fe":
        return -5.6 if language == "Japanese" else _IMPOSSIBLE - 1
    if "\uff61" <= character <= "\uff9f":
        return -6.5 if encoding == "cp932" and character > "\uff65" else _BROKEN
    if "\uac00" <= character <= "\ud7a3":
        return -7.6 if character.encode("euc_kr", "ignore") else _BROKEN
    if "\u3000" <= character <= "\u3020" or "\uff01" <= character <= "\uff5e" or character in _USUAL_SIGNS:
        return _SIGN
    if not "\u4e00" <= character <= "\u9fff":
        return _IMPOSSIBLE - 1
    return _han(character, encoding)


def _han(character: str, encoding: str) -> float:
    charset, last = {"gb18030": ("gb2312", 0xD7), "big5": ("big5", 0xC6), "cp949": ("euc_kr", 0)}.get(
        encoding, ("euc_jp", 0xCF)
    )
    code = character.encode(charset, "ignore")
    if len(code) != 2:
        return _BROKEN - 2
    if code[0] > last:
        return _BROKEN
    return -6.4 if character in _COMMON_HAN else -8.5
