"""Parts of statements: what a pause or a limit says of a task."""

from __future__ import annotations

UNFINISHED = "status IN ('queued', 'running', 'retryable')"
WAITING = "status IN ('queued', 'retryable')"

_CLASSES = {"queue": "queue", "supplier": "supplier_name", "parser": "parser_type", "source": "source"}


def _of(control: str, task: str, kinds: tuple[str, ...]) -> str:
    """Whether a row of pauses or limits is about the task."""
    return " OR ".join(f"({control}.kind = '{kind}' AND {control}.name = {task}.{_CLASSES[kind]})" for kind in kinds)


def paused(task: str, *, also: str = "true") -> str:
    # The first question is asked once a statement; where nothing is paused the second never is.
    return f"""(EXISTS (SELECT FROM pauses) AND EXISTS (
             SELECT FROM pauses p WHERE (p.until IS NULL OR p.until > now()) AND {also}
               AND ({_of("p", task, ("queue", "supplier", "parser", "source"))})))"""


LIMITING = "(l.concurrency IS NOT NULL OR l.rate_calls IS NOT NULL)"


def about(task: str) -> str:
    """Whether the limit `l` holds for the task."""
    return f"({LIMITING} AND ({_of('l', task, ('queue', 'parser', 'source'))}))"


def limited(task: str) -> str:
    return f"(EXISTS (SELECT FROM limits) AND EXISTS (SELECT FROM limits l WHERE {about(task)}))"


RUNNING = """(SELECT count(*) FROM tasks r WHERE r.status = 'running' AND
   CASE l.kind WHEN 'queue' THEN r.queue WHEN 'parser' THEN r.parser_type ELSE r.source END = l.name)"""

_BURST = "greatest(1, ceil(l.rate_calls / l.rate_seconds * 0.5))"
EACH = f"(l.rate_seconds / (l.rate_calls - {_BURST} + 1))"
"""Both as in contracts.controls.Rate."""
_TAKEN = "extract(epoch FROM greatest(l.full_at - clock_timestamp(), interval '0'))"
RATE_ROOM = f"floor({_BURST} - coalesce({_TAKEN}, 0) / {EACH} + 0.000001)"

ROOM = f"""least(coalesce(l.concurrency - {RUNNING}, 1000000), coalesce({RATE_ROOM}, 1000000))"""
"""How many tasks of the limit `l` may start now."""
