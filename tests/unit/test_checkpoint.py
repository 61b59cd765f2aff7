"""A sealed checkpoint is used only if it is what was sealed; a resume goes on exactly behind it."""

import copy
import gzip
import json
from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.account import Account
from contracts.checkpoint import CHECKPOINT_VERSION, Checkpoint
from contracts.errors import SourceChanged
from contracts.rows import Cursor
from contracts.schema import validate
from resilience.checkpoint.file_store import CheckpointFileStore
from resilience.checkpoint.resume import resume_from
from resilience.checkpoint.seal import MAX_BYTES, CheckpointCorrupt, seal, unseal
from resilience.checkpoint.versions import STEPS, brought_up, minor_of

SOURCE, PLAN = "a" * 64, "b" * 64


def checkpoint(sequence=1, *, task_id="t-1", source=SOURCE, plan=PLAN, rows=None):
    rows = 15_000 * sequence if rows is None else rows
    return Checkpoint(
        task_id=task_id,
        sequence=sequence,
        cursor=Cursor(row=rows, offset=rows * 80),
        account=Account(read=rows, new=rows - 3, rejected=Counter(price_missing=2), ignored=Counter(header=1)),
        source_sha256=source,
        plan_fingerprint=plan,
    )


def corruption_of(document, **options):
    with pytest.raises(CheckpointCorrupt) as caught:
        unseal(document, **options)
    return caught.value.kind


def resealed(document):
    """With a seal that fits, so that what lies behind the seal is what is tested."""
    body = {name: value for name, value in document.items() if name not in {"size", "checksum"}}

    class Body:
        def document(self):
            return copy.deepcopy(body)

    return seal(Body())


def test_what_was_sealed_is_unsealed():
    assert unseal(seal(checkpoint())) == checkpoint()


def test_a_sealed_checkpoint_fits_its_schema():
    validate("checkpoint", seal(checkpoint()))


def test_a_seal_survives_another_order_of_members_and_other_white_space():
    document = json.loads(json.dumps(seal(checkpoint()), indent=3))
    shuffled = {name: document[name] for name in sorted(document, reverse=True)}
    assert unseal(shuffled) == checkpoint()


def test_bytes_are_unsealed_plain_and_compressed():
    data = orjson.dumps(seal(checkpoint()))
    assert unseal(data) == unseal(gzip.compress(data)) == checkpoint()


def paths(value, path=()):
    for key, item in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from paths(item, (*path, key))


@pytest.mark.parametrize("path", list(paths(seal(checkpoint()))), ids="/".join)
def test_no_member_can_be_changed_unnoticed(path):
    document = seal(checkpoint())
    place = document
    for step in path[:-1]:
        place = place[step]
    before = place[path[-1]]
    place[path[-1]] = before + 1 if isinstance(before, int) else "1.0.1" if path == ("version",) else ["x"]
    assert corruption_of(document)
    del place[path[-1]]
    assert corruption_of(document)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_no_byte_can_be_changed_unnoticed(position, value):
    data = bytearray(orjson.dumps(seal(checkpoint())))
    position %= len(data)
    if data[position] == value:
        return
    data[position] = value
    try:
        read = unseal(bytes(data))
    except CheckpointCorrupt:
        return
    assert read == checkpoint()


@given(st.integers(0, 10_000), st.booleans())
def test_no_end_can_be_cut_off_unnoticed(length, compressed):
    data = orjson.dumps(seal(checkpoint()))
    data = gzip.compress(data) if compressed else data
    assert corruption_of(data[: length % len(data)])


def changed(**members):
    return {**seal(checkpoint()), **members}


def without(name):
    return {key: value for key, value in seal(checkpoint()).items() if key != name}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (changed(sequence=2), "checksum_mismatch"),
        (changed(checksum="0" * 64), "checksum_mismatch"),
        (changed(more=1), "size_mismatch"),
        (changed(version="2.0.0"), "schema_version_mismatch"),
        (changed(version="0.9.0"), "schema_version_mismatch"),
        (changed(version="1"), "schema_version_mismatch"),
        (changed(version="1.x.0"), "schema_version_mismatch"),
        (changed(version="1.0.0.0"), "schema_version_mismatch"),
        (changed(version="1.１.0"), "schema_version_mismatch"),
        (changed(version="1.999999.0"), "schema_version_mismatch"),
        (changed(version=1), "missing_fields"),
        (without("version"), "missing_fields"),
        (without("checksum"), "missing_fields"),
        (without("size"), "missing_fields"),
        (resealed(without("cursor")), "missing_fields"),
        (resealed(changed(sequence="1")), "wrong_types"),
        (resealed(changed(sequence=True)), "wrong_types"),
        (resealed(changed(sequence=0)), "wrong_types"),
        (resealed(changed(cursor={"row": -1, "offset": 0, "unit": 0})), "wrong_types"),
        (resealed(changed(cursor={"row": 1, "offset": 0, "unit": 0, "x": 1})), "wrong_types"),
        (resealed(changed(cursor=[1, 2, 3])), "wrong_types"),
        (resealed(changed(source_sha256=None)), "wrong_types"),
        (resealed(changed(account={**Account().document(), "rejected": {"a": "1"}})), "wrong_types"),
        ([1], "wrong_types"),
        (None, "wrong_types"),
        ({"version": "1.0.0", "size": 1, "checksum": "", "x": object()}, "wrong_types"),
        (b"{not json", "invalid_json"),
        (b"", "invalid_json"),
        (gzip.compress(b"{}", mtime=0)[:-9], "invalid_compression"),
        (b"\x1f\x8b\x08garbage", "invalid_compression"),
        (b"[" + b" " * MAX_BYTES + b"]", "size_mismatch"),
        (gzip.compress(b" " * 50_000_000), "size_mismatch"),
    ],
)
def test_each_kind_of_corruption_is_named(document, kind):
    assert corruption_of(document) == kind


def test_a_checkpoint_of_another_task_is_none_of_ours():
    assert corruption_of(seal(checkpoint(task_id="other")), task_id="t-1") == "wrong_types"


def test_a_newer_minor_version_is_read_and_its_seal_covers_what_it_added():
    document = resealed(changed(version="1.7.2", added={"by": "a later release"}))
    assert unseal(document) == checkpoint()
    document["added"]["by"] = "somebody"
    assert corruption_of(document)


def test_an_older_minor_version_is_brought_up_step_by_step():
    steps = {
        0: lambda members: {**members, "path": ["first"]},
        1: lambda members: {**members, "path": [*members["path"], "second"]},
    }
    document = {"version": "1.0.0"}
    assert brought_up(document, 0, current="1.2.0", steps=steps)["path"] == ["first", "second"]
    assert brought_up({"path": []}, 1, current="1.2.0", steps=steps)["path"] == ["second"]
    assert brought_up(document, 5, current="1.2.0", steps=steps) == document == {"version": "1.0.0"}


def test_there_is_a_step_for_each_minor_version_before_the_current_one():
    assert sorted(STEPS) == list(range(minor_of(CHECKPOINT_VERSION)))


# ------------------------------------------------------------------ resume


def resume(*documents, source=SOURCE, plan=PLAN, **options):
    return resume_from(documents, source_sha256=source, plan_fingerprint=plan, **options)


def test_a_task_without_checkpoints_starts():
    answer = resume()
    assert (answer.checkpoint, answer.restarted, answer.next_sequence, answer.notes) == (None, False, 1, ())


def test_a_task_goes_on_behind_its_newest_checkpoint():
    answer = resume(seal(checkpoint(3)), seal(checkpoint(2)), seal(checkpoint(1)))
    assert answer.checkpoint == checkpoint(3)
    assert (answer.restarted, answer.next_sequence, answer.notes) == (False, 4, ())


def test_a_damaged_newest_checkpoint_means_starting_over_with_a_free_sequence():
    damaged = {**seal(checkpoint(3)), "sequence": 9}
    answer = resume(damaged, seal(checkpoint(2)), seal(checkpoint(1)))
    assert (answer.checkpoint, answer.restarted, answer.next_sequence) == (None, True, 4)
    assert len(answer.notes) == 2


@pytest.mark.parametrize(
    ("documents", "following"),
    [
        ([{"sequence": 7}], 8),
        ([{"sequence": "7"}, {"sequence": 6}], 8),
        ([{}, {}, {}], 4),
        ([None], 2),
        ([{"sequence": True}], 2),
    ],
)
def test_with_no_good_checkpoint_the_task_starts_over(documents, following):
    answer = resume(*documents)
    assert (answer.checkpoint, answer.restarted, answer.next_sequence) == (None, True, following)
    assert len(answer.notes) == len(documents) + 1


def test_a_known_newest_sequence_is_not_guessed():
    assert resume({}, newest_sequence=41).next_sequence == 42
    assert resume({}, seal(checkpoint(2)), newest_sequence=41).next_sequence == 42


def test_another_plan_starts_over():
    answer = resume(seal(checkpoint(3)), plan="c" * 64)
    assert (answer.checkpoint, answer.restarted, answer.next_sequence) == (None, True, 4)


def test_another_source_is_never_mixed_in():
    with pytest.raises(SourceChanged):
        resume(seal(checkpoint(3)), source="c" * 64)
    with pytest.raises(SourceChanged):
        resume({}, seal(checkpoint(2)), source="c" * 64, plan="d" * 64)


# ------------------------------------------------------------------ files


@pytest.mark.parametrize("compress", [False, True])
def test_files_keep_the_newest_ten(tmp_path, compress):
    store = CheckpointFileStore(tmp_path, compress=compress)
    for sequence in range(1, 26):
        store.save(checkpoint(sequence))
    assert store.newest("t-1") == checkpoint(25)
    assert [unseal(path.read_bytes()).sequence for path in store.paths("t-1")] == list(range(25, 15, -1))
    assert {path.name for path in tmp_path.rglob(".*")} == set()


def test_a_damaged_file_is_passed_over_and_kept(tmp_path):
    store = CheckpointFileStore(tmp_path)
    store.save(checkpoint(1))
    path = store.save(checkpoint(2))
    path.write_bytes(path.read_bytes()[:-5])
    assert store.newest("t-1") == checkpoint(1)
    assert path.exists()
    store.paths("t-1")[1].write_bytes(b"")
    assert store.newest("t-1") is None


def test_a_file_under_another_tasks_name_is_not_used(tmp_path):
    store = CheckpointFileStore(tmp_path)
    foreign = store.save(checkpoint(5, task_id="other"))
    own = store.save(checkpoint(1))
    own.with_name(foreign.name).write_bytes(foreign.read_bytes())
    assert store.newest("t-1") == checkpoint(1)


def test_ids_of_producers_cannot_leave_the_directory(tmp_path):
    for task_id in ("../../x", "/etc/passwd", "a" * 255, "\x01", "é/é", "."):
        path = CheckpointFileStore(tmp_path).save(checkpoint(task_id=task_id))
        assert path.resolve().is_relative_to(tmp_path.resolve())
        assert CheckpointFileStore(tmp_path).newest(task_id) == checkpoint(task_id=task_id)


def test_a_task_can_be_forgotten(tmp_path):
    store = CheckpointFileStore(tmp_path)
    store.save(checkpoint(1))
    store.clear("t-1")
    store.clear("never-seen")
    assert store.newest("t-1") is None
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path):
    store = CheckpointFileStore(tmp_path)
    store.save(checkpoint(1))
    blocked = store.save(checkpoint(2)).with_name("0000000003.json")
    blocked.mkdir()
    with pytest.raises(OSError):
        store.save(checkpoint(3))
    blocked.rmdir()
    assert store.newest("t-1") == checkpoint(2)
    assert [path for path in tmp_path.rglob(".*") if path.is_file()] == []


def test_at_least_one_is_kept(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        CheckpointFileStore(tmp_path, retention=0)
