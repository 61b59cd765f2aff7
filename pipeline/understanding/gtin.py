"""GTINs (EAN, UPC): the check digit."""

from __future__ import annotations

LENGTHS = (8, 12, 13, 14)


def is_gtin(text: str) -> bool:
    """True for 8, 12, 13 or 14 ASCII digits, not all zero, whose last one is the check digit of GS1."""
    if len(text) not in LENGTHS or not text.isascii() or not text.isdigit() or not text.strip("0"):
        return False
    digits = [ord(character) - 48 for character in reversed(text)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
