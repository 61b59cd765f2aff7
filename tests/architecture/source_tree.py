"""The project's Python files, parsed once, for the tests of this folder."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERED = ("cli", "workers", "pipeline", "config", "parsers", "db", "resilience", "observability", "contracts")


@dataclass(frozen=True, slots=True)
class Module:
    path: str
    """Relative to the root, with slashes."""
    text: str
    tree: ast.Module

    @property
    def folder(self) -> str:
        return self.path.partition("/")[0]

    def imports(self) -> Iterator[tuple[str, int]]:
        """(dotted name of the imported module, line) of every absolute import, wherever it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module, node.lineno
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def parse(path: str, text: str) -> Module:
    return Module(path=path, text=text, tree=ast.parse(text, filename=path))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every Python file below the given top-level folders, sorted by path."""
    return tuple(
        parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    )


@cache
def tracked_text() -> dict[str, str]:
    """Path → text of every text file that belongs to the project (tracked, or new and not ignored)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    found = {}
    for name in sorted(filter(None, listed.split("\0"))):
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found
