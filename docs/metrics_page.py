"""The reference page of metrics."""

from __future__ import annotations

from collections.abc import Iterator

from docs.markdown import paragraph, table
from observability.metrics_catalogue import CAPS, FAMILIES, KNOWN


def metrics_page() -> Iterator[str]:
    yield "# Metrics"
    yield ""
    yield from paragraph(
        "What a worker serves at `/metrics` where `PRICEMILL_METRICS_PORT` is set. Beside these there are the usual "
        "`process_…` ones. **worker**: what this process did or is; sum over workers. **fleet**: what PostgreSQL says, "
        "alike on every worker; take it once with `max by`, never sum. Where PostgreSQL does not answer, what is told "
        "of the fleet is absent, not zero. A label value that nobody foresaw, or one too many, is `other`; suppliers, "
        "files and tasks are no labels."
    )
    yield ""

    def labels(names: tuple[str, ...], known: tuple[str, ...]) -> str:
        shown = []
        for name, values in zip(names, known, strict=True):
            told = f": {' '.join(KNOWN[values])}" if values and len(KNOWN[values]) <= 9 else ""
            shown.append(f"`{name}`{told}")
        return "; ".join(shown)

    yield from table(
        ("Metric", "Kind", "Of", "Labels", "What it tells"),
        (
            (f"`{one.full_name}`", one.kind, one.of, labels(one.labels, one.known), one.sentence)
            for one in FAMILIES.values()
        ),
    )
    yield ""
    yield from paragraph(
        f"Most values of a label: {', '.join(f'`{name}` {most}' for name, most in CAPS.items())}. `category` is that "
        "of the [error](errors.md), or `question` for a list that waits for an answer; of `pricemill_row_errors_total` "
        "it is the [reason](reasons.md)."
    )
