"""Commands that only look: their data, their hints and their exit codes, as a shell sees them."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterator

import pytest

from db.embedded import EmbeddedPostgres
from tests.support import ops_seed as seed
from tests.support.cli import Installation


@pytest.fixture(scope="module")
def pricemill(
    postgres: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Against one filled database for all tests here; nothing in this module changes it. Redis is not there."""
    name = f"cli_{uuid.uuid4().hex[:12]}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    asyncio.run(seed.fill(postgres.url_of(name)))
    yield Installation(
        tmp_path_factory.mktemp("cli"),
        database_url=postgres.url_of(name),
        redis_url="unix:///nowhere/redis.sock",
    )
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


TASKS = f"""\
TASK                                  STATE      SUPPLIER    FILE               ROWS  REJECTED  TRY  ENQUEUED
{seed.BLOCKED}  queued     Delta       delta-2.csv           -         -  0/4  2026-11-02 08:00:00
{seed.QUEUED}  queued     Delta       delta.csv             -         -  0/4  2026-11-02 08:00:00
{seed.DEAD}  dead       Óptica Luz  tarifa.xlsx           -         -  1/4  2026-11-02 08:00:00
{seed.RUNNING}  running    Acme        acme.csv         30,000       100  1/4  2026-11-02 08:00:00
{seed.SECOND}  completed  Nordwind    nordwind-11.csv       6         2  1/4  2026-11-02 09:00:00
{seed.FIRST}  completed  Nordwind    nordwind-10.csv       5         0  1/4  2026-11-02 08:00:00
"""

TASK = f"""\
Task      {seed.SECOND}
State     completed (success)
Supplier  Nordwind
Source    nordwind-11.csv  csv
          sha256 {seed.SHA}
Valid as  2026-11-02 09:00:00
Enqueued  2026-11-02 09:00:00  priority normal, attempt 1 of 4
Started   2026-11-02 09:00:00
Ended     2026-11-02 09:00:04
Rows      6 rows: 1 changed, 2 unchanged, 2 rejected, 1 ignored
Layout    Excel (xlsx), sheet “Preise”, header in row 4
Mapping   price “EK netto” (EUR, decimal comma)
Attempt   1. 2026-11-02 08:00:00  completed on ingest-01
""".replace("(success)", "(partial success)")

GROUPS = """\
N  CAUSE  MESSAGE  SUPPLIERS  LAST  SAFE TO RETRY
1  contract_violation  a document does not fit its schema  -  AGE  no
1  header_not_found  no header row was found  Óptica Luz  AGE  after mapping
"""
AGO = re.compile(r"\b[0-9]\S* ago\b")

LETTERS = f"""\
LETTER                                CAUSE               SUPPLIER    FILE         TRIES  DIED                 REASON
{seed.DEAD_LETTER}  header_not_found    Óptica Luz  tarifa.xlsx      1  2026-11-02 09:00:00  no header row was found
{seed.NOT_A_TASK}  contract_violation  -           -                0  2026-11-02 08:00:00  a document does not fit its schema
"""  # noqa: E501

REJECTED = """\
N  CAUSE               FIRST  REASON                     REMEDY
1  price_not_a_number  row 8  EK netto “12,5O” is wrong  correct the cell
1  sku_missing         row 9  Art.-Nr. “” is wrong       give the item a code, or let another column be the key

FILE             SHEET   ROW  COLUMN    VALUE  REASON                     REMEDY
nordwind-11.csv  Preise    8  EK netto  12,5O  EK netto “12,5O” is wrong  correct the cell
nordwind-11.csv  Preise    9  Art.-Nr.  -      Art.-Nr. “” is wrong       give the item a code, or let another column be the key
"""  # noqa: E501

SUPPLIERS = """\
SUPPLIER  ITEMS  FORMAT  PROFILE  LIST OF              LAST TASK  LISTS
Acme          0  excel   -        -                    running    never
Nordwind      3  csv     v1       2026-11-02 08:00:00  completed  -
"""

LETTER_MESSAGE = (  # in the order in which jsonb keeps members
    f'{{"task_id":"{seed.DEAD}","parser_type":"csv","source_config":{{"file_path":"/lists/tarifa.xlsx"}},'
    '"supplier_name":"Óptica Luz","schema_version":"2.0"}'
)

LETTER = f"""\
Letter    {seed.DEAD_LETTER}  open
Task      {seed.DEAD}
Supplier  Óptica Luz
Source    tarifa.xlsx
Cause     header_not_found (Validation)
Reason    no header row was found
Remedy    pricemill map /lists/tarifa.xlsx shows what was seen
Died      2026-11-02 09:00:00 after 1 attempt
Message   {LETTER_MESSAGE}
"""

CAUSES = "\n".join(
    [
        "N  SUPPLIER  CAUSE               FIELD     VALUE  FIRST  TASK           FIX",
        f"1  Nordwind  price_not_a_number  EK netto  12,5O  row 8  {seed.SECOND[:13]}  --value 12,5O --to TEXT",
        (
            f"1  Nordwind  sku_missing         Art.-Nr.  -      row 9  {seed.SECOND[:13]}  "
            "give the item a code, or let another column be the key"
        ),
        "",
    ]
)

SUPPLIER = f"""\
Supplier  Nordwind
Items     3
List of   2026-11-02 08:00:00
Profile   v1
Expected  no list is expected
Last task {seed.SECOND}  completed

SKU      NAME               PRICE      PER  PRODUCT  SINCE
NW-1001  Kabelbinder 1  13.00 EUR  100 Stk  P-1      2026-11-02 09:00:00
"""

CHOSEN = f"""\
TASK_ID                               ROWS
{seed.DEAD}  -
"""

EXPLAINED = f"""\
Price     13.00 EUR per 100 Stk
Item      NW-1001  Kabelbinder 1
Supplier  Nordwind
Product   P-1
Valid as  2026-11-02 09:00:00
From      nordwind-11.csv, sheet “Preise”, row 5
Column    EK netto, decimal comma
Bytes     sha256 {seed.SHA}
Location  /lists/nordwind-11.csv
Task      {seed.SECOND}
Loaded    2026-11-02 09:00:00 on ingest-01

VALID AS                 PRICE  PER  FILE             ROW  TASK
2026-11-02 09:00:00  13.00 EUR  100  nordwind-11.csv    5  {seed.SECOND}
2026-11-02 08:00:00  12.50 EUR  100  nordwind-10.csv    5  {seed.FIRST}
"""


@pytest.mark.parametrize(
    ("arguments", "code", "out", "following"),
    [
        (["tasks", "list"], 0, TASKS, "pricemill tasks show 019a4000-0000-7000-8000-000000000006"),
        (["tasks", "show", seed.SECOND], 0, TASK, f"pricemill rejected groups --task {seed.SECOND}"),
        (["dead", "groups"], 0, GROUPS, "pricemill dead list --cause contract_violation"),
        (
            ["dead", "show", seed.DEAD_LETTER],
            0,
            LETTER,
            f"pricemill dead retry {seed.DEAD_LETTER}\n  or: pricemill dead discard {seed.DEAD_LETTER}",
        ),
        (
            ["rejected", "groups", "--supplier", "Nordwind"],
            0,
            CAUSES,
            f"pricemill rejected export --task {seed.SECOND} --out rejected-{seed.SECOND[:13]}.xlsx",
        ),
        (["suppliers", "show", "Nordwind", "--limit", "1"], 0, SUPPLIER, "pricemill explain price Nordwind NW-1001"),
        (["dead", "list"], 0, LETTERS, f"pricemill dead show {seed.DEAD_LETTER}"),
        (["rejected", "list", "--task", seed.SECOND], 0, REJECTED, f"pricemill rejected groups --task {seed.SECOND}"),
        (["suppliers", "list"], 0, SUPPLIERS, "pricemill suppliers show Acme"),
        (["explain", "price", "Nordwind", "NW-1001"], 0, EXPLAINED, f"pricemill tasks show {seed.SECOND}"),
        (["tasks", "list", "--state", "cancelled"], 0, "", "pricemill tasks list"),
        (
            ["tasks", "list", "--fields", "task_id,rows", "--state", "dead"],
            0,
            f"TASK_ID{' ' * 31}ROWS\n{seed.DEAD}  -\n",
            "",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_people_get_data_on_stdout_and_the_next_command_on_stderr(
    pricemill: Installation, arguments: list[str], code: int, out: str, following: str
) -> None:
    answer = pricemill.inside(*arguments)
    shown = AGO.sub("AGE", answer.out)  # how long ago, and so how wide its column is, depends on the day
    assert (re.sub("  +", "  ", shown) if shown != answer.out else shown) == out
    assert answer.code == code
    assert answer.err.rstrip().endswith(f"Next: {following}" if following else "")
    assert "\x1b" not in answer.out + answer.err


def test_a_process_of_its_own_answers_the_same(pricemill: Installation) -> None:
    for arguments in (("tasks", "list"), ("explain", "price", "Nordwind", "NW-1001")):
        assert pricemill(*arguments) == pricemill.inside(*arguments)


def test_status_is_degraded_while_something_is_dead(pricemill: Installation) -> None:
    answer = pricemill.inside("status", "--json")
    assert answer.code == 6
    assert answer.err == ""
    members = ("status", "queued", "running", "due", "dead", "rows_per_minute")
    assert [answer.json[name] for name in members] == ["degraded", 2, 1, 2, 2, 3000.0]
    assert answer.json["runs"][0]["task_id"] == seed.RUNNING
    shown = pricemill.inside("status")
    assert shown.code == 6
    assert "Dead     2 open" in shown.out


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["tasks", "show", "ffff"], 3, "not_found"),
        (["tasks", "show", seed.FIRST[:10]], 2, "usage"),
        (["tasks", "list", "--state", "lost"], 2, "usage"),
        (["tasks", "list", "--limit", "many"], 2, "usage"),
        (["tasks"], 2, "usage"),
        (["taks", "list"], 2, "usage"),
        (["tasks", "lst"], 2, "usage"),
        (["status", "--fields"], 2, "usage"),
        (["dead", "show", "12345678"], 3, "not_found"),
        (["dead", "retry"], 2, "usage"),
        (["dead", "retry", seed.DEAD_LETTER, "--all"], 2, "usage"),
        (["explain", "price", "Nordwind", "NW-9"], 3, "not_found"),
        (["explain", "price", "nordwind", "NW-1001"], 3, "not_found"),
        (["suppliers", "show", "Nord"], 3, "not_found"),
        (["import", "nothing.csv", "--supplier", "Acme"], 3, "source_missing"),
        (["import", "http://example.com/a.csv", "--supplier", "Acme"], 5, "source_unreadable"),
        (["import", "x.csv"], 2, "usage"),
        (["enqueue", "nothing.json"], 3, "not_found"),
        (["doctor", "--only", "weather"], 2, "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_one_problem_object_on_stderr(
    pricemill: Installation, arguments: list[str], code: int, problem: str
) -> None:
    answer = pricemill.inside("--json", *arguments)
    assert answer.out == ""
    assert answer.problem["code"] == problem
    assert set(answer.problem) >= {"type", "title", "status", "code", "detail", "next"}
    assert answer.code == code


def test_people_are_told_the_nearest_command_and_what_to_do(pricemill: Installation) -> None:
    answer = pricemill("stauts")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "Error: there is no command 'stauts'; did you mean 'status'?\nNext: pricemill status --help\n"


def test_a_bulk_change_without_a_terminal_needs_yes(pricemill: Installation) -> None:
    answer = pricemill.inside("dead", "discard", "--all", "--reason", "old")
    assert (answer.code, answer.out) == (2, "")
    assert "add --yes to do it, or --dry-run to see it" in answer.err
    dry = pricemill.inside("dead", "discard", "--all", "--dry-run", "--json")
    assert (dry.code, dry.json["would_discard"]) == (0, 2)


def test_pages_follow_each_other_by_their_cursor(pricemill: Installation) -> None:
    first = pricemill.inside("tasks", "list", "--limit", "4", "--json").json
    rest = pricemill.inside(
        "tasks", "list", "--limit", "4", "--before", first["next"], "--jsonl", "--fields", "task_id"
    )
    assert [json.loads(text)["task_id"] for text in rest.out.splitlines()] == [seed.SECOND, seed.FIRST]


def test_an_unreachable_database_is_exit_7(pricemill: Installation) -> None:
    away = Installation(
        pricemill.data_dir, database_url="postgresql://nobody@/x?host=/nowhere", redis_url=pricemill.redis_url
    )
    answer = away("status", "--json")
    assert answer.code == 7
    assert answer.problem["code"] == "database_unavailable"


def test_a_bad_setting_names_its_variable_and_not_its_value(
    pricemill: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pricemill.data_dir / ".env").write_text("PRICEMILL_CONCURRENCY=lots-of-them\n")
    answer = pricemill.inside("status", "--json")
    (pricemill.data_dir / ".env").unlink()
    assert answer.code == 5
    assert "CONCURRENCY" in answer.problem["detail"]
    assert "lots-of-them" not in answer.err


def test_doctor_names_what_is_wrong(pricemill: Installation) -> None:
    answer = pricemill.inside("doctor", "--json", "--only", "settings,postgresql,redis,clock")
    assert answer.code == 1
    assert {one["check"]: one["good"] for one in answer.json["checks"]} == {
        "settings": True,
        "postgresql": True,
        "redis": False,
        "clock": True,
    }


def test_db_check_finds_the_newest_revision(pricemill: Installation) -> None:
    answer = pricemill.inside("db", "check", "--json")
    assert answer.code == 0
    assert answer.json["at_head"] is True
    assert answer.json["drift"] == []
