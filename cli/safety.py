"""Whether trying a failed task again can help, by what is known of its failure."""

from __future__ import annotations

YES = "yes"
AFTER_ANSWER = "after an answer"
_BY_CODE = {
    "source_forbidden": "after sharing",
    "source_missing": "when it is there",
    "source_not_allowed": "after a move",
    **dict.fromkeys(("header_not_found", "mapping_incomplete", "price_format_ambiguous"), "after mapping"),
    "contract_violation": "no",
    "poison": "after a look",
    "account_mismatch": "no",
    "task_expired": YES,
}
_BY_CATEGORY = {"Config": "after a fix", "Security": "after a fix", "Validation": "with a new copy"}


def safe_to_retry(code: str, category: str, disposition: str | None, *, asks: bool) -> str:
    """In few words, for a column. What would have passed by itself may be tried again at any time: the tries that were
    allowed are used up."""
    if asks:
        return AFTER_ANSWER
    if code in _BY_CODE:
        return _BY_CODE[code]
    if disposition in {"transient", "snooze"}:
        return YES
    return _BY_CATEGORY.get(category, "after a look")
