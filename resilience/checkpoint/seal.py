"""Seals a checkpoint so that a damaged one is noticed before it is used."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, Final, Literal

import orjson

from contracts.checkpoint import CHECKPOINT_VERSION, Checkpoint
from contracts.errors import ValidationError
from resilience.checkpoint.versions import brought_up, minor_of

MAX_BYTES: Final = 1_000_000
"""Of a checkpoint as canonical JSON."""
_GZIP: Final = b"\x1f\x8b"
_MAJOR: Final = CHECKPOINT_VERSION.split(".", 1)[0]

Corruption = Literal[
    "checksum_mismatch",
    "schema_version_mismatch",
    "invalid_json",
    "invalid_compression",
    "missing_fields",
    "wrong_types",
    "size_mismatch",
]


class CheckpointCorrupt(ValidationError):
    """the checkpoint cannot be trusted"""

    next_step = "nothing: an earlier checkpoint is used, or the task starts over"

    def __init__(self, kind: Corruption, detail: str) -> None:
        super().__init__(f"{kind.replace('_', ' ')}: {detail}", kind=kind)
        self.kind = kind


def seal(checkpoint: Checkpoint) -> dict[str, Any]:
    """The checkpoint's document with `size` (bytes of everything else as canonical JSON) and `checksum` (SHA-256 in hex
    over everything else, `size` included). Survives a round trip through jsonb."""
    document = checkpoint.document()
    document["size"] = len(_canonical(document))
    document["checksum"] = _checksum(document)
    return document


def unseal(document: object, *, task_id: str | None = None) -> Checkpoint:
    """The checkpoint of a sealed document, or of its bytes (JSON, gzip or not); of that task, if one is named.

    Raises CheckpointCorrupt and nothing else. Documents of the same major version are read: those of older minor
    versions are brought up to date (versions.py), and members that a newer one added are covered by the seal and
    otherwise ignored."""
    members = _load(document) if isinstance(document, bytes) else document
    if not isinstance(members, dict):
        raise CheckpointCorrupt("wrong_types", "the checkpoint is not a JSON object")
    version = members.get("version")
    if not isinstance(version, str):
        raise CheckpointCorrupt("missing_fields", "version")
    minor = minor_of(version)
    if minor is None:
        raise CheckpointCorrupt("schema_version_mismatch", f"version {version[:20]}; this release reads {_MAJOR}.x")
    for name in ("size", "checksum"):
        if name not in members:
            raise CheckpointCorrupt("missing_fields", name)
    try:
        body = {name: value for name, value in members.items() if name not in {"size", "checksum"}}
        size, checksum = len(_canonical(body)), _checksum(members)
    except (TypeError, ValueError) as error:
        raise CheckpointCorrupt("wrong_types", "members are not JSON") from error
    if members["checksum"] != checksum:
        if members["size"] != size:
            raise CheckpointCorrupt("size_mismatch", f"{size} bytes where the seal says {members['size']!r:.20}")
        raise CheckpointCorrupt("checksum_mismatch", "the content is not what was sealed")
    checkpoint = _typed(brought_up(members, minor))
    if task_id is not None and checkpoint.task_id != task_id:
        raise CheckpointCorrupt("wrong_types", "it belongs to another task")
    return checkpoint


def _typed(members: dict[str, Any]) -> Checkpoint:
    try:
        checkpoint = Checkpoint.from_document(members)
    except KeyError as error:
        raise CheckpointCorrupt("missing_fields", str(error.args[0])[:80]) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointCorrupt("wrong_types", "members of the wrong type") from error
    account, cursor = checkpoint.account, checkpoint.cursor
    numbers = (
        *(cursor.row, cursor.offset, cursor.unit),
        *(account.read, account.new, account.changed, account.unchanged),
        *(count for bucket in (account.rejected, account.held, account.ignored) for count in bucket.values()),
    )
    texts = (checkpoint.task_id, checkpoint.source_sha256, checkpoint.plan_fingerprint)
    if not (
        type(checkpoint.sequence) is int
        and checkpoint.sequence >= 1
        and all(type(number) is int and number >= 0 for number in numbers)
        and all(type(text) is str and text for text in texts)
    ):
        raise CheckpointCorrupt("wrong_types", "members of the wrong type or out of range")
    return checkpoint


def _load(data: bytes) -> Any:
    if data.startswith(_GZIP):
        inflater = zlib.decompressobj(wbits=31)
        try:
            data = inflater.decompress(data, MAX_BYTES + 1)
        except zlib.error as error:
            raise CheckpointCorrupt("invalid_compression", "gzip cannot read it") from error
        if not inflater.eof and len(data) <= MAX_BYTES:
            raise CheckpointCorrupt("invalid_compression", "the gzip stream ends too early")
    if len(data) > MAX_BYTES:
        raise CheckpointCorrupt("size_mismatch", f"more than {MAX_BYTES} bytes")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise CheckpointCorrupt("invalid_json", "it is not JSON") from error


def _canonical(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _checksum(document: dict[str, Any]) -> str:
    body = {name: value for name, value in document.items() if name != "checksum"}
    return hashlib.sha256(_canonical(body)).hexdigest()
