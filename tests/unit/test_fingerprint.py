"""Hashes of records and keys, and the sets they are looked up in."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from contracts.store import Known
from pipeline.stages.duplicates import NO_DUPLICATES, Duplicates
from pipeline.stages.fingerprint import BLOCK, KnownRecords, SeenKeys, fingerprints, in_both, key_hashes


def hashes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_hashes_are_the_signed_form_of_xxh3() -> None:
    records = [b"a;1", b"b;2", "ж;3".encode()]
    found = fingerprints(records, 2**64 - 1)
    assert [value % 2**64 for value in found.tolist()] == [xxh3_64_intdigest(one, 2**64 - 1) for one in records]
    assert [value % 2**64 for value in key_hashes(["ж"]).tolist()] == [xxh3_64_intdigest("ж".encode())]


def test_another_plan_recognises_nothing() -> None:
    assert not set(fingerprints([b"a;1"], 1).tolist()) & set(fingerprints([b"a;1"], 2).tolist())


def test_known_records_are_told_with_their_keys() -> None:
    known = KnownRecords(Known(fingerprints=hashes(-5, 3, 9), key_hashes=hashes(50, 30, 90)))
    found, keys = known.match(hashes(9, 4, -5, 9, 100, -100))
    assert found.tolist() == [True, False, True, True, False, False]
    assert keys.tolist() == [90, 0, 50, 90, 0, 0]


def test_nothing_is_known_of_an_empty_supplier() -> None:
    found, keys = KnownRecords(Known(hashes(), hashes())).match(hashes(1, 2))
    assert (found.tolist(), keys.tolist()) == ([False, False], [0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_seen_keys_are_a_set(seed: int) -> None:
    rng = random.Random(seed)
    seen, model = SeenKeys(), set()
    for _ in range(60):
        asked = sorted(rng.sample(range(-3_000, 3_000), rng.randrange(0, 80)))
        answers = seen.contains(hashes(*asked))
        assert answers.tolist() == [key in model for key in asked]
        new = [key for key, known in zip(asked, answers.tolist(), strict=True) if not known]
        seen.add(hashes(*new))
        model.update(new)
    assert len(seen) == len(model)
    assert seen.all().tolist() == sorted(model)


@given(st.sets(st.integers(-(2**63), 2**63 - 1)), st.sets(st.integers(-(2**63), 2**63 - 1)))
def test_what_two_lists_share_is_counted_like_two_sets(one: set[int], other: set[int]) -> None:
    assert in_both(hashes(*sorted(one)), hashes(*sorted(other))) == len(one & other)


def test_lists_longer_than_a_block_are_compared_whole() -> None:
    one, other = np.arange(0, 3 * BLOCK, 2, dtype=np.int64), np.arange(0, 3 * BLOCK, 3, dtype=np.int64)
    assert in_both(one, other) == len(np.arange(0, 3 * BLOCK, 6))


def test_seen_keys_stay_in_a_few_runs() -> None:
    seen = SeenKeys()
    for start in range(200):
        seen.add(np.arange(start * 50, start * 50 + 50, dtype=np.int64))
    assert len(seen._runs) <= 5
    assert len(seen) == 200 * 50


def test_distinct_keys_need_no_ruling() -> None:
    rules = Duplicates("last")
    assert rules.rule(hashes(5, -1, 7)) is NO_DUPLICATES
    assert rules.rule(hashes(6, 8)) is NO_DUPLICATES
    assert rules.rule(hashes()) is NO_DUPLICATES


def test_the_last_row_is_kept_and_told_from_repeats_of_earlier_chunks() -> None:
    rules = Duplicates("last")
    rules.rule(hashes(1, 2))
    ruling = rules.rule(hashes(3, 1, 3, 4, 1, 2))
    assert ruling.dropped == {0, 1}
    assert ruling.repeated == {4, 5}
    assert ruling.doubled == {2}


def test_the_first_row_is_kept() -> None:
    rules = Duplicates("first")
    rules.rule(hashes(1))
    ruling = rules.rule(hashes(3, 1, 3, 1))
    assert ruling.dropped == {1, 2, 3}
    assert not ruling.repeated | ruling.doubled


def test_ambiguous_keys_are_ruled_before_all_else() -> None:
    rules = Duplicates("reject_conflicting", ambiguous=hashes(3))
    ruling = rules.rule(hashes(3, 1, 3, 1))
    assert ruling.ambiguous == {0, 2}
    assert ruling.dropped == {1}
    assert ruling.doubled == {3}
