"""Rejected rows: grouped by cause, mended by one rule, taken up alone, handed back to the supplier."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from parsers.rejected_list import RejectedLine, inert_cell, write_csv, write_xlsx
from tests.integration.test_cli_changing import ask
from tests.support.cli import Installation

GOOD = 40
LINES = [
    "Code;Name;Price;Unit;Currency",
    *(f"A{number:03d};Bolt {number};{number + 1},25;pcs;EUR" for number in range(GOOD)),
    "B001;Letter;1O,50;pcs;EUR",
    "B002;Letter again;2O,50;pcs;EUR",
    "C001;Free;0,00;pcs;EUR",
    "D001;Strange money;5,00;pcs;Taler",
    "E001;=cmd|' /C calc'!A0;nach Absprache;pcs;EUR",
    "F001;No price;;pcs;EUR",
    "A003;Bolt 3 once more;99,25;pcs;EUR",
]
BROKEN = ("B001", "B002", "C001", "D001", "E001", "F001")
NAUGHTY = (
    Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
    / "torture" / "blns" / "blns.txt"
)  # fmt: skip


@pytest.fixture
def pricemill(database_url: str, redis_url: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data", database_url=database_url, redis_url=redis_url)


@pytest.fixture
def loaded(pricemill: Installation, tmp_path: Path) -> str:
    """The id of a task that loaded the list."""
    path = tmp_path / "list.csv"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    accepted = pricemill.inside("import", path, "--supplier", "Nord", "--as-of", "2026-03-01", "--json").json
    assert pricemill.inside("worker", "--burst").code == 0
    return str(accepted["task_id"])


def groups(pricemill: Installation, *scope: str) -> dict[tuple[str, str | None], int]:
    shown = pricemill.inside("rejected", "groups", *scope, "--json").json["groups"]
    return {(group["code"], group["value"]): group["count"] for group in shown}


def price(url: str, sku: str) -> Decimal | None:
    found = ask(url, "SELECT current_price FROM supplier_items WHERE supplier_sku = $1", sku)
    return found[0][0] if found else None


def bursts(pricemill: Installation) -> None:
    assert pricemill.inside("worker", "--burst").code == 0


def test_rows_are_grouped_by_cause_and_value_with_what_would_mend_them(pricemill: Installation, loaded: str) -> None:
    shown = pricemill.inside("rejected", "groups", "--task", loaded, "--json").json["groups"]
    assert sum(group["count"] for group in shown) == len(BROKEN)
    proposals = {group["value"]: group["proposal"] for group in shown}
    assert proposals["1O,50"] == "--letters"
    assert proposals["Taler"].startswith("--value Taler --to")
    told = pricemill.inside("rejected", "groups", "--task", loaded)
    assert "Next: pricemill rejected fix --task" in told.err + told.out


def test_one_rule_mends_its_rows_and_touches_no_other(pricemill: Installation, loaded: str, database_url: str) -> None:
    before = ask(
        database_url, "SELECT supplier_sku, current_price, source_row, task_key FROM supplier_items ORDER BY 1"
    )
    where = ("--task", loaded, "--cause", "price_not_a_number")
    seen = pricemill.inside("rejected", "fix", *where, "--letters", "--check", "--json").json
    assert seen["would_load"] == 2
    assert seen["patch"] == {"rules": {"letters_as_digits": True}}
    assert price(database_url, "B001") is None
    done = pricemill.inside("rejected", "fix", *where, "--letters", "--yes", "--json")
    assert done.code == 0
    bursts(pricemill)
    assert (price(database_url, "B001"), price(database_url, "B002")) == (Decimal("10.5"), Decimal("20.5"))
    after = ask(
        database_url,
        """SELECT supplier_sku, current_price, source_row, task_key FROM supplier_items
            WHERE supplier_sku !~ '^B' ORDER BY 1""",
    )
    assert after == before
    assert not [value for _, value in groups(pricemill, "--task", loaded) if value in {"1O,50", "2O,50"}]


def test_the_account_of_a_replay_counts_every_row_of_the_list(
    pricemill: Installation, loaded: str, database_url: str
) -> None:
    again = pricemill.inside(
        "rejected", "fix", "--task", loaded, "--cause", "price_zero", "--set", "rules.zero_price=accept", "--yes",
        "--json",
    )  # fmt: skip
    bursts(pricemill)
    [(rows, new, ignored)] = ask(
        database_url,
        """SELECT (result #>> '{statistics,total_rows}')::int, (result #>> '{statistics,new}')::int,
                  (result #>> '{statistics,ignored,not_replayed}')::int FROM tasks WHERE task_id = $1""",
        again.json["task_id"],
    )
    assert (rows, new) == (len(LINES), 1)
    assert ignored < rows
    assert price(database_url, "C001") == 0


def test_a_row_that_stays_rejected_stands_under_the_new_task_only(pricemill: Installation, loaded: str) -> None:
    again = pricemill.inside("rejected", "replay", "--task", loaded, "--yes", "--json").json["task_id"]
    bursts(pricemill)
    assert groups(pricemill, "--task", loaded) == {}
    assert sum(groups(pricemill, "--task", again).values()) == len(BROKEN)
    nothing = pricemill.inside("rejected", "replay", "--task", loaded, "--yes", "--json").json
    assert nothing == {"rows": 0, "task_id": None}


def test_a_value_gets_another_meaning_for_this_list_and_later_ones(
    pricemill: Installation, loaded: str, database_url: str
) -> None:
    pricemill.inside(
        "rejected", "fix", "--task", loaded, "--cause", "currency_unknown", "--value", "Taler", "--to", "CHF", "--yes"
    )  # fmt: skip
    bursts(pricemill)
    assert ask(database_url, "SELECT currency FROM supplier_items WHERE supplier_sku = 'D001'") == [("CHF",)]
    profile = pricemill.inside("suppliers", "profile", "show", "Nord", "--json").json
    assert "Taler" in str(profile)


def test_ignored_rows_are_no_items_any_more(pricemill: Installation, loaded: str, database_url: str) -> None:
    done = pricemill.inside(
        "rejected", "fix", "--task", loaded, "--cause", "price_not_a_number", "--value", "nach Absprache", "--ignore",
        "--yes", "--json",
    )  # fmt: skip
    if done.code:  # "nach Absprache" may be known as a word for "on request"
        done = pricemill.inside(
            "rejected", "fix", "--task", loaded, "--cause", "price_on_request", "--value", "nach Absprache", "--ignore",
            "--yes", "--json",
        )  # fmt: skip
    assert done.code == 0, done
    bursts(pricemill)
    assert "nach Absprache" not in [value for _, value in groups(pricemill)]


def test_a_newer_price_is_never_overwritten_by_a_replayed_row(
    pricemill: Installation, loaded: str, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "newer.csv"
    path.write_text("\n".join([*LINES[:-7], "B001;Letter;77,00;pcs;EUR"]) + "\n", encoding="utf-8")
    pricemill.inside("import", path, "--supplier", "Nord", "--as-of", "2026-04-01")
    bursts(pricemill)
    assert price(database_url, "B001") == 77
    pricemill.inside(
        "rejected", "fix", "--task", loaded, "--cause", "price_not_a_number", "--letters", "--yes"
    )  # fmt: skip
    bursts(pricemill)
    assert price(database_url, "B001") == 77


def test_a_changed_file_is_not_taken_for_the_one_whose_rows_were_rejected(
    pricemill: Installation, loaded: str, database_url: str
) -> None:
    for copy in (pricemill.data_dir / "spool").rglob("source"):
        copy.unlink()
    for facts in (pricemill.data_dir / "spool").rglob("source.json"):
        facts.unlink()
    for handed_in in (pricemill.data_dir / "inbox").rglob("list.csv"):
        handed_in.write_text("Code;Name;Price EUR\nB001;Other;5,00\n", encoding="utf-8")
    again = pricemill.inside("rejected", "replay", "--task", loaded, "--yes", "--json").json["task_id"]
    bursts(pricemill)
    assert ask(database_url, "SELECT status::text FROM tasks WHERE task_id = $1", again) == [("dead",)]
    assert ask(database_url, "SELECT code FROM dead_letters WHERE task_id = $1", again) == [("source_changed",)]
    assert price(database_url, "B001") is None


def test_the_export_has_the_suppliers_columns_and_a_comment_on_each_bad_cell(
    pricemill: Installation, loaded: str, tmp_path: Path
) -> None:
    out = tmp_path / "back.xlsx"
    assert pricemill.inside("rejected", "export", "--task", loaded, "--out", out, "--json").json["rows"] == len(BROKEN)
    sheet = load_workbook(out).active
    assert [cell.value for cell in sheet[1]][1:6] == LINES[0].split(";")
    rows = {row[1].value: row for row in sheet.iter_rows(min_row=2)}
    assert set(rows) == set(BROKEN)
    assert "1O,50" in rows["B001"][3].comment.text
    assert rows["E001"][2].value.startswith("=cmd")
    assert all(cell.data_type != "f" for row in rows.values() for cell in row)
    again = pricemill.inside("rejected", "export", "--task", loaded, "--out", out)
    assert again.code == 2


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the sample data is not here")
def test_no_exported_cell_starts_a_formula(tmp_path: Path) -> None:
    texts = [*NAUGHTY.read_text(encoding="utf-8").splitlines(), "=1+1", "\t=1", "＝1+1", "+A1", "-A1", "@SUM(A1)"]
    lines = [RejectedLine(number, [text], {0: text}) for number, text in enumerate(texts, 1)]
    write_csv(tmp_path / "a.csv", ["=HYPERLINK(1)"], lines)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+-@＝＋－＠\t\r" and cell and not _is_number(cell)]
    write_xlsx(tmp_path / "a.xlsx", ["=HYPERLINK(1)"], lines)
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert all(cell.quotePrefix for row in sheet.iter_rows() for cell in row if cell.value)


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-").replace(",", "").replace(".", "").isdigit()


def test_plain_numbers_stay_as_they_are() -> None:
    assert [inert_cell(text) for text in ("-5.00", "+1 234,50", "12", "-5-5", "=5")] == [
        "-5.00", "+1 234,50", "12", "'-5-5", "'=5",
    ]  # fmt: skip
