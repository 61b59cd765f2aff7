"""Holds what was stored of one list against the facts: right, held, or WRONG with what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from benchmarks.corpus_facts import Duplicates, Facts
from benchmarks.corpus_outcome import Item, Outcome

Word = Literal["right", "held", "WRONG"]

MEANINGS: dict[str, frozenset[str]] = {
    "key_missing": frozenset({"sku_missing"}),
    "key_damaged": frozenset({"sku_damaged"}),
    "name_missing": frozenset({"name_missing"}),
    "price_missing": frozenset({"price_missing", "price_on_request", "error_cell"}),
    "price_zero": frozenset({"price_zero"}),
    "price_negative": frozenset({"price_negative"}),
    "price_not_numeric": frozenset(
        {"price_not_a_number", "price_on_request", "price_format", "error_cell", "price_missing"}
    ),
}
"""What the facts call a bad row, and our reasons for it. Reasons of the facts are joined by "+" where a row has
several; ours names one."""
PRICES = "price_"
"""Any other reason of ours that begins so means that a price cell is no number."""
NAME = 60
"""Characters of a name that a spot check gives."""


@dataclass(frozen=True, slots=True)
class Verdict:
    word: Word
    told: str
    """What was stored, the question, or what differs."""


def judge(
    facts: Facts,
    outcome: Outcome,
    items: Sequence[Item],
    rejects: Mapping[int, str],
    *,
    duplicates: Duplicates,
    approved: int = 0,
    unaided: bool = False,
) -> Verdict:
    """A list that is held or refused must have left nothing behind. `approved` rows were held for a jump of their
    price and let through. `unaided`: nobody said which columns are the key."""
    if outcome.status != "completed":
        return _ended(facts, outcome, items)
    account = account_of(outcome)
    if facts.refused:
        if not items:
            return Verdict("right", f"nothing stored ({_counted(account['rejected'])})")
        return Verdict("WRONG", f"{len(items)} items stored of a list without prices")
    wrong = [
        *_counts(facts, account, items, duplicates=duplicates),
        *_currencies(facts, items),
        *_spots(facts, items, rejects, unaided=unaided),
    ]
    notes: list[str] = []
    differing, told = _rejects(facts, account, {item.row for item in items})
    wrong += differing
    notes += told
    if approved:
        notes.append(f"{approved} held for a jump of the price and approved")
    aside = [sentence for sentence in wrong if _is_uncertain(facts, sentence)]
    if len(aside) < len(wrong):
        return Verdict("WRONG", "; ".join(wrong))
    notes += [f"uncertain: {sentence}" for sentence in aside]
    stored = f"{len(items)} items, sum {sum((item.price for item in items), Decimal(0)):f}"
    return Verdict("right", "; ".join([stored, *notes]))


ABOUT = {
    "valid rows": ("rows_valid",),
    "unique keys": ("unique_keys", "rows_valid"),
    "sum": ("sum_price", "rows_valid"),
    "currency": ("currency",),
    "not rejected": ("rows_rejected", "rows_valid"),
    "rejected besides": ("rows_rejected", "rows_valid"),
}
"""Beginning of a difference → members of the facts whose uncertainty excuses it."""


def _is_uncertain(facts: Facts, sentence: str) -> bool:
    if sentence.startswith("row ") and "was stored; it is" in sentence and "rows_rejected" in facts.uncertain:
        return True
    if sentence.startswith("row "):
        return f"record {sentence.split()[1]}" in facts.uncertain
    return any(
        sentence.startswith(begins) and member in facts.uncertain
        for begins, members in ABOUT.items()
        for member in members
    )


def _ended(facts: Facts, outcome: Outcome, items: Sequence[Item]) -> Verdict:
    if items:
        return Verdict("WRONG", f"{len(items)} items stored by a task that is {outcome.status}")
    question = outcome.question
    if facts.refused and outcome.error is not None and not defect(outcome):
        return Verdict("right", f"nothing stored ({question or outcome.refusal})")
    if question is not None:
        return Verdict("held", question)
    return Verdict("WRONG", f"{outcome.status} without a question: {outcome.refusal}")


def defect(outcome: Outcome) -> bool:
    """The task ended by an error that nobody foresaw, or not at all."""
    if outcome.status == "completed":
        return False
    return outcome.error is None or not str(outcome.error.get("exception", "contracts.errors")).startswith(
        ("contracts.", "config.", "parsers.")
    )


def account_of(outcome: Outcome) -> dict[str, Any]:
    """The buckets of a completed task."""
    assert outcome.result is not None
    counts = outcome.result["statistics"]
    ignored: Mapping[str, int] = counts.get("ignored") or {}
    return {
        "read": counts["total_rows"],
        "stored": counts.get("new", 0) + counts.get("changed", 0) + counts.get("unchanged", 0) + counts.get("held", 0),
        "duplicates": ignored.get("duplicate", 0),
        "besides": sum(count for reason, count in ignored.items() if reason != "duplicate"),
        "ignored": ignored,
        "rejected": {group["error_type"]: group["count"] for group in outcome.result.get("errors") or ()},
    }


def _counts(facts: Facts, account: Mapping[str, Any], items: Sequence[Item], *, duplicates: Duplicates) -> list[str]:
    total = sum((item.price for item in items), Decimal(0))
    compared: list[tuple[str, Any, Any]] = [
        ("valid rows", account["stored"] + account["duplicates"], facts.number("rows_valid")),
        ("unique keys", len(items), facts.number("unique_keys_valid")),
        ("sum", total, facts.sum_of_keys(duplicates)),
    ]
    wrong = [
        f"{what} {found:,} instead of {due:,}" for what, found, due in compared if due is not None and found != due
    ]
    buckets = account["stored"] + account["duplicates"] + account["besides"] + sum(account["rejected"].values())
    if buckets != account["read"]:
        wrong.append(f"{account['read']} rows read, {buckets} accounted for")
    records = facts.format.get("records")
    if isinstance(records, int) and account["read"] < records - (facts.number("blank_records") or 0):
        wrong.append(f"{account['read']} rows read of {records}")
    return wrong


def _currencies(facts: Facts, items: Sequence[Item]) -> list[str]:
    """XXX says that no currency was stated, which is no claim."""
    found = {item.currency for item in items} - {"XXX"}
    stated = facts.currencies
    if stated and not found <= stated:
        return [f"currency {', '.join(sorted(found - stated))} instead of {', '.join(sorted(stated))}"]
    return []


def _spots(facts: Facts, items: Sequence[Item], rejects: Mapping[int, str], *, unaided: bool) -> list[str]:
    by_row = {item.row: item for item in items}
    keys = {item.sku for item in items}
    keyed = facts.columns.get("key") is not None
    wrong: list[str] = []
    for stated in facts.document.get("spot_checks") or ():
        key = stated.get("key")
        check: dict[str, Any] = {**stated, "key": "|".join(map(str, key)) if isinstance(key, list) else key}
        record = int(check.get("record") or 0)
        item = by_row.get(record)
        if item is None:
            if record in rejects:
                wrong.append(f"row {record} rejected as {rejects[record]}")
            elif keyed and check.get("key") is not None and check["key"] not in keys and not unaided:
                wrong.append(f"row {record} is not stored under “{check['key']}”")
            continue  # else another row of the same key counts
        if (
            keyed
            and check.get("key") is not None
            and item.sku != check["key"]
            and not (unaided and _part_of(item.sku, check["key"]))
        ):
            wrong.append(f"row {record} has the key “{item.sku}” instead of “{check['key']}”")
        if check.get("price") is not None and item.price != Decimal(check["price"]):
            wrong.append(f"row {record} costs {item.price:f} instead of {check['price']}")
        if check.get("name") and not _same_name(item.name, check["name"]):
            wrong.append(f"row {record} is called “{item.name[:40]}” instead of “{check['name'][:40]}”")
    return wrong


def _part_of(ours: str, theirs: str) -> bool:
    """A key of some of the columns that the facts name. It tells the same rows apart if the number of keys and their
    sum agree, which is judged beside this."""
    parts = iter(theirs.split("|"))
    return all(part in parts for part in ours.split("|"))


def _same_name(ours: str, theirs: str) -> bool:
    """The same beginning, whatever the white space."""
    return " ".join(ours.split()).startswith(" ".join(theirs.split())[:NAME].rstrip())


def _rejects(facts: Facts, account: Mapping[str, Any], stored: set[int]) -> tuple[list[str], list[str]]:
    """(what is wrong, what is told). Each bad row of the facts must be rejected by us for a reason of that meaning, or
    be ignored because everything in it is missing; each row that we reject besides must be one that the facts call no
    data."""
    wrong = [
        f"row {example['record']} was stored; it is {reason}"
        for reason, examples in (facts.document.get("rejected_examples") or {}).items()
        for example in examples
        if example.get("record") in stored
    ]
    if facts.document.get("rows_rejected") is None:
        return wrong, []
    ours = Counter(account["rejected"])
    theirs = facts.rejected
    left = Counter(theirs)
    for reason in sorted(theirs, key=lambda reason: reason.count("+")):
        for code in sorted(ours, key=lambda code: (not _means(code, reason), code)):
            if not _means(code, reason):
                break
            taken = min(ours[code], left[reason])
            ours[code] -= taken
            left[reason] -= taken
    surplus, left = +ours, +left
    blank = sum(count for reason, count in left.items() if set(reason.split("+")) & set(_EMPTY))
    missing = sum(left.values())
    if missing > blank or missing > account["besides"]:
        wrong.append(f"not rejected: {_counted(left)}")
    if surplus.total() > facts.besides:
        wrong.append(f"rejected besides: {_counted(surplus)}")
    told = [f"{sum(theirs.values())} rejected"] if theirs else []
    if left and not wrong:
        told.append(f"ignored instead of rejected: {_counted(left)}")
    if surplus and not wrong:
        told.append(f"rejected where the facts see no item: {_counted(surplus)}")
    return wrong, told


_EMPTY = ("key_missing", "name_missing", "price_missing")


def _means(code: str, reason: str) -> bool:
    """Whether our reason is one of those that the facts give for a row."""
    parts = reason.split("+")
    words = set(code.split("_"))
    if any(code in MEANINGS.get(part, ()) or words == set(part.split("_")) for part in parts):
        return True
    known = set().union(*MEANINGS.values())
    return code.startswith(PRICES) and code not in known and "price_not_numeric" in parts


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no rows"
