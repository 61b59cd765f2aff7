"""What a Google Sheet tells beside its values: tabs, currencies, merged and frozen cells; and what it must not tell."""

from __future__ import annotations

import asyncio
import json
import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.profiles import SupplierProfile, amend, apply_profile
from config.settings import Settings
from contracts.errors import NeedsAnswer, SourceMissing, SourceUnavailable
from contracts.rows import Description
from contracts.task import GoogleSheetsSource, ParseTask
from parsers.google_sheets import GoogleSheetsParser
from parsers.resources import Resources
from pipeline.open import Opened, open_source
from tests.support.google_sheets import Google, google, private_key, read, resources, task

__all__ = ["google", "private_key", "resources"]

HEAD = ["Nr", "Bezeichnung", "Preis"]
SHOWN = [HEAD, *([f"{n * n:04d}", f"Schraube {n}", f"{n}.000,50 €"] for n in range(1, 9))]
STORED = [HEAD, *([n * n, f"Schraube {n}", n * 1000 + 0.5] for n in range(1, 9))]
TWO = ({"title": "Nord", "sheetId": 1}, {"title": "Süd", "sheetId": 2}, {"title": "Alt", "sheetId": 3, "hidden": True})


def opened(resources: Resources, spool: Path, wanted: ParseTask) -> Opened:
    async def work() -> Opened:
        parser = GoogleSheetsParser(resources)
        return await open_source(wanted, parser, spool=spool, stored=None, settings=Settings(_env_file=None))

    return asyncio.run(asyncio.wait_for(work(), 60))


def described(resources: Resources, spool: Path, wanted: ParseTask) -> Description:
    async def work() -> Description:
        parser = GoogleSheetsParser(resources)
        source = await parser.fetch(wanted, spool)
        return (await parser.open(source, GoogleSheetsSource.model_validate(wanted.source_config))).description

    return asyncio.run(asyncio.wait_for(work(), 60))


def test_prices_are_those_that_are_stored_and_the_currency_is_the_one_that_is_shown(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.sheet(SHOWN, STORED)
    found = opened(resources, tmp_path / "spool", task())
    assert found.plan.understanding.currency == "EUR"
    assert [row[0] for _, row in found.sample[1:]] == [f"{n * n:04d}" for n in range(1, 9)]
    assert [row[2] for _, row in found.sample[1:]] == [Decimal(n * 1000) + Decimal("0.5") for n in range(1, 9)]


def test_where_signs_differ_each_number_keeps_its_own(google: Google, resources: Resources, tmp_path: Path) -> None:
    google.sheet(
        [HEAD, ["1", "a", "1.234,50 €"], ["2", "b", "$1.234,125"], ["3", "c", "7"]],
        [HEAD, [1, "a", 1234.5], [2, "b", 1234.125], [3, "c", 7]],
    )
    _, _, rows = read(resources, tmp_path / "spool", task())
    assert [row[2] for row in rows[1:]] == ["1234.5 €", "1234.1250 $", Decimal(7)]
    assert described(resources, tmp_path / "spool", task()).currencies == ()


def test_tabs_that_are_alike_are_a_question_and_each_answer_counts_without_another_request(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.sheet(SHOWN, STORED, *TWO)
    with pytest.raises(NeedsAnswer) as caught:
        opened(resources, tmp_path / "spool", task())
    assert caught.value.question is not None
    assert caught.value.question.code == "sheet"
    asked = list(google.asked)
    rows = []
    for option in caught.value.question.options:
        config = GoogleSheetsSource.model_validate(task().source_config)
        answered = apply_profile(config, amend(SupplierProfile(), option.patch)).model_dump(mode="json")
        wanted = task().model_copy(update={"source_config": answered})
        _, tab, found = read(resources, tmp_path / "spool", wanted)
        rows.append((tab, len(found)))
    assert rows == [("Nord + Süd", 2 * len(SHOWN)), ("Nord", len(SHOWN)), ("Süd", len(SHOWN))]
    assert google.asked == asked


def test_a_hidden_tab_is_read_only_by_its_name(google: Google, resources: Resources, tmp_path: Path) -> None:
    google.sheet(SHOWN, STORED, *TWO)
    assert read(resources, tmp_path / "named", task(sheet_name="Alt"))[1] == "Alt"
    read(resources, tmp_path / "spool", task(sheet_name="Nord"))
    read(resources, tmp_path / "all", task(sheet_name="*"))
    with pytest.raises(SourceMissing, match="hidden"):
        read(resources, tmp_path / "all", task(sheet_name="Alt"))


def test_merged_and_frozen_cells_are_told(google: Google, resources: Resources, tmp_path: Path) -> None:
    tab = {"title": "A", "sheetId": 1, "gridProperties": {"frozenRowCount": 2}}
    merges = [
        {"sheetId": 1, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 1, "endColumnIndex": 3},
        {"sheetId": 1, "startRowIndex": 500, "endRowIndex": 501, "startColumnIndex": 0, "endColumnIndex": 2},
    ]
    google.sheet(SHOWN, STORED, tab, merges=merges)
    found = described(resources, tmp_path / "spool", task())
    assert found.merged == ((1, 1, 1, 2),)
    assert found.frozen_rows == 2


@pytest.mark.parametrize(("frozen", "row"), [(0, 2), (1, 1)])
def test_of_two_rows_that_could_be_the_header_the_frozen_one_is(
    google: Google, resources: Resources, tmp_path: Path, frozen: int, row: int
) -> None:
    tab = {"title": "A", "sheetId": 1, "gridProperties": {"frozenRowCount": frozen}}
    twice = [["sku", "name", "price"], ["code", "description", "price"], *SHOWN[1:]]
    google.sheet(twice, [*twice[:2], *STORED[1:]], tab)
    found = opened(resources, tmp_path / "spool", task())
    assert found.plan.understanding.header_row == row


def test_a_connection_that_is_cut_is_unavailable_and_the_next_attempt_reads(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.sheet(SHOWN, STORED)
    google.resets = 1
    with pytest.raises(SourceUnavailable):
        read(resources, tmp_path / "spool", task())
    assert len(read(resources, tmp_path / "spool", task())[2]) == len(SHOWN)


def test_neither_token_nor_key_is_written_anywhere(
    google: Google,
    resources: Resources,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert resources.credentials_dir is not None
    account: dict[str, Any] = json.loads((resources.credentials_dir / "google-sheets.json").read_text())
    google.accepts = "ya29.canary-of-the-token"
    google.token = (200, json.dumps({"access_token": google.accepts, "expires_in": 3600}).encode(), {})
    google.sheet(SHOWN, STORED)
    with caplog.at_level(logging.DEBUG):
        opened(resources, tmp_path / "spool", task())
        google.resets = 100  # more than is tried again at once
        with pytest.raises(SourceUnavailable) as caught:
            opened(resources, tmp_path / "other", task())
    out, err = capfd.readouterr()
    kept = "".join(path.read_text() for path in tmp_path.glob("*/*") if path.parent != resources.credentials_dir)
    for place in (caplog.text, out, err, kept, repr(caught.value), str(caught.value.context)):
        assert google.accepts not in place
        assert account["private_key"].splitlines()[1] not in place
