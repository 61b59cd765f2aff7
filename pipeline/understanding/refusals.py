"""Says why a text in the place of a price is no price; a code of contracts/reasons.py."""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.understanding.written import alike

_NUMBER = r"[0-9]+(?:[.,'][0-9]+)*"
_BESIDE = r"[^\W\d_€$£¥₽₴]*[€$£¥₽₴₹₩₺₸]?\.?"
_PERCENT = re.compile(rf"[-+±(]?\s*{_NUMBER}\s*(?:%|‰|pct\.?|percent|prozent|процент\w*)\)?", re.IGNORECASE)
_DATES = (
    re.compile(r"(?P<day>[0-9]{1,2})([./-])(?P<month>[0-9]{1,2})\2(?:[0-9]{4}|[0-9]{2})(?:[ T,].*)?"),
    re.compile(r"(?P<month>[0-9]{1,2})([/-])(?P<day>[0-9]{1,2})\2(?:[0-9]{4}|[0-9]{2})(?:[ T,].*)?"),
    re.compile(r"(?:19|20)[0-9]{2}([./-])(?P<month>[0-9]{1,2})\1(?P<day>[0-9]{1,2})(?:[ T,].*)?"),
)
_MONTH = (
    r"(?:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez|янв|фев|мар|апр|мая|май|июн|июл|авг|"
    r"сен|окт|ноя|дек|janv|févr|avr|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|sty|lut|kwi|maj|cze|lip|sie|"
    r"wrz|paź|lis|gru)"
)
_NAMED_DATE = re.compile(
    rf"(?:[0-9]{{1,2}}[-. /]*{_MONTH}[a-zа-я]*[-. /]*(?:[0-9]{{2,4}})?|{_MONTH}[a-zа-я]*[-. /]*[0-9]{{2,4}})",
    re.IGNORECASE,
)
_DASHES = r"(?:-|\.{2,3}|…|~|〜|～|÷|to|bis|до|à|hasta|tot|till|until|und|and)"
_RANGE = re.compile(
    rf"[^0-9]*?{_BESIDE}\s*{_NUMBER}\s*{_BESIDE}\s*{_DASHES}\s*{_BESIDE}\s*{_NUMBER}\s*{_BESIDE}", re.IGNORECASE
)
_ABOUT = re.compile(
    r"(?:[~≈≃∼±〜～約约]|[<>≤≥]=? ?[^\w<>/]?[0-9]|\b(?:from|ab|ca|circa|"
    r"approx\w*|about|around|starting\s+(?:at|from)|min|max|up\s+to|bis|etwa|"
    r"rund|von|unter|über|less\s+than|more\s+than|under|over|à\s+partir\s+d\w*|a\s+partir\s+d\w*|dès|env|environ|desde|"
    r"hasta|aprox\w*|da|fino\s+a|od|około|ok|do|от|до|около|примерно|прибл\w*|свыше|від|приблизно|близько|vanaf|tot|"
    r"ongeveer|cerca\s+de)\b).*|.*[0-9].*?(?:起|から|부터|以上|以下|[~〜～+±]|左右|ca\.?|approx\.?)",
    re.IGNORECASE,
)
_EACH_NUMBER = re.compile(rf"(?<![\w.,']){_NUMBER}")
_EXPONENT = re.compile(r"[0-9.,]+e[-+]?[0-9]+", re.IGNORECASE)


@lru_cache(maxsize=4096)
def why_no_price(text: str) -> str:
    """For a text that take_apart refused."""
    shown = alike(text)
    if shown is None or len(shown) > 200 or not any(map(str.isdigit, shown)) or _EXPONENT.fullmatch(shown):
        return "price_not_a_number"
    if _PERCENT.fullmatch(shown):
        return "price_is_percent"
    if is_date(shown):
        return "price_is_date"
    if _RANGE.fullmatch(shown):
        return "price_is_range"
    if _ABOUT.fullmatch(shown):
        return "price_is_approximate"
    if len(_EACH_NUMBER.findall(shown)) > 1:
        return "price_twofold"
    return "price_not_a_number"


def why_unfit(body: str) -> str:
    """For digits and separators that do not fit how their column writes numbers."""
    if is_date(body):
        return "price_is_date"
    parts = body.split(" ")
    if len(parts) > 1 and not (
        1 <= len(parts[0]) <= 3 and all(len(part.split(".")[0].split(",")[0]) == 3 for part in parts[1:])
    ):
        return "price_twofold"
    return "price_format"


def is_date(text: str) -> bool:
    """True for a day in figures (31.12.2024, 12/31/24, 2024-12-31 …) or with a month's name."""
    if _NAMED_DATE.fullmatch(text):
        return True
    return any(
        (match := pattern.fullmatch(text)) and 1 <= int(match["day"]) <= 31 and 1 <= int(match["month"]) <= 12
        for pattern in _DATES
    )
