"""Hostile sources for one worker, one after the other: each a clear error with what to do, and then a good list."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contracts.errors import ContractViolation
from contracts.reasons import REASONS
from contracts.task import ParseTask
from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import MakeFleet, fleet_of
from tests.acceptance.hostile import MEMORY, SECONDS, Ended, Lonely
from tests.acceptance.hostile_cases import CASES, Case
from tests.acceptance.tables import broken_invariants
from tests.support import hostile_files as hostile
from tests.support.https_server import Answer, HttpsServer, certificate, https_server
from tests.support.redis_server import RedisServer
from workers.producer import Producer

pytestmark = pytest.mark.acceptance

DATA = Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
PRETEND = Path(__file__).parents[1] / "support" / "pretend_network"
PUBLIC, INNER = "93.184.216.34", "10.0.0.5"
HOSTS = ["list.example", "inner.example", "both.example", "changing.example"]


ADDRESSES = {
    "file": "file:///etc/hostname",
    "http": "http://list.example/list.csv",
    "password": "https://user:secret@list.example/list.csv",
}
"""What no message may hold."""

PATHS = (
    "link.csv",
    "folder/list.csv",
    "../outside.csv",
    "{outside}",
    "/etc/hostname",
    "pipe.csv",
    ".",
    "/proc/self/environ",
)
NETWORK = {
    "loopback": ("https://127.0.0.1/list.csv", "source_not_allowed"),
    "loopback by name": ("https://localhost/list.csv", "source_not_allowed"),
    "loopback as a number": ("https://2130706433/list.csv", "source_not_allowed"),
    "loopback of IPv6": ("https://[::1]/list.csv", "source_not_allowed"),
    "IPv4 in IPv6": ("https://[::ffff:127.0.0.1]/list.csv", "source_not_allowed"),
    "metadata of a cloud": ("https://169.254.169.254/latest/meta-data", "source_not_allowed"),
    "a private name": ("https://inner.example/list.csv", "source_not_allowed"),
    "a name with both": ("https://both.example/list.csv", "source_not_allowed"),
    "redirect to a private name": ("https://list.example/to-inner", "source_not_allowed"),
    "redirect to loopback": ("https://list.example/to-loopback", "source_not_allowed"),
    "redirect to a file": ("https://list.example/to-file", "source_not_allowed"),
    "redirect to itself": ("https://list.example/loop", "source_unavailable"),
    "redirect to a name that changed": ("https://list.example/to-changed", "source_not_allowed"),
}


def answers() -> dict[str, Answer]:
    moved = {
        "to-inner": "https://inner.example/list.csv",
        "to-loopback": "https://127.0.0.1/list.csv",
        "to-file": "file:///etc/hostname",
        "loop": "/loop",
        "to-changed": "https://changed.example/list.csv",
    }
    return {
        **{f"list.example/{path}": (302, {"Location": address}, b"") for path, address in moved.items()},
        "changing.example/list.csv": (200, {}, hostile.GOOD),
    }


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source root, and a list beside it that links lead to."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "beside").mkdir()
    (folder / "root").mkdir()
    for path in (folder / "outside.csv", folder / "beside" / "list.csv"):
        path.write_bytes(hostile.GOOD)
    (folder / "root" / "link.csv").symlink_to(folder / "outside.csv")
    (folder / "root" / "folder").symlink_to(folder / "beside")
    os.mkfifo(folder / "root" / "pipe.csv")
    return folder


@pytest.fixture(scope="module")
def world(
    postgres: EmbeddedPostgres, template: str, redis_process: RedisServer, roots: Path
) -> Iterator[tuple[Lonely, HttpsServer]]:
    """The worker, and what stands at the private addresses of its network."""
    redis_process.start()
    name = f"hostile_{os.getpid()}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    with ExitStack() as stack:
        pem = certificate(roots / "hosts.pem", HOSTS)
        public = stack.enter_context(https_server(pem, answers()))
        private = stack.enter_context(https_server(pem, {}))
        network = {
            "names": {
                "list.example": [[PUBLIC]],
                "inner.example": [[INNER]],
                "both.example": [[PUBLIC, INNER]],
                "changing.example": [[PUBLIC], ["127.0.0.1"]],
                "changed.example": [["127.0.0.1"]],
            },
            "served": {
                f"{PUBLIC}:443": public.port,
                **{f"{ip}:443": private.port for ip in (INNER, "127.0.0.1", "::1")},
            },
        }
        fleet = fleet_of(
            postgres.url_of(name),
            redis_process.url,
            roots / "root",
            roots / "home",
            SSL_CERT_FILE=str(pem),
            PYTHONPATH=str(PRETEND),
            PRETEND_NETWORK=json.dumps(network),
        )
        stack.callback(fleet.stop)
        yield Lonely(fleet, fleet.start_worker()), private
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def lonely(world: tuple[Lonely, HttpsServer]) -> Lonely:
    return world[0]


async def assert_a_good_list_loads(lonely: Lonely, roots: Path, supplier: str) -> None:
    path = roots / "root" / "good.csv"
    path.write_bytes(hostile.GOOD)
    ended = await lonely.work("csv", f"good after {supplier}", {"file_path": path.name}, supplier)
    assert (ended.status, ended.prices) == ("completed", hostile.GOOD_ITEMS), ended
    assert await broken_invariants(lonely.fleet.database_url) == {}
    assert {name: peak for name, peak in lonely.peaks.items() if peak > MEMORY} == {}


def assert_refused(ended: Ended, code: str, *, stored: int = 0) -> None:
    """By an error that was foreseen, with what to do, and without a price beyond those."""
    assert (ended.status, ended.code, ended.prices) == ("dead", code, stored), ended
    assert ended.exception.startswith("contracts.errors."), ended
    assert ended.message, ended
    assert ended.next_step, ended
    assert ended.seconds < SECONDS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_hostile_file_costs_its_rows_or_its_task_and_a_good_one_loads(
    lonely: Lonely, roots: Path, case: Case
) -> None:
    (roots / "root" / case.name).write_bytes(case.make())
    ended = await lonely.work(case.parser, case.name, {"file_path": case.name}, case.name)
    if case.code is not None:
        assert_refused(ended, case.code, stored=case.stored)
        assert case.says in ended.message
        return await assert_a_good_list_loads(lonely, roots, f"after {case.name}")
    assert (ended.status, ended.prices) == ("completed", case.stored), ended
    assert Counter(reason for reason, _ in ended.rejected) == case.rejected
    assert all(REASONS[reason].fix for reason, _ in ended.rejected)
    assert ended.seconds < SECONDS
    return await assert_a_good_list_loads(lonely, roots, f"after {case.name}")


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_leads_elsewhere_is_refused(lonely: Lonely, roots: Path, path: str) -> None:
    shown = path.format(outside=roots / "outside.csv")
    ended = await lonely.work("csv", f"path {path}", {"file_path": shown}, f"path {path}")
    assert_refused(ended, "source_not_allowed")
    await assert_a_good_list_loads(lonely, roots, f"path {path}")


@pytest.mark.parametrize("name", NETWORK)
async def test_an_address_that_leads_inside_is_refused_and_not_connected_to(
    world: tuple[Lonely, HttpsServer], roots: Path, name: str
) -> None:
    lonely, private = world
    address, code = NETWORK[name]
    ended = await lonely.work("csv", name, {"url": address}, name)
    assert_refused(ended, code)
    assert private.connections == 0
    await assert_a_good_list_loads(lonely, roots, name)


async def test_a_name_is_looked_up_once_and_what_it_says_later_does_not_count(
    world: tuple[Lonely, HttpsServer], roots: Path
) -> None:
    lonely, private = world
    source = {"url": "https://changing.example/list.csv"}
    ended = await lonely.work("csv", "changing", source, "changing")
    assert (ended.status, ended.prices) == ("completed", hostile.GOOD_ITEMS), ended
    assert_refused(await lonely.work("csv", "changed", source, "changed"), "source_not_allowed")
    assert private.connections == 0


@pytest.mark.parametrize("name", ADDRESSES)
async def test_an_address_that_no_task_may_hold_is_not_accepted(lonely: Lonely, name: str) -> None:
    message = {
        "schema_version": "2.0",
        "task_id": name,
        "parser_type": "csv",
        "supplier_name": name,
        "source_config": {"url": ADDRESSES[name]},
    }
    async with Producer(lonely.fleet.settings) as producer:
        with pytest.raises(ContractViolation) as caught:
            await producer.enqueue(message)
    assert any("/source_config" in pointer for pointer, _ in caught.value.violations)
    assert caught.value.next_step
    assert name not in await lonely.fleet.states()


PARSERS = {".xls": "excel", ".xlsx": "excel", ".xlsb": "excel", ".ods": "excel", ".xml": "e_invoice", ".html": "html"}
FOUND = sorted(
    path for folder in ("torture", "invoices", "html") for path in (DATA / folder).rglob("*") if path.is_file()
)


@pytest.mark.skipif(not FOUND, reason="the sample data is not here")
@pytest.mark.timeout(600)
async def test_files_that_broke_other_readers_end_in_rows_or_in_a_clean_refusal(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(PRICEMILL_SOURCE_ROOTS=str(DATA))
    names = {path.relative_to(DATA).as_posix(): PARSERS.get(path.suffix.lower(), "csv") for path in FOUND}
    await fleet.enqueue(
        ParseTask(
            task_id=name, parser_type=parser, supplier_name=name, source_config={"file_path": name}, max_retries=0
        )
        for name, parser in names.items()
    )
    lonely = Lonely(fleet, fleet.start_worker())
    ended = await lonely.all_ended(names, within=500)
    assert await broken_invariants(fleet.database_url) == {}
    wrong = {
        name: one
        for name, one in ended.items()
        if one.seconds > SECONDS
        or not (
            one.status == "completed"
            or (one.exception.startswith("contracts.errors.") and one.message and one.next_step and not one.prices)
        )
    }
    assert wrong == {}
    assert {name: peak for name, peak in lonely.peaks.items() if peak > MEMORY} == {}
    assert lonely.process.poll() is None
    assert any(one.status == "completed" and one.prices for one in ended.values())
