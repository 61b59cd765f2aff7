"""Runs the child that parses a workbook, and takes its rows down into a file of the spool."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from contracts.errors import ParserDied, SourceTooLarge, SourceUnreadable
from parsers.child import END, ERROR, FRAME, HEAD, HEADER, OUT_OF_MEMORY, ROWS
from parsers.cutting import MAX_RECORD
from parsers.resources import Resources

_ROOT = Path(__file__).resolve().parent.parent
_START = "import sys; sys.path.insert(0, sys.argv[1]); from parsers.child import main; main()"
_FRAME_LIMIT = FRAME + 2 * MAX_RECORD
_HEAD_SPACE = 65_536
_OWN_CLASS = re.compile(r"^parsers\.[\w.]+: ")
_SAID = 4_096


@dataclass(frozen=True, slots=True)
class Job:
    path: Path
    kind: str
    sheet: str | None
    """For a document (parsers/documents.py): the reader's options as JSON."""
    name: str
    """Of the source, for messages."""
    engine: str | None = None
    """None = the usual ones of the kind."""


class _Died(Exception):
    """One try ended without its last frame."""

    def __init__(self, reason: str, *, killed: bool, late: bool = False) -> None:
        self.reason = reason
        self.killed = killed
        self.late = late
        super().__init__(reason)


ENGINES = {"xlsx": ("xlsx", "calamine", "pandas"), "xls": ("xlrd", "calamine"), "ods": ("ods", "calamine")}
"""Readers of a kind (parsers/workbook.py), in the order in which they are tried."""
FAST_ENGINE = "calamine"


async def convert(job: Job, target: Path, resources: Resources) -> None:
    """Writes the row file `target`, whole or not at all. A child that cannot read the file is followed by the next
    engine; one that was killed (signal, memory) too, and if there is none, by a second try. One that took too long
    is not followed by anything. Raises ParserDied, SourceUnreadable, SourceTooLarge."""
    engines = (job.engine,) if job.engine else ENGINES.get(job.kind, (FAST_ENGINE,))
    failures: list[_Died] = []
    for engine in engines if len(engines) > 1 else engines * 2:
        try:
            await _attempt(job, engine, target, resources)
        except _Died as died:
            failures.append(died)
            if died.late or (len(engines) == 1 and not died.killed):
                break
        else:
            return
    worst = next((died for died in failures if died.killed), None)
    if worst is not None:
        raise ParserDied(
            f"the parser process died on “{job.name}”: {worst.reason}", name=job.name, reason=worst.reason
        ) from worst
    raise SourceUnreadable(f"“{job.name}” cannot be read: {failures[0].reason}", name=job.name) from failures[0]


async def _attempt(job: Job, engine: str, target: Path, resources: Resources) -> None:
    sheet = [] if job.sheet is None else [job.sheet]
    limits = [str(resources.child_memory_bytes), str(resources.child_cpu_seconds)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _START, str(_ROOT), str(job.path), job.kind, engine, *limits, *sheet),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said = asyncio.ensure_future(_tail(process.stderr))
    temporary = target.with_name(target.name + ".part")
    try:
        # a child that sleeps uses no CPU time
        async with asyncio.timeout(60 + 2 * resources.child_cpu_seconds):
            with temporary.open("wb") as out:
                whole = await _take_down(process.stdout, out, job, resources.max_source_bytes)
            code = await process.wait()
            if not whole or code:
                raise _ended(code, await said)
        temporary.replace(target)
    except TimeoutError as error:
        raise _Died("it took too long", killed=True, late=True) from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        said.cancel()
        with suppress(asyncio.CancelledError):
            await said
        temporary.unlink(missing_ok=True)


async def _take_down(pipe: asyncio.StreamReader, out: BinaryIO, job: Job, limit: int) -> bool:
    """Whether the last frame came. What a child sends is bytes to keep; it is parsed as JSON later, never more."""
    size = 0
    while True:
        try:
            kind, length = HEADER.unpack(await pipe.readexactly(HEADER.size))
            if length > _FRAME_LIMIT:
                return False
            payload = await pipe.readexactly(length)
        except asyncio.IncompleteReadError:
            return False
        if kind == HEAD:
            _keep_head(out, payload)
        elif kind == ROWS:
            size += length
            if size > limit:
                raise SourceTooLarge(f"the rows of “{job.name}” have more than {limit:,} bytes", name=job.name)
            out.write(payload)
        elif kind == ERROR:
            raise SourceUnreadable(f"“{job.name}”: {payload.decode('utf-8', 'replace')[:1_000]}", name=job.name)
        else:
            return bool(kind == END)


def _keep_head(out: BinaryIO, head: bytes) -> None:
    """The first one takes its place at the beginning; one that comes behind the rows knows more and replaces it."""
    if out.tell() == 0:
        out.write(head.removesuffix(b"\n").ljust(_HEAD_SPACE - 1) + b"\n")
    elif len(head) <= _HEAD_SPACE:
        end = out.tell()
        out.seek(0)
        out.write(head.removesuffix(b"\n").ljust(_HEAD_SPACE - 1))
        out.seek(end)


async def _tail(pipe: asyncio.StreamReader) -> str:
    """The last words of the child; everything before them is read and forgotten."""
    kept = b""
    while block := await pipe.read(_SAID):
        kept = (kept + block)[-_SAID:]
    return kept.decode("utf-8", "replace")


def _ended(code: int, said: str) -> _Died:
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    last = _OWN_CLASS.sub("", last)
    if code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        reason = f"signal {-code} ({name}){f', {last[:200]}' if last else ''}"
        return _Died(reason, killed=True, late=-code == signal.SIGXCPU)
    if code == OUT_OF_MEMORY or "MemoryError" in last or "memory allocation" in last:
        return _Died("out of memory", killed=True)
    return _Died(last[:300] or f"it ended with code {code}", killed=False)
