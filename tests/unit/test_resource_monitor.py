"""What is measured: the nearest limit of memory, and the rest of what a process can run out of."""

import os
from datetime import UTC, datetime

import orjson
import psutil
import pytest

from resilience.resource import monitor as module
from resilience.resource.cgroup import Memory, container_memory
from resilience.resource.monitor import Monitor, Snapshot

MB = 1_000_000


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def v2(folder, limit, used, cache=0):
    write(folder, memory__max=limit, memory__current=used, memory__stat=f"anon 5\ninactive_file {cache}\n\nfile 9")


def v1(folder, limit, used, cache=0):
    write(
        folder, memory__limit_in_bytes=limit, memory__usage_in_bytes=used, memory__stat=f"total_inactive_file {cache}"
    )


@pytest.fixture
def container(tmp_path):
    """container(lines of /proc/self/cgroup) → what container_memory() answers for the tree under tmp_path/root."""
    root = tmp_path / "root"
    root.mkdir()

    def ask(*lines):
        (tmp_path / "own").write_text("".join(f"{line}\n" for line in lines))
        return container_memory(root, tmp_path / "own")

    ask.root = root
    return ask


def test_without_a_group_there_is_no_limit(tmp_path, container):
    assert container_memory(tmp_path, tmp_path / "missing") is None
    assert container("0::/") is None
    assert container("7:cpu:/a") is None


def test_the_limit_of_version_two_counts_without_files_that_can_be_dropped(container):
    v2(container.root / "app", 100 * MB, 80 * MB, cache=30 * MB)
    assert container("0::/app") == Memory(50 * MB, 100 * MB)


def test_inside_a_container_the_groups_root_is_its_own(container):
    v2(container.root, 100 * MB, 60 * MB)
    assert container("0::/") == container("0::/as/the/host/names/it") == Memory(60 * MB, 100 * MB)


def test_of_nested_groups_the_one_nearest_to_its_limit_counts(container):
    v2(container.root / "pod", 200 * MB, 190 * MB)
    v2(container.root / "pod" / "app", 100 * MB, 50 * MB)
    v2(container.root / "pod" / "app" / "free", "max", 40 * MB)
    assert container("0::/pod/app/free") == Memory(190 * MB, 200 * MB)


def test_version_two_stands_before_version_one(container):
    v1(container.root / "memory", 300 * MB, 10 * MB)
    assert container("4:cpu,memory:/", "0::/") == Memory(10 * MB, 300 * MB)
    v2(container.root / "unified", 100 * MB, 10 * MB)
    assert container("4:cpu,memory:/", "0::/") == Memory(10 * MB, 100 * MB)


def test_version_one_writes_a_huge_number_where_there_is_no_limit(container):
    v1(container.root / "memory", 2**63 - 4096, 10 * MB)
    v1(container.root / "memory" / "app", 300 * MB, 10 * MB, cache=4 * MB)
    assert container("4:memory:/app") == Memory(6 * MB, 300 * MB)


def test_a_group_that_cannot_be_read_is_none(container):
    v2(container.root, "-1", 5)
    assert container("0::/") is None
    v2(container.root, 100, "rubbish")
    assert container("0::/") is None


# ------------------------------------------------------------------ the monitor


def look(tmp_path, **options):
    return Monitor(disk=tmp_path / "not" / "there", **{"container": lambda: None, **options}).look()


def test_a_look_measures_this_process(tmp_path):
    seen = look(tmp_path, pool=lambda: (3, 4))
    assert seen.memory_keeper == "host"
    assert 0 < seen.own < seen.memory_limit == psutil.virtual_memory().total
    assert 0 < seen.descriptors < seen.descriptor_limit
    assert seen.disk_free > 0
    assert seen.processes >= 1
    assert seen.percents["pool"] == 75
    assert all(0 <= percent <= 100 for percent in seen.percents.values())


def test_a_pool_that_is_not_told_of_is_not_full(tmp_path):
    assert look(tmp_path).percents["pool"] == 0


@pytest.mark.parametrize(
    ("container", "limit", "keeper"),
    [
        (Memory(50, 100), 0, "container"),
        (Memory(50, 100), 2**50, "container"),
        (Memory(50, 100), 1, "setting"),
        (None, 2**50, "host"),
        (None, 1, "setting"),
    ],
)
def test_the_nearest_limit_counts(tmp_path, container, limit, keeper):
    seen = look(tmp_path, container=lambda: container, memory_limit=limit)
    assert seen.memory_keeper == keeper
    assert seen.memory_limit == (limit if keeper == "setting" else 100 if container else psutil.virtual_memory().total)


def test_what_cannot_be_measured_is_nothing(tmp_path):
    monitor = Monitor(disk=tmp_path, container=lambda: None)

    class Gone:
        def __getattr__(self, name):
            def refuse(*_, **__):
                raise psutil.AccessDenied

            return refuse

    monitor._process = Gone()
    seen = monitor.look()
    assert (seen.own, seen.descriptors, seen.connections, seen.processes) == (0, 0, 0, 1)


def test_without_a_soft_limit_the_system_says_how_many_descriptors_there_may_be(monkeypatch):
    monkeypatch.setattr(module.resource, "getrlimit", lambda _: (module.resource.RLIM_INFINITY,) * 2)
    assert module._descriptor_limit() == os.sysconf("SC_OPEN_MAX")


def test_the_document_is_small_and_in_megabytes():
    big = 2**60
    seen = Snapshot(
        datetime(2026, 11, 21, tzinfo=UTC), big, big, "container", big, 6400.0, big, 100.0, 10**6, 10**6, 10**6, 10**4,
        10**4, 10**4,
    )  # fmt: skip
    document = seen.document()
    assert len(orjson.dumps(document)) < 1_000
    assert document["own_mb"] == big // MB
    assert document["at"].startswith("2026-11-21")
