"""One call of a command: its manners, its module, its exit code; every error ends here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TextIO

import typer

from cli import problems
from cli.exits import Exit
from cli.manners import HELP, BadManners, Manners, Surroundings, take
from cli.screen import Screen
from contracts.errors import PricemillError


def dispatch(argv: Sequence[str], commands: Mapping[str, tuple[str, str]]) -> int:
    """Runs `pricemill ARGV`; returns the exit code."""
    around = Surroundings(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), os.environ)
    screen = Screen(Manners(), sys.stdout, sys.stderr)
    try:
        manners, arguments = take(argv, around)
        screen = Screen(manners, sys.stdout, sys.stderr, argv)
        return _call(arguments, commands, screen)
    except BadManners as error:
        screen = Screen(Manners(form="json" if "--json" in argv else "human"), sys.stdout, sys.stderr)
        return _fail(screen, problems.Usage(str(error)))
    except PricemillError as error:
        return _fail(screen, error)
    except typer.TyperException as error:
        return _fail(screen, problems.Usage(error.format_message(), next=f"pricemill {_name(argv)} --help"))
    except (KeyboardInterrupt, typer.Abort):
        screen.note("Interrupted. Tasks that were accepted stay in the queue; see pricemill status")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _quieten(sys.stdout)
        return Exit.DONE
    except OSError as error:
        # A directory that cannot be written, a full disk: nothing of ours, so no traceback.
        return _fail(screen, problems.Failed(f"the operating system refuses: {error}", next="pricemill doctor"))


def _call(arguments: list[str], commands: Mapping[str, tuple[str, str]], screen: Screen) -> int:
    if not arguments or arguments[0] not in commands:
        raise _unknown(arguments[0] if arguments else "", commands)
    name, rest = arguments[0], arguments[1:]
    command = typer.main.get_command(import_module(commands[name][0]).app)
    _explain_manners(command)
    # Not command.main(): it answers Ctrl-C itself, without a word about what goes on.
    try:
        with command.make_context(f"pricemill {name}", rest, obj=screen) as called:
            code: Any = command.invoke(called)
    except typer.Exit as end:
        code = end.exit_code
    sys.stdout.flush()
    return int(code or 0)


def _explain_manners(command: Any) -> None:
    command.epilog = "\b\n" + HELP
    for inner in getattr(command, "commands", {}).values():
        _explain_manners(inner)


def _unknown(name: str, commands: Mapping[str, tuple[str, str]]) -> problems.Usage:
    from difflib import get_close_matches

    near = get_close_matches(name, commands, n=1, cutoff=0.5)
    message = f"there is no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    return problems.Usage(message, next=f"pricemill {near[0]} --help" if near else "pricemill --help")


def _name(argv: Sequence[str]) -> str:
    return next((argument for argument in argv if not argument.startswith("-")), "")


def _fail(screen: Screen, error: PricemillError) -> int:
    screen.problem(problems.document(error, screen.known), problems.lines(error, screen.known))
    return problems.exit_of(error)


def _quieten(stream: TextIO) -> None:
    """The reader went away (`| head`); nothing may be flushed to it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
