"""`pricemill`: answers --version and --help at once, and finds the command for everything else."""

from __future__ import annotations

import sys

COMMANDS: dict[str, tuple[str, str]] = {
    "import": ("cli.load", "load a price list: a file, an https address or a Google Sheet"),
    "map": ("cli.mapping", "how a file is understood, with certainty and reason"),
    "status": ("cli.status", "what waits, what runs, what is dead, how fast it goes"),
    "why": ("cli.why", "why it is as it is: cause, evidence, what is safe to do"),
    "tasks": ("cli.tasks", "list, show, retry and cancel tasks"),
    "dead": ("cli.dead", "dead letters: groups, list, show, retry, discard"),
    "held": ("cli.held", "what waits for a person: answer questions, approve prices"),
    "rejected": ("cli.rejected", "rows that were not loaded, with reason and remedy"),
    "suppliers": ("cli.suppliers", "suppliers and their profiles"),
    "schedules": ("cli.schedules", "tasks that come by the clock"),
    "explain": ("cli.explain", "where a number comes from, back to its row"),
    "enqueue": ("cli.enqueue", "hand in tasks as JSON, one or many"),
    "queues": ("cli.queues", "what waits where: list, pause, resume, set limits"),
    "worker": ("cli.worker", "run a worker"),
    "workers": ("cli.workers", "who works: list, drain, recycle, resume"),
    "metrics": ("cli.metrics", "the fleet as gauges, and the catalogue of metrics"),
    "db": ("cli.database", "upgrade, downgrade or check the database"),
    "doctor": ("cli.doctor", "check the installation"),
    "demo": ("cli.demo", "see it work on sample lists"),
}
"""Command -> (module that holds its `app`, one line of help). Modules are imported only when called."""


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("pricemill")
    except PackageNotFoundError:
        return "0+unknown"


def overview() -> str:
    """The text of `pricemill --help`."""
    from cli.manners import HELP

    commands = "\n".join(f"  {name:<10} {sentence}" for name, (_, sentence) in COMMANDS.items())
    last = "Help for one command: pricemill COMMAND --help"
    return f"Usage: pricemill COMMAND [ARGUMENTS]\n\n{commands}\n\n{HELP}\n\n{last}\n"


def main() -> int:
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["version"], ["-V"]):
        sys.stdout.write(f"pricemill {version()}\n")
        return 0
    if arguments in ([], ["--help"], ["-h"], ["help"]):
        sys.stdout.write(overview())
        return 0 if arguments else 2
    from cli.dispatch import dispatch

    return dispatch(arguments, COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
