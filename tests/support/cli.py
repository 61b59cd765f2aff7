"""Calls the command line as a shell would: in a process of its own, or quicker in this one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.__main__ import COMMANDS
from cli.dispatch import dispatch

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
KEPT = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START")


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        return json.loads(self.err)


@dataclass(frozen=True, slots=True)
class Installation:
    """What the environment of a call says."""

    data_dir: Path
    database_url: str | None = None
    redis_url: str | None = None

    def environment(self) -> dict[str, str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START") if name in os.environ
        }
        named = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return {
            **kept,
            **{name: value for name, value in named.items() if value},
            "PRICEMILL_DATA_DIR": str(self.data_dir),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
        }

    def inside(self, *arguments: str | Path) -> Answer:
        """The same without a new interpreter: everything below main() is real."""
        out, err = io.StringIO(), io.StringIO()
        before, directory = dict(os.environ), Path.cwd()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        os.environ.clear()
        os.environ.update(self.environment())
        os.chdir(self.data_dir)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = dispatch([str(argument) for argument in arguments], COMMANDS)
        finally:
            os.chdir(directory)
            os.environ.clear()
            os.environ.update(before)
        return Answer(code, out.getvalue(), err.getvalue())

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Answer:
        """Runs `pricemill ARGUMENTS` in the data directory, so that no .env of the checkout is read."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "cli", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self.data_dir,
            env=self.environment(),
            timeout=PATIENCE,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)
