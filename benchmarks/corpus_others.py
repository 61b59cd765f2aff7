"""Invoices, web pages and nasty files of a corpus: read, or refused cleanly; never lost, never a dead worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from benchmarks.corpus_judge import Verdict, account_of, defect
from benchmarks.corpus_outcome import Item, Outcome

SECONDS = 30.0
"""That a nasty file may take."""


def judge_torture(outcome: Outcome) -> Verdict:
    """Rows read, or an error that was foreseen, within the time."""
    if defect(outcome) or outcome.status not in {"completed", "dead", "refused"}:
        return Verdict("WRONG", f"{outcome.status}: {outcome.refusal}")
    if outcome.seconds > SECONDS:
        return Verdict("WRONG", f"took {outcome.seconds:.0f} s")
    if outcome.status == "completed":
        account = account_of(outcome)
        return Verdict("right", f"{account['read']} rows read, {account['stored']} stored")
    return Verdict("right", outcome.question or outcome.refusal)


def judge_invoice(facts: Mapping[str, Any], outcome: Outcome, items: Sequence[Item]) -> Verdict:
    """Each line of the document is a row in a bucket; an item of a line that the facts show has that line's price."""
    due = facts.get("line_count")
    if outcome.status != "completed":
        return _unread(outcome, items, nothing=not due)
    account = account_of(outcome)
    wrong = [] if due is None or account["read"] == due else [f"{account['read']} lines read instead of {due}"]
    by_key: dict[str, list[Item]] = {}
    for item in items:
        for name in {item.sku, " ".join(item.name.split())}:
            by_key.setdefault(name, []).append(item)
    for line in facts.get("lines") or ():
        prices = {value for value in map(_amount, line.get("prices") or [line.get("net_unit_price")]) if value}
        known = [line.get("seller_item_id"), line.get("standard_item_id"), " ".join((line.get("name") or "").split())]
        found = next((by_key[name] for name in known if name and name in by_key), [])
        if prices and found and not any(item.price in prices for item in found):
            wrong.append(f"“{known[-1]}” costs {found[0].price:f} instead of {min(prices):f}")
    if (currency := facts.get("currency")) and (strange := {item.currency for item in items} - {currency}):
        wrong.append(f"currency {', '.join(sorted(strange))} instead of {currency}")
    if wrong:
        return Verdict("WRONG", "; ".join(wrong))
    return Verdict("right", f"{account['read']} lines, {len(items)} items")


def judge_page(facts: Mapping[str, Any], outcome: Outcome, items: Sequence[Item]) -> Verdict:
    if outcome.status != "completed":
        return _unread(outcome, items, nothing=False)
    prices = {item.sku: item.price for item in items}
    offers = facts.get("offers") or ([facts] if facts.get("sku") else [])
    wrong = [
        f"“{offer['sku']}” costs {prices.get(offer['sku'])} instead of {offer['price']}"
        for offer in offers
        if prices.get(offer["sku"]) != _amount(offer["price"])
    ]
    total = sum(prices.values(), Decimal(0))
    if (due := facts.get("items")) is not None and len(items) != due:
        wrong.append(f"{len(items)} items instead of {due}")
    if (due := _amount(facts.get("sum_of_prices"))) is not None and total != due:
        wrong.append(f"sum {total:f} instead of {due:f}")
    if (currency := facts.get("currency")) and (strange := {item.currency for item in items} - {currency, "XXX"}):
        wrong.append(f"currency {', '.join(sorted(strange))} instead of {currency}")
    if wrong:
        return Verdict("WRONG", "; ".join(wrong))
    return Verdict("right", f"{len(items)} items, sum {total:f}")


def _unread(outcome: Outcome, items: Sequence[Item], *, nothing: bool) -> Verdict:
    """`nothing` = there is nothing in the document, so that a refusal is the right answer."""
    if items or defect(outcome):
        return Verdict("WRONG", f"{outcome.status}, {len(items)} items stored: {outcome.refusal}")
    if nothing:
        return Verdict("right", outcome.question or outcome.refusal)
    return Verdict("held" if outcome.question else "WRONG", outcome.question or outcome.refusal)


def _amount(text: Any) -> Decimal | None:
    try:
        return None if text is None else Decimal(str(text))
    except InvalidOperation:
        return None
