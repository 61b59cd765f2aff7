"""What a parser promises. tests/contract/parser_conformance.py holds every parser to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from contracts.rows import Chunk, Cursor, Description
from contracts.task import Document, ParseTask


@dataclass(frozen=True, slots=True)
class Source:
    """A stable snapshot of what was fetched; parsing and resuming read nothing else."""

    path: Path
    """A regular file in the task's spool."""
    sha256: str
    size: int
    name: str
    """For people: file name, sheet title or address without its query."""
    revision: str | None = None
    """What the keeper of the source calls this state of it, if that tells all: the same revision has the same rows."""


class Reading(Protocol):
    """An opened source: same bytes and config give the same chunks, however often and from any cursor."""

    description: Description

    def chunks(self, *, after: Cursor | None = None, size: int = 20_000) -> AsyncGenerator[Chunk, None]:
        """Every physical row behind `after`, in order, in chunks of at most `size` rows. Chunk borders
        may differ between calls; rows and row numbers may not. Title, blank and total rows are rows too."""
        ...

    async def close(self) -> None: ...


class Parser(Protocol):
    """Reads one format. Stateless; one instance serves many tasks at once."""

    name: ClassVar[str]
    """parser_type in queue messages."""
    config: ClassVar[type[Document]]
    """Model of its source_config."""

    async def fetch(self, task: ParseTask, spool: Path) -> Source:
        """The only method that may touch the network or files outside the spool. Snapshots the source
        into `spool` (a directory of this task). Raises SourceMissing, SourceForbidden, SourceNotAllowed,
        SourceUnavailable, SourceThrottled, SourceTooLarge."""
        ...

    async def open(self, source: Source, config: Document) -> Reading:
        """Looks at the snapshot (encoding, dialect, sheet) without reading it all.
        Raises SourceUnreadable, SourceRefused, ParserDied."""
        ...


@runtime_checkable
class Revisions(Protocol):
    """What a parser may offer beside: to ask for the revision of a source without reading it."""

    async def revision(self, task: ParseTask) -> str | None:
        """As Source.revision would be now; None if it cannot be known, for whatever reason. Raises ConfigError."""
        ...
