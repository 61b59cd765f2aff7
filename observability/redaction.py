"""Takes secrets out of whatever is about to be shown or kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

REDACTED: Final = "[REDACTED]"
EMPTY: Final = "[EMPTY]"

_ANYWHERE: Final = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "certificate",
    "apikey",
    "accesskey",
    "privatekey",
)
"""A name that holds one of these holds a secret."""
_WORDS: Final = frozenset({"pwd", "key", "keys", "auth", "authorization", "cert", "cookie", "jwt", "bearer", "dsn"})
"""A name of which one whole word is one of these holds a secret (`auth`, not `author`)."""
_HARMLESS: Final = frozenset(
    {
        "key",
        "keys",
        "claim_key",
        "foreign_key",
        "idempotency_key",
        "key_ambiguous",
        "key_hash",
        "key_hashes",
        "primary_key",
        "task_key",
    }
)
"""Names that a rule above would hit, though what they hold is ours and public. A bare `key` names a
characteristic in an understanding; what looks like a secret is still found by its shape."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ASSIGNED = (
    r"(?:password|passwd|passphrase|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|(?<![A-Za-z0-9])(?:pwd|auth|authorization|sig|signature))"
)
# Every pattern is linear in the text: what repeats is bounded, or can only start where the run before it ended.
_SHAPES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # A PEM block, also one that was cut off or whose line ends are written as \n.
    (re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL), REDACTED),
    # scheme://user:password@host; up to the last @ of the authority.
    (re.compile(r"(://[^\s/?#:@\"']{0,200}:)[^\s/?#\"']{1,300}@"), rf"\g<1>{REDACTED}@"),
    # The same with an unescaped slash in the password, told from host:port/path by what follows the colon.
    (
        re.compile(
            r"(://[^\s/?#:@\"']{0,200}:)(?!\[REDACTED\])(?!\d{1,5}(?:[/?#\s\"']|$))[^\s\"']{0,300}@",
        ),
        rf"\g<1>{REDACTED}@",
    ),
    (re.compile(r"\b(bearer|basic)(\s{1,5})[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\g<1>\g<2>{REDACTED}"),
    (re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"), REDACTED),
    (
        re.compile(
            r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{16,}|GOCSPX-[0-9A-Za-z_-]{16,}"
            r"|gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,}|glpat-[0-9A-Za-z_-]{16,}|npm_[0-9A-Za-z]{30,}"
            r"|xox[abeprs]-[0-9A-Za-z-]{10,}|[sr]k_(?:live|test)_[0-9A-Za-z]{16,}|sk-[0-9A-Za-z_-]{32,}"
            r"|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,})"
        ),
        REDACTED,
    ),
    # password='x', "token": "x", ?api_key=x
    (
        re.compile(
            rf"({_ASSIGNED}[\"']?\s{{0,5}}[=:]\s{{0,5}})"
            r"(?!\[REDACTED\]|None\b|null\b|(?:bearer|basic)\s)(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\g<1>{REDACTED}",
    ),
)
_MAX_DEPTH: Final = 40
_PLAIN: Final = (date, timedelta, Decimal, PurePath, UUID, BaseException)

_protected: set[str] = set()


def protect(*secrets: str) -> None:
    """Lets these very values never pass again in this process, whatever their shape (6 characters or more)."""
    _protected.update(secret for secret in secrets if len(secret) >= 6)


def sensitive(name: str) -> bool:
    """Whether what is kept under this name is a secret."""
    folded = name.lower().replace("-", "_")
    if folded in _HARMLESS:
        return False
    flat = folded.replace("_", "")
    return any(part in flat for part in _ANYWHERE) or any(word.lower() in _WORDS for word in _WORD.findall(name))


def redact_text(text: str) -> str:
    """The text without bearer tokens, passwords in URLs and assignments, well-known keys, PEM blocks, and
    without any value given to protect()."""
    for secret in _protected:
        if secret in text:
            text = text.replace(secret, REDACTED)
    if len(text) < 8:
        return text
    for pattern, replacement in _SHAPES:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any) -> Any:
    """The same JSON value with secrets replaced; anything that is no JSON value becomes its redacted repr.
    Never changes its argument."""
    return _redact(value, 0)


def _redact(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth > _MAX_DEPTH:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            redact_text(str(name)): _hidden(item) if sensitive(str(name)) else _redact(item, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(item, depth + 1) for item in value]
    # repr of the rest: str() of a stranger may show what its repr hides.
    return redact_text(str(value) if isinstance(value, _PLAIN) else repr(value))


def _hidden(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return REDACTED if value or value == 0 else EMPTY
