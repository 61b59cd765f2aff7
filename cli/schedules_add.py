"""`pricemill schedules add`: from options to a plan, and its first slots."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import context
from cli.exits import Exit
from cli.hand_in import is_address, of_address
from cli.problems import NotFound, Usage
from cli.schedules_words import a_span
from cli.screen import Screen
from cli.text import line, stamp

if TYPE_CHECKING:
    from contracts.schedule import SchedulePlan
    from workers.app import App


def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    source: Annotated[
        str | None, typer.Argument(metavar="FILE|URL", help="As workers see it; {date} is the day of the slot.")
    ] = None,
    *,
    cron: Annotated[str, typer.Option(help="Five fields: minute, hour, day, month, day of week.")],
    zone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/Berlin.")] = "UTC",
    supplier: Annotated[str | None, typer.Option(help="Whose list this is.")] = None,
    parser: Annotated[str | None, typer.Option(help="Instead of the one the name calls for.")] = None,
    task: Annotated[
        Path | None, typer.Option(metavar="TASK.json", help="A queue message without id, instead of a source.")
    ] = None,
    priority: Annotated[str, typer.Option(help="low, normal or high.")] = "normal",
    jitter: Annotated[str, typer.Option(metavar="5m", help="Each slot starts up to so much later.")] = "0",
    overlap: Annotated[
        str, typer.Option(help="While the last task has not ended: skip, queue or cancel_running.")
    ] = "skip",
    catch_up: Annotated[str, typer.Option(help="Missed slots that are started later: skip, latest or all.")] = "skip",
    catch_up_runs: Annotated[int, typer.Option(help="At most so many of them ...")] = 10,
    catch_up_window: Annotated[str, typer.Option(metavar="1h", help="... and only those of so long ago.")] = "1h",
    replace: Annotated[bool, typer.Option("--replace", help="Change the schedule of that name.")] = False,
    disabled: Annotated[bool, typer.Option("--disabled", help="Starts nothing until it is resumed.")] = False,
) -> int:
    """Add a schedule; its slots count from now on."""
    screen: Screen = ctx.obj
    members = {
        "cron": cron,
        "zone": zone,
        "jitter_seconds": _seconds(jitter),
        "overlap": overlap,
        "catch_up": catch_up,
        "catch_up_runs": catch_up_runs,
        "catch_up_seconds": _seconds(catch_up_window),
        "task": _template(source, supplier, parser, priority, task),
    }
    plan = _plan(members)

    async def put(opened: App) -> int:
        from contracts.errors import StateConflict
        from workers import schedule, schedule_preview

        now = await opened.schedules.now()
        schedule.task_for(name, plan, now)
        upcoming = [due for _, due in islice(schedule.coming(name, plan, now), 3)]
        done = await opened.schedules.put(
            name,
            plan,
            next_at=upcoming[0] if upcoming else None,
            actor=context.actor(),
            replace=replace,
            enabled=not disabled,
        )
        if not done and replace:
            raise NotFound(f"there is no schedule {name!r} to replace", next="pricemill schedules list")
        if not done:
            raise StateConflict(f"there is a schedule {name!r} already", next="add --replace to change it")
        answer = {"name": name, "plan": plan.model_dump(mode="json"), "next": upcoming}
        told = [f"{line(name)}: {line(schedule_preview.in_words(plan))}"]
        told.append(f"Next      {', '.join(map(stamp, upcoming)) or 'never'}")
        screen.answer(answer, lambda: told)
        screen.next(f"pricemill schedules simulate {line(name)}")
        return Exit.DONE

    _require_name(name)
    return context.run(put)


def bare_plan(cron: str, zone: str) -> SchedulePlan:
    """For an expression without a schedule."""
    task = {"parser_type": "csv", "supplier_name": "-", "source_config": {"file_path": "-"}}
    return _plan({"cron": cron, "zone": zone, "task": task})


def _plan(members: dict[str, Any]) -> SchedulePlan:
    from pydantic import ValidationError

    from contracts.schedule import SchedulePlan

    try:
        return SchedulePlan.model_validate(members)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise Usage(f"this schedule cannot be: {wrong}") from None


def _template(
    source: str | None, supplier: str | None, parser: str | None, priority: str, task: Path | None
) -> dict[str, Any]:
    if (source is None) == (task is None):
        raise Usage("give either a source or --task")
    if task is not None:
        return _read(task)
    assert source is not None
    if supplier is None:
        raise Usage("--supplier says whose list this is")
    if is_address(source):
        handed = of_address(source)
        found, location = handed.parser_type, handed.location
    else:
        found, location = of_address(f"https://file/{Path(source).name}").parser_type, {"file_path": source}
    return {
        "parser_type": parser or found,
        "supplier_name": supplier,
        "source_config": location,
        "priority": priority,
    }


def _read(task: Path) -> dict[str, Any]:
    import orjson

    try:
        document = orjson.loads(task.read_bytes())
    except OSError as error:
        raise NotFound(f"{task}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise Usage(f"{task} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Usage(f"{task} holds no JSON object")
    document.pop("schema_version", None)
    return document


def _require_name(name: str) -> None:
    import re

    from contracts.schedule import NAME

    if not re.match(NAME, name):
        raise Usage(f"{name!r} is no name for a schedule: lower-case letters, digits, - and _, at most 80")


def _seconds(text: str) -> int:
    found = a_span(text)
    return 0 if found is None else int(found.total_seconds())
