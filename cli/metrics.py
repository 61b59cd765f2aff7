"""`pricemill metrics`: what the gauges of the fleet show, and the catalogue of all metrics."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import context
from cli.context import Desk
from cli.exits import Exit
from cli.screen import Screen
from cli.table import Column

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def metrics(
    ctx: typer.Context,
    catalogue: Annotated[bool, typer.Option("--catalogue", help="All metrics, with kind and meaning.")] = False,
) -> int:
    """What PostgreSQL tells of the fleet, in the text format of Prometheus (for a node exporter's textfile collector).
    Workers serve this and what they do themselves at /metrics where PRICEMILL_METRICS_PORT is set."""
    screen: Screen = ctx.obj
    return _catalogue(screen) if catalogue else context.look(lambda opened: _fleet(screen, opened))


async def _fleet(screen: Screen, opened: Desk) -> int:
    from observability.metrics import fleet_text
    from observability.metrics_catalogue import FAMILIES
    from workers.metrics_fleet import samples_of

    figures = await opened.reports.fleet()
    samples = list(samples_of(figures, wait_limit_seconds=opened.settings.wait_limit_seconds))
    if screen.human:
        screen.out.write(fleet_text(samples).decode())
        screen.out.flush()
        return Exit.DONE
    documents = [
        {
            "metric": FAMILIES[name].full_name,
            "labels": dict(zip(FAMILIES[name].labels, labels, strict=True)),
            "value": value,
        }
        for name, labels, value in samples
    ]
    screen.list(documents, (), empty="")
    return Exit.DONE


def _catalogue(screen: Screen) -> int:
    from observability.metrics_catalogue import FAMILIES

    items = [
        {
            "metric": family.full_name,
            "kind": family.kind,
            "of": family.of,
            "labels": list(family.labels),
            "meaning": family.sentence,
        }
        for family in FAMILIES.values()
    ]
    columns = [
        Column("METRIC", lambda item: item["metric"]),
        Column("KIND", lambda item: item["kind"]),
        Column("OF", lambda item: item["of"]),
        Column("LABELS", lambda item: " ".join(item["labels"]) or "-"),
        Column("MEANING", lambda item: item["meaning"], least=20),
    ]
    screen.list(items, columns, empty="")
    return Exit.DONE
