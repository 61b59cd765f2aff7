"""Which currency a sign, a code or a word means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

ISO_4217 = frozenset((
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BYR", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK",
    "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC",
    "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG", "XXX",
))  # fmt: skip
"""ISO 4217 codes in use, BYR (until 2016) and XXX (none stated)."""

_DOLLARS = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "BBD", "BSD", "JMD", "TTD")


class Sign(NamedTuple):
    """What a sign can mean. `codes` holds every reading; `settled` is the one to take where nothing else is
    stated, or None where taking one would be a guess."""

    codes: tuple[str, ...]
    settled: str | None
    certainty: float


def _signs() -> dict[str, Sign]:
    table = {code.casefold(): Sign((code,), code, 1.0) for code in ISO_4217 if code != "XXX"}
    certain = {
        "EUR": "€ euro euros евро євро",
        "USD": "us$ usd$ $us us-dollar u$s u$d",
        "GBP": "£ gb£ pound pounds stg",
        "JPY": "円 yen jp¥ 日本円",
        "CNY": "元 rmb cn¥ 人民币 yuan 圆 元整",
        "UAH": "грн ₴ гривня гривень гривна hrn",
        "PLN": "zł zl złoty złotych",
        "CZK": "kč kc korun",
        "HUF": "ft forint",
        "CHF": "sfr fr sfr. franken",
        "INR": "₹",
        "KRW": "₩ 원 원정",
        "TRY": "₺ tl",
        "BRL": "r$",
        "KZT": "₸ тг тенге",
        "ILS": "₪",
        "THB": "฿",
        "VND": "₫ đ vnđ đồng",
        "PHP": "₱",
        "NGN": "₦",
        "BGN": "лв",
        "AUD": "a$ au$",
        "CAD": "c$ ca$ cdn$",
        "NZD": "nz$",
        "SGD": "s$",
        "HKD": "hk$",
        "TWD": "nt$",
        "GEL": "₾ лари",
        "AZN": "₼",
        "RUB": "₽ rur",
        "PEN": "s/",
        "PAB": "b/",
        "IDR": "rp",
        "MYR": "rm",
        "CRC": "₡",
        "PYG": "₲",
        "MNT": "₮",
        "LAK": "₭",
        "GHS": "₵ gh₵",
        "MXN": "mx$ mex$",
        "ARS": "ar$",
        "CLP": "clp$",
        "COP": "cop$ col$",
        "KES": "ksh kshs",
        "TZS": "tsh tshs",
        "UGX": "ush ushs",
        "AED": "dhs د.إ",
        "SAR": "ر.س ريال",
        "KWD": "د.ك",
        "EGP": "ج.م",
        "KGS": "сом",
        "UZS": "сум soʻm",
        "SEK": "kronor",
    }
    for code, words in certain.items():
        for word in words.split():
            table[word] = Sign((code,), code, 0.95)
    for word in ("руб", "рублей", "рубль", "рубли", "р", "rub."):
        table[word] = Sign(("RUB", "BYN", "BYR"), "RUB", 0.8)
    for word in ("$", "dollar", "dollars", "доллар", "долл", "дол"):
        table[word] = Sign(_DOLLARS, "USD", 0.5)
    table["¥"] = Sign(("JPY", "CNY"), None, 0.0)
    table["kr"] = Sign(("SEK", "NOK", "DKK", "ISK"), None, 0.0)
    table["rs"] = Sign(("INR", "PKR", "LKR", "NPR", "MUR"), None, 0.0)
    table["lei"] = Sign(("RON", "MDL"), None, 0.0)
    table["kronen"] = table["kroner"] = Sign(("NOK", "DKK"), None, 0.0)
    table["bs"] = Sign(("BOB", "VES"), None, 0.0)
    table["манат"] = Sign(("AZN", "TMT"), None, 0.0)
    table["бел. руб"] = Sign(("BYN", "BYR"), None, 0.0)
    table["r"] = Sign(("ZAR",), None, 0.0)
    table["pesos"] = table["peso"] = Sign(("MXN", "ARS", "CLP", "COP", "PHP", "UYU", "CUP", "DOP"), None, 0.0)
    return table


SIGNS: dict[str, Sign] = _signs()
"""By casefolded sign, code or word, without closing full stop."""

_CAPTION = re.compile(
    r"(?:currency|prices?\s+(?:are\s+)?(?:quoted\s+)?in|währung|preise\s+(?:sind\s+)?in|devise|monnaie|prix\s+en|moneda|"
    r"precios\s+en|moeda|preços\s+em|valuta|prezzi\s+in|waluta|ceny\s+w|валют\w*|цены\s+(?:указаны\s+)?в|ціни\s+(?:вказані\s+)?в|"
    r"prijzen\s+in|币种|通貨)\s*[:=\-–]?\s*(?P<word>[^\s,;.()]{1,12})",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\s,;:()/\[\]|（）［］【】：／]+")


@lru_cache(maxsize=4096)
def sign_of(word: str) -> Sign | None:
    """The sign of a currency column's cell or of the text beside a number; None if it means no currency."""
    word = (word if word.isascii() else unicodedata.normalize("NFKC", word)).strip().casefold()
    return SIGNS.get(word) or SIGNS.get(word.rstrip("."))


def split_header(header: str) -> tuple[str, Sign | None]:
    """A header without its currency words, and what they mean: "Price (USD)" -> ("Price", USD). A header that is
    nothing but a currency keeps its text. Single letters and short abbreviations count only beside other words."""
    kept: list[str] = []
    found: list[Sign] = []
    pieces = _WORDS.findall(header.replace("€", " € ").replace("_", " "))
    for piece in pieces:
        sign = sign_of(piece)
        known = sign is not None and (len(piece.rstrip(".")) >= 3 or not piece.isascii() or not piece.isalpha())
        if known and sign is not None:
            found.append(sign)
        else:
            kept.append(piece)
    while found and kept and kept[-1].casefold() in {"in", "en", "em", "w", "в", "у"}:
        kept.pop()
    same = len({sign.codes for sign in found}) == 1
    if not kept:
        return header, found[0] if same else None
    return (" ".join(kept) if found else header), (found[0] if same else None)


def stated_in_titles(lines: Iterable[str]) -> Sign | None:
    """The currency that the lines above the table name in so many words ("Alle Preise in EUR"); None unless exactly
    one does. A sign that merely occurs in a title says nothing about the prices."""
    found = set()
    for line in lines:
        for match in _CAPTION.finditer(line):
            sign = sign_of(match["word"])
            if sign is not None:
                found.add(sign)
    return found.pop() if len(found) == 1 else None


def by_language(sign: Sign, texts: Iterable[str]) -> str | None:
    """Settles "¥" by the script of the list: kana means Japanese; 20 Han characters and no kana mean Chinese."""
    if set(sign.codes) != {"JPY", "CNY"}:
        return None
    han = 0
    for text in texts:
        for character in text:
            if character.isascii():
                continue
            if "\u3040" <= character <= "\u30ff":
                return "JPY"
            han += unicodedata.name(character, "").startswith("CJK UNIFIED")
    return "CNY" if han >= 20 else None
