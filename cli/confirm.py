"""Asking before many things change, or refusing to guess the answer."""

from __future__ import annotations

from cli.problems import Usage
from cli.screen import Screen


def agree(screen: Screen, sentence: str, *, count: int, yes: bool) -> bool:
    """True: go on. A person types the number of things; without a terminal --yes must say it. Raises Usage."""
    if yes:
        return True
    if not screen.manners.asks:
        raise Usage(f"{sentence}: add --yes to do it, or --dry-run to see it", next=f"{screen.again()} --yes")
    screen.err.write(f"{sentence[0].upper()}{sentence[1:]}.\nType {count} to go on: ")
    screen.err.flush()
    answer = input()
    if answer.strip() == str(count):
        return True
    screen.note("Nothing was changed.")
    return False
