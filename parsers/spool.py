"""The snapshot of a source in the directory of its task: written once, verified whenever it is used again."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from contracts.errors import SourceTooLarge, SourceUnavailable
from contracts.parser import Source

_BLOCK = 1_048_576
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


@dataclass(slots=True)
class Intake:
    """What is being written: hashed and measured on the way. Raises SourceTooLarge, SourceUnavailable (disk)."""

    file: BinaryIO
    limit: int
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self.limit:
            raise SourceTooLarge(f"the source has more than {self.limit:,} bytes", limit=self.limit)
        self.digest.update(data)
        self.file.write(data)


def kept(spool: Path) -> Source | None:
    """The snapshot of an earlier attempt, if it is there and still has its recorded SHA-256."""
    path = spool / "source"
    try:
        facts = orjson.loads((spool / "source.json").read_bytes())
        with path.open("rb") as file:
            digest, size = hashlib.sha256(), 0
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except (OSError, orjson.JSONDecodeError):
        return None
    if (
        not isinstance(facts, dict)
        or facts.get("sha256") != digest.hexdigest()
        or not isinstance(facts.get("name"), str)
    ):
        return None
    return Source(path, facts["sha256"], size, facts["name"], facts.get("revision"))


@contextmanager
def intake(spool: Path, limit: int) -> Iterator[Intake]:
    """Opens the snapshot for writing; `keep` makes it the task's source. Left without, nothing is kept."""
    try:
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        (spool / "source.json").unlink(missing_ok=True)
        descriptor = os.open(spool / "source.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield Intake(file, limit)
    except OSError as error:
        if error.errno in _FULL:
            raise SourceUnavailable(f"the spool cannot be written: {error.strerror}", spool=str(spool)) from error
        raise
    finally:
        (spool / "source.part").unlink(missing_ok=True)


def keep(spool: Path, taken: Intake, name: str, revision: str | None = None) -> Source:
    """Names the snapshot; the facts come last, so that a crash leaves no half of it."""
    taken.file.flush()
    (spool / "source.part").replace(spool / "source")
    sha256 = taken.digest.hexdigest()
    facts = spool / "source.json.part"
    facts.write_bytes(orjson.dumps({"sha256": sha256, "size": taken.size, "name": name, "revision": revision}))
    facts.replace(spool / "source.json")
    return Source(spool / "source", sha256, taken.size, name, revision)
