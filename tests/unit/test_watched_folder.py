"""Which files of a watched folder are ready, and what becomes of each."""

from __future__ import annotations

import fcntl
import os
import random
import time
from pathlib import Path

import orjson
import pytest
import structlog

from config.settings import Settings
from contracts.clock import SystemClock
from db.memory import MemoryLedger
from db.watched import MemoryWatched
from workers.delivery import InlineQueue
from workers.folder_watch import FolderWatch
from workers.watched_folder import SETTLED_SECONDS, WatchedFolder

LIST = "sku;name;price\nA1;Drill;10,00\n"


def put(folder: Path, place: str, text: str = LIST, *, old: bool = False) -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if old:
        before = time.time() - 2 * SETTLED_SECONDS
        os.utime(path, (before, before))
    return path


def remove(folder: Path) -> None:
    folder.rmdir()


def places(folder: WatchedFolder) -> list[str]:
    return [one.place for one in folder.look()]


def test_a_file_is_ready_once_two_looks_saw_the_same(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    path = put(tmp_path, "Acme/a.csv")
    assert places(folder) == []
    with path.open("a") as file:
        file.write("B2;Saw;5,00\n")
    assert places(folder) == []
    assert places(folder) == ["Acme/a.csv"]


def test_a_file_that_was_moved_in_is_ready_at_the_first_look(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere.csv", old=True)
    (tmp_path / "Acme").mkdir()
    (tmp_path / "elsewhere.csv").rename(tmp_path / "Acme" / "a.csv")
    assert places(WatchedFolder(tmp_path)) == ["Acme/a.csv"]


@pytest.mark.parametrize(
    "name", ["a.csv.part", "a.csv.tmp", "a.csv.crdownload", "a.csv.filepart", ".a.csv.x7Y", "~$a.xlsx", "A.CSV.TMP"]
)
def test_names_of_unfinished_files_are_passed_over(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"Acme/{name}", old=True)
    assert places(WatchedFolder(tmp_path)) == []


def test_a_workbook_that_is_open_in_an_office_program_waits(tmp_path: Path) -> None:
    put(tmp_path, "Acme/preise.xlsx", old=True)
    put(tmp_path, "Acme/liste.ods", old=True)
    for lock in ("~$preise.xlsx", ".~lock.liste.ods#"):
        put(tmp_path, f"Acme/{lock}", "")
    assert places(WatchedFolder(tmp_path)) == []
    (tmp_path / "Acme/~$preise.xlsx").unlink()
    assert places(WatchedFolder(tmp_path)) == ["Acme/preise.xlsx"]


def test_files_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    for name, age in (("b", 300), ("a", 200), ("c", 100)):
        path = put(tmp_path, f"Acme/{name}.csv")
        os.utime(path, (time.time() - age, time.time() - age))
    assert places(WatchedFolder(tmp_path)) == ["Acme/b.csv", "Acme/a.csv", "Acme/c.csv"]


def test_what_cannot_be_taken_is_named_with_its_reason(tmp_path: Path) -> None:
    put(tmp_path, "stray.csv", old=True)
    secret = put(tmp_path.parent, "secret.csv", old=True)
    (tmp_path / "Acme").mkdir()
    (tmp_path / "Acme/link.csv").symlink_to(secret)
    Path(os.fsdecode(os.fsencode(tmp_path / "Acme") + b"/caf\xe9.csv")).write_text(LIST)
    put(tmp_path, "Acme/old/archived.csv", old=True)
    found = {one.place: one.problem for one in WatchedFolder(tmp_path).look()}
    assert found == {
        "/stray.csv": "it lies in no supplier's folder",
        "Acme/link.csv": "it is a link or no ordinary file",
        "Acme/caf\\udce9.csv": "its name or that of its folder cannot be kept as text",
    }


class Watch:
    """A folder that is watched by a worker in this process."""

    def __init__(self, folder: Path, ledger: MemoryLedger, watched: MemoryWatched) -> None:
        self.ledger = ledger
        settings = Settings(_env_file=None, data_dir=folder.parent / "data", max_source_bytes=10_000)
        self.watch = FolderWatch(
            folder,
            inbox=folder.parent / "data" / "inbox",
            watched=watched,
            ledger=ledger,
            queue=InlineQueue(),
            settings=settings,
            clock=SystemClock(),
            random=random.random,
        )

    async def look(self) -> int:
        return await self.watch.look()

    def texts(self) -> list[str]:
        """What the tasks would read, in their order."""
        rows = sorted(self.ledger.tables.tasks.values(), key=lambda row: row.id)
        return [Path(orjson.loads(row.message)["source_config"]["file_path"]).read_text() for row in rows]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "watched"
    path.mkdir()
    return path


@pytest.fixture
def watch(folder: Path) -> Watch:
    ledger = MemoryLedger()
    return Watch(folder, ledger, MemoryWatched(ledger))


async def test_a_file_becomes_a_task_of_its_folders_supplier_and_is_read_from_its_copy(
    folder: Path, watch: Watch
) -> None:
    path = put(folder, "Acme GmbH/a.csv", old=True)
    assert await watch.look() == 1
    path.unlink()
    (row,) = watch.ledger.tables.tasks.values()
    assert row.supplier_name == "Acme GmbH"
    assert watch.texts() == [LIST]
    assert await watch.look() == 0


async def test_each_content_of_a_place_becomes_a_task_also_one_that_comes_back(folder: Path, watch: Watch) -> None:
    texts = [LIST, LIST.replace("10", "20"), LIST]
    for text in texts:
        put(folder, "Acme/a.csv", text)
        await watch.look()
        assert await watch.look() == 1
    put(folder, "Acme/a.csv", LIST)
    assert [await watch.look(), await watch.look(), await watch.look()] == [0, 0, 0]
    assert watch.texts() == texts


async def test_several_workers_on_one_folder_enqueue_a_file_once(folder: Path) -> None:
    ledger = MemoryLedger()
    watched = MemoryWatched(ledger)
    workers = [Watch(folder, ledger, watched) for _ in range(3)]
    put(folder, "Acme/a.csv", old=True)
    put(folder, "Borealis/b.csv", old=True)
    assert sum([await worker.look() for worker in workers]) == 2
    assert len(ledger.tables.tasks) == 2


async def test_a_worker_that_starts_anew_does_not_hand_in_again(folder: Path) -> None:
    ledger = MemoryLedger()
    watched = MemoryWatched(ledger)
    put(folder, "Acme/a.csv", old=True)
    assert await Watch(folder, ledger, watched).look() == 1
    assert await Watch(folder, ledger, watched).look() == 0


async def test_a_locked_file_is_waited_for(folder: Path, watch: Watch) -> None:
    path = put(folder, "Acme/a.csv", old=True)
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert await watch.look() == 0
    assert await watch.look() == 1


async def test_what_cannot_be_handed_in_is_told_once(folder: Path, watch: Watch) -> None:
    put(folder, "Acme/empty.csv", "", old=True)
    put(folder, "Acme/program.csv", "\x7fELF\1\1\1\0" * 50, old=True)
    put(folder, "Acme/large.csv", LIST * 1000, old=True)
    put(folder, "stray.csv", old=True)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert await watch.look() == 0
    told = {log["file"]: log["reason"] for log in logs if log["event"] == "watch.refused"}
    assert sorted(log["file"] for log in logs) == sorted(told)
    assert set(told) == {"Acme/empty.csv", "Acme/program.csv", "Acme/large.csv", "/stray.csv"}
    assert "PRICEMILL_MAX_SOURCE_BYTES" in told["Acme/large.csv"]
    put(folder, "Acme/empty.csv", LIST, old=True)
    assert await watch.look() == 1


async def test_a_folder_that_is_not_there_is_told_once_and_looked_for_again(folder: Path, watch: Watch) -> None:
    remove(folder)
    with structlog.testing.capture_logs() as logs:
        assert [await watch.look(), await watch.look()] == [0, 0]
    assert [log["event"] for log in logs] == ["watch.failed"]
    put(folder, "Acme/a.csv", old=True)
    assert await watch.look() == 1
