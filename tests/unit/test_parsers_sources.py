"""Sources lead nowhere but under the roots or to public addresses, and a snapshot is what it was."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import (
    PricemillError,
    SourceForbidden,
    SourceMissing,
    SourceNotAllowed,
    SourceThrottled,
    SourceTooLarge,
    SourceUnavailable,
)
from contracts.task import CsvSource
from parsers.addresses import is_public, resolve
from parsers.download import LONGEST_WAIT, download, refusal, shown, waiting_time
from parsers.resources import Resources
from parsers.roots import open_under
from parsers.sources import copy_in, fetch_table
from parsers.spool import kept


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "acme").mkdir(parents=True)
    (tmp_path / "root" / "acme" / "list.csv").write_bytes(b"a;b\n")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return tmp_path / "root"


def read(roots: tuple[Path, ...], path: str) -> bytes:
    with os.fdopen(open_under(roots, path), "rb") as file:
        return file.read()


def test_relative_and_absolute_paths_under_a_root_are_opened(root: Path) -> None:
    assert read((root,), "acme/list.csv") == b"a;b\n"
    assert read((root,), str(root / "acme" / "list.csv")) == b"a;b\n"
    assert read((root / "nowhere", root), "acme/list.csv") == b"a;b\n"


def test_a_root_may_itself_be_reached_over_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(root)
    assert read((tmp_path / "linked",), str(tmp_path / "linked" / "acme" / "list.csv")) == b"a;b\n"
    assert read((tmp_path / "linked",), str(root / "acme" / "list.csv")) == b"a;b\n"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "acme/../../secret.txt", "{out}", "a\0b", "", ".", "acme", "/etc/hostname"]
)
def test_what_leads_outside_or_to_no_file_is_not_allowed(root: Path, path: str) -> None:
    with pytest.raises(SourceNotAllowed):
        open_under((root,), path.replace("{out}", str(root.parent / "secret.txt")))


def test_links_pipes_and_devices_are_not_allowed(root: Path) -> None:
    (root / "link.csv").symlink_to(root.parent / "secret.txt")
    (root / "up").symlink_to(root.parent)
    (root / "inner.csv").symlink_to(root / "acme" / "list.csv")
    os.mkfifo(root / "pipe.csv")
    for path in ("link.csv", "up/secret.txt", "inner.csv", "pipe.csv"):
        with pytest.raises(SourceNotAllowed):
            open_under((root,), path)


def test_without_roots_nothing_is_allowed(root: Path) -> None:
    with pytest.raises(SourceNotAllowed):
        open_under((), str(root / "acme" / "list.csv"))


def test_a_missing_file_is_missing_and_an_overlong_name_is_refused(root: Path) -> None:
    with pytest.raises(SourceMissing, match=r"none\.csv"):
        open_under((root,), "acme/none.csv")
    with pytest.raises(SourceNotAllowed):
        open_under((root,), "x" * 300)


def test_no_descriptor_stays_open(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("acme/list.csv/x", "acme/none.csv", "acme", "none/none"):
        with pytest.raises(PricemillError):
            open_under((root,), path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_snapshot_is_kept_and_used_again_even_if_the_file_changes(root: Path, tmp_path: Path) -> None:
    resources, config, spool = Resources((root,)), CsvSource(file_path="acme/list.csv"), tmp_path / "spool"
    first = asyncio.run(fetch_table(config, spool, resources))
    (root / "acme" / "list.csv").write_bytes(b"changed\n")
    assert asyncio.run(fetch_table(config, spool, resources)) == first
    assert first.sha256 == hashlib.sha256(b"a;b\n").hexdigest()
    assert first.name == "list.csv"


@pytest.mark.parametrize("damage", ["source", "source.json"])
def test_a_damaged_snapshot_is_taken_anew(root: Path, tmp_path: Path, damage: str) -> None:
    resources, config, spool = Resources((root,)), CsvSource(file_path="acme/list.csv"), tmp_path / "spool"
    first = asyncio.run(fetch_table(config, spool, resources))
    (spool / damage).write_bytes(b"x")
    assert kept(spool) is None
    assert asyncio.run(fetch_table(config, spool, resources)) == first
    (spool / damage).unlink()
    assert kept(spool) is None


def test_a_source_above_the_limit_is_refused_and_leaves_nothing(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceTooLarge):
        copy_in("acme/list.csv", tmp_path / "spool", Resources((root,), max_source_bytes=3))
    assert not list((tmp_path / "spool").glob("*"))


def test_a_file_that_is_being_written_is_tried_again_later(root: Path, tmp_path: Path) -> None:
    path = root / "acme" / "list.csv"
    path.write_bytes(b"x" * 60_000_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with path.open("r+b") as file:
                file.write(b"y")
            time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(SourceUnavailable, match="written"):
            copy_in("acme/list.csv", tmp_path / "spool", Resources((root,)))
    finally:
        stop.set()
        writer.join()
    assert kept(tmp_path / "spool") is None


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:1::1", "::127.0.0.1", "198.18.0.1",
     "203.0.113.1", "240.0.0.1", "not an address", ""],
)  # fmt: skip
def test_addresses_that_are_not_public_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "0", "::1", "::ffff:127.0.0.1"]
)
def test_no_spelling_of_this_machine_gets_through(host: str) -> None:
    with pytest.raises((SourceNotAllowed, SourceUnavailable)):
        asyncio.run(resolve(host, 443, allow_private=False))


@pytest.mark.parametrize(
    "address",
    ["http://example.com/a.csv", "ftp://example.com/a", "file:///etc/hostname", "https://", "https://user:pw@example.com/a",
     "https://127.0.0.1/a", "https://[::1]/a", "https://①②⑦.⓪.⓪.①/a", "https://127。0。0。1/a", "https://2130706433/a",
     "https://example.com:99999999/", "gopher:x"],
)  # fmt: skip
def test_addresses_that_are_not_allowed_are_refused_before_any_connection(address: str, tmp_path: Path) -> None:
    with pytest.raises(SourceNotAllowed) as caught:
        asyncio.run(download(address, tmp_path, Resources()))
    assert "pw" not in caught.value.message
    assert not (tmp_path / "source").exists()


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    assert shown("https://u:p@example.com/a.csv?token=t#f") == "https://example.com/a.csv"


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("Sun, 01 Mar 2026 12:02:00 GMT", timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("Sun, 01 Mar 2027 11:00:00 GMT", LONGEST_WAIT),
        ("9" * 50, LONGEST_WAIT),
        ("soon", None),
        ("-5", None),
        ("１２", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str | None, wait: timedelta | None) -> None:
    assert waiting_time(header, NOW) == wait


@pytest.mark.parametrize(
    ("status", "retry_after", "error"),
    [
        (429, None, SourceThrottled),
        (429, "7", SourceThrottled),
        (503, "7", SourceThrottled),
        (503, None, SourceUnavailable),
        (500, "7", SourceUnavailable),
        (408, None, SourceUnavailable),
        (204, None, SourceUnavailable),
        (401, None, SourceForbidden),
        (403, None, SourceForbidden),
        (404, None, SourceMissing),
        (410, None, SourceMissing),
        (418, None, SourceMissing),
        (304, None, SourceMissing),
    ],
)
def test_each_refusal_means_one_thing(status: int, retry_after: str | None, error: type[PricemillError]) -> None:
    found = refusal(status, retry_after, "https://example.com")
    assert type(found) is error
    if error is SourceThrottled:
        assert found.retry_after == (timedelta(seconds=7) if retry_after else None)
