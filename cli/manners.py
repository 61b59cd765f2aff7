"""The options every command understands, taken out of the arguments before the command sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

HELP = """Every command also takes:
  --json           the answer as one JSON object on stdout, an error as one problem object on stderr
  --jsonl          lists as one JSON object a line
  --fields a,b     only these members or columns
  --quiet, -q      no hints and no progress
  --no-progress    one line per 10 % instead of a bar
  --no-color       also by NO_COLOR"""

FOREVER = "forever"
"""The value of a bare --wait."""
USUALLY = "2s"
"""The value of a bare --watch."""


class BadManners(ValueError):
    """one of the common options cannot be understood"""


@dataclass(frozen=True, slots=True)
class Manners:
    form: Literal["human", "json", "jsonl"] = "human"
    fields: tuple[str, ...] = ()
    quiet: bool = False
    colour: bool = False
    bar: bool = False
    """A live bar on stderr; else one line per 10 %."""
    terminal: bool = False
    """stdout is a terminal: what does not fit may be shortened."""
    asks: bool = False
    """A person can answer."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process is connected to."""

    stdin_tty: bool
    stdout_tty: bool
    stderr_tty: bool
    environ: Mapping[str, str]


def take(argv: Sequence[str], around: Surroundings) -> tuple[Manners, list[str]]:
    """The manners, and the arguments without them. Nothing behind `--` is touched. Raises BadManners."""
    form: Literal["human", "json", "jsonl"] = "human"
    fields: tuple[str, ...] = ()
    quiet = no_colour = no_progress = False
    rest: list[str] = []
    waiting = iter(argv)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument == "--json":
            form = "json"
        elif argument == "--jsonl":
            form = "jsonl"
        elif argument == "--fields":
            fields = _fields(next(waiting, ""))
        elif argument.startswith("--fields="):
            fields = _fields(argument.removeprefix("--fields="))
        elif argument in {"--quiet", "-q"}:
            quiet = True
        elif argument in {"--no-color", "--no-colour"}:
            no_colour = True
        elif argument == "--no-progress":
            no_progress = True
        elif argument == "--wait":
            rest.append(f"--wait={FOREVER}")
        elif argument == "--watch":
            rest.append(f"--watch={USUALLY}")
        else:
            rest.append(argument)
    dumb = around.environ.get("TERM") == "dumb"
    manners = Manners(
        form=form,
        fields=fields,
        quiet=quiet,
        colour=around.stdout_tty
        and form == "human"
        and not no_colour
        and not around.environ.get("NO_COLOR")
        and not dumb,
        bar=around.stderr_tty and form == "human" and not quiet and not no_progress and not dumb,
        terminal=around.stdout_tty,
        asks=around.stdin_tty and around.stderr_tty and form == "human",
    )
    return manners, rest


def _fields(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise BadManners("--fields needs names, such as --fields task_id,status")
    return names
