"""Options that several commands share, said once."""

from __future__ import annotations

from typing import Annotated

import typer

Task = Annotated[str | None, typer.Option(help="Id, or the beginning of one.")]
Supplier = Annotated[str | None, typer.Option()]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Everything = Annotated[bool, typer.Option("--all", help="Everything that is open.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the history.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")]
After = Annotated[str | None, typer.Option(help="The `next` of the page before.")]
