"""`pricemill worker`: runs a worker in this process."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import context
from cli.exits import Exit
from cli.screen import Screen

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def worker(
    ctx: typer.Context,
    burst: Annotated[bool, typer.Option("--burst", help="Leave when nothing waits any more.")] = False,
    concurrency: Annotated[int | None, typer.Option(min=1, max=64, help="Tasks at once.")] = None,
) -> int:
    """Work until SIGTERM or Ctrl-C; then running tasks stop behind their chunk and others take them up."""
    screen: Screen = ctx.obj
    settings = context.load_settings()
    if concurrency is not None:
        settings = settings.model_copy(update={"concurrency": concurrency})

    async def work(opened: Any) -> int:
        from observability.logging import configure
        from workers.chores import chores_of
        from workers.fleet import run_worker

        level = "WARNING" if screen.manners.quiet else settings.log_level
        configure(level=level, log_format="json" if settings.log_format == "json" else "console")
        if not burst:
            screen.note("Working. Stop with Ctrl-C; running tasks keep what they have committed.")
        await run_worker(opened, burst=burst, fleet_url=opened.database_url, chores=chores_of(opened))
        screen.next("pricemill status")
        if opened.stopping.recycling:
            from workers.stopping import EXIT_RECYCLED

            return EXIT_RECYCLED
        return Exit.DONE

    return context.run(work, settings=settings)
