"""The real Google Sheets client against a local server that gives the recorded answers of the API."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import (
    ConfigError,
    CredentialRefused,
    PricemillError,
    SourceForbidden,
    SourceMissing,
    SourceThrottled,
    SourceTooLarge,
    SourceUnavailable,
    SourceUnreadable,
)
from parsers.resources import Resources
from resilience.retry.classifier import classify
from tests.support.google_sheets import (
    CASSETTES,
    EMAIL,
    QUOTA,
    Answer,
    Google,
    google,
    private_key,
    read,
    recorded,
    resources,
    task,
)

__all__ = ["google", "private_key", "resources"]


@recorded
def test_a_recorded_sheet_is_read_with_its_blank_and_ragged_rows(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    key = google.play("WorksheetTest.test_get_all_values")
    _, tab, rows = read(resources, tmp_path / "spool", task(key))
    assert tab == "Sheet1"
    assert [list(row) for row in rows] == [
        ["A1", "B1", None, "D1"], [None, "b2", None, None], [None] * 4, ["A4", "B4", None, "D4"],
    ]  # fmt: skip


def tab_names(metadata: Answer | None) -> set[str]:
    if metadata is None or metadata[0] != 200:
        return set()
    return {sheet["properties"]["title"] for sheet in json.loads(metadata[1])["sheets"]}


@recorded
def test_each_recording_with_a_whole_tab_is_read_row_for_row(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    played = 0
    for path in sorted(CASSETTES.glob("*.json")):
        google.values.clear()
        key = google.play(path.stem)
        names = tab_names(google.metadata.get(key))
        google.values = {known: answer for known, answer in google.values.items() if known[1].strip("'") in names}
        if not google.values:
            continue  # a recording of other calls, or of a tab that was renamed afterwards
        (_, tab, _), (_, body, _) = next((known, answer) for known, answer in google.values.items() if known[0] == key)
        expected = json.loads(body)["valueRanges"][0].get("values", [])
        _, _, rows = read(resources, tmp_path / path.stem, task(key, sheet_name=tab.strip("'")))
        assert len(rows) == len(expected)
        played += 1
    assert played >= 5


def test_one_task_costs_four_requests_at_most_and_reading_again_none(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.sheet([["a"], ["1"]], [["a"], [1]])
    first = read(resources, tmp_path / "spool", task())
    assert google.asked == ["token", "revision", "metadata", "FORMATTED_VALUE", "UNFORMATTED_VALUE"]
    assert read(resources, tmp_path / "spool", task()) == first
    assert len(google.asked) == 5
    google.version = 7
    source, _, _ = read(resources, tmp_path / "known", task())
    assert google.asked[5:] == ["token", "revision", "metadata", "FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"]
    assert source.revision == "7 of 2026-11-21T10:00:00.000Z"


def test_a_sheet_with_a_formula_has_no_revision_as_its_values_change_by_themselves(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.version = 7
    google.sheet([["a"], ["1"]], [["a"], [1]])
    google.values["key", "'Sheet1'", "FORMULA"] = (
        200, b'{"valueRanges": [{"values": [["a"], ["=IMPORTRANGE(\\"x\\")"]]}]}', {},
    )  # fmt: skip
    assert read(resources, tmp_path / "spool", task())[0].revision is None


def test_numbers_are_exact_and_codes_keep_their_zeros(google: Google, resources: Resources, tmp_path: Path) -> None:
    google.sheet(
        [["Nr", "Preis", "neu"], ["00123", "1.234,50 €", "WAHR"], ["00124", "1.234 €", "FALSCH"]],
        [["Nr", "Preis", "neu"], [123, 1234.5, True], [124, 1234, False]],
    )
    _, _, rows = read(resources, tmp_path / "spool", task())
    assert [list(row) for row in rows[1:]] == [
        ["00123", Decimal("1234.5"), True], ["00124", Decimal(1234), False],
    ]  # fmt: skip


def test_nobody_but_the_configured_address_is_asked(
    google: Google, resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts: list[str] = []
    look_up = socket.getaddrinfo

    def noted(host: str, *args: Any, **kwargs: Any) -> Any:
        hosts.append(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    google.sheet([["a"]], [["a"]])
    read(resources, tmp_path / "spool", task())
    assert set(hosts) == {"127.0.0.1"}


def test_an_empty_tab_has_no_rows(google: Google, resources: Resources, tmp_path: Path) -> None:
    google.sheet(None, None)
    assert read(resources, tmp_path / "spool", task())[2] == []


TABS = (
    {"title": "Old", "sheetId": 1, "hidden": True},
    {"title": "Chart", "sheetId": 2, "sheetType": "OBJECT"},
    {"title": "it's 🌵 new", "sheetId": 3},
    {"title": "More", "sheetId": 4},
)


@pytest.mark.parametrize(
    ("config", "tab"),
    [
        ({}, "it's 🌵 new"),
        ({"sheet_name": "More"}, "More"),
        ({"sheet_name": " more"}, "More"),
        ({"sheet_name": "#3"}, "More"),
        ({"sheet_name": "Old"}, "Old"),
        ({"fragment": "#gid=4"}, "More"),
        ({"fragment": "?gid=4#gid=4", "sheet_name": "Old"}, "Old"),
    ],
)
def test_the_tab_is_named_or_numbered_or_the_first_visible_one(
    google: Google, resources: Resources, tmp_path: Path, config: dict[str, Any], tab: str
) -> None:
    google.sheet([["a", "b"]], [["a", "b"]], *TABS)
    assert read(resources, tmp_path / "spool", task(**config))[1] == tab


@pytest.mark.parametrize(
    "config", [{"sheet_name": "Nope"}, {"fragment": "#gid=99"}, {"sheet_name": "Chart"}, {"sheet_name": "#4"}]
)
def test_a_missing_tab_lists_what_there_is(
    google: Google, resources: Resources, tmp_path: Path, config: dict[str, Any]
) -> None:
    google.sheet([["a"]], [["a"]], *TABS)
    with pytest.raises(SourceMissing, match=r"Old \(hidden\), it's 🌵 new, More"):
        read(resources, tmp_path / "spool", task(**config))


def error(status: int, message: str = "said", **headers: str) -> Answer:
    return status, json.dumps({"error": {"code": status, "message": message}}).encode(), headers


def named(status: int, word: str, reason: str) -> Answer:
    """An error of today's shape."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}]
    told = {"code": status, "message": "said", "status": word, "details": details}
    return status, json.dumps({"error": told}).encode(), {}


def old(status: int, reason: str) -> Answer:
    told = {"code": status, "message": "said", "errors": [{"domain": "usageLimits", "reason": reason}]}
    return status, json.dumps({"error": told}).encode(), {}


@pytest.mark.parametrize(
    ("answer", "kind", "says", "wait"),
    [
        (error(403, "The caller does not have permission"), SourceForbidden, EMAIL, None),
        (error(404), SourceMissing, EMAIL, None),
        ((429, json.dumps(QUOTA).encode(), {}), SourceThrottled, "later", 60),
        (error(429, "q", **{"Retry-After": "7"}), SourceThrottled, "later", 7),
        (error(500), SourceUnavailable, "500", None),
        (error(503), SourceUnavailable, "503", None),
        ((502, b"<html>Bad Gateway</html>", {}), SourceUnavailable, "502", None),
        ((404, b"<html>not json</html>", {}), SourceMissing, EMAIL, None),
        (error(400, "This operation is not supported for this document"), SourceUnreadable, "not supported", None),
        ((200, b"no json", {}), SourceUnavailable, "no JSON", None),
        ((200, b'{"properties": {"title": "Li', {}), SourceUnavailable, "cut off", None),
        ((200, b"<html>Log in</html>", {}), SourceUnavailable, "no JSON", None),
        (error(401, "Request had invalid authentication credentials."), CredentialRefused, EMAIL, None),
        (named(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), CredentialRefused, "not enabled", None),
        (named(403, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"), SourceThrottled, "later", 60),
        (old(403, "userRateLimitExceeded"), SourceThrottled, "later", 60),
        (old(403, "accessNotConfigured"), CredentialRefused, "not enabled", None),
        (error(503, "busy", **{"Retry-After": "9"}), SourceThrottled, "later", 9),
        (error(400, "Unable to parse range: 'A'"), SourceUnavailable, "changed", None),
        (error(400, "Invalid value at 'ranges'"), SourceUnreadable, "400", None),
        ((200, b"[]", {}), SourceUnavailable, "shape", None),
        ((200, b'{"properties": {}}', {}), SourceUnavailable, "shape", None),
    ],
)
def test_each_error_of_the_api_means_one_thing(  # noqa: PLR0917 (a table of cases)
    google: Google, resources: Resources, tmp_path: Path, answer: Answer, kind: type[PricemillError], says: str,
    wait: int | None,
) -> None:  # fmt: skip
    google.metadata["key"] = answer
    with pytest.raises(PricemillError) as caught:
        read(resources, tmp_path / "spool", task())
    assert type(caught.value) is kind
    assert says in caught.value.message
    assert classify(caught.value).next_step or isinstance(caught.value, SourceThrottled)
    assert caught.value.retry_after == (None if wait is None else timedelta(seconds=wait))


@recorded
@pytest.mark.parametrize(
    ("cassette", "status"),
    [("ClientTest.test_access_private_spreadsheet", 403), ("ClientTest.test_access_non_existing_spreadsheet", 404)],
)
def test_the_recorded_refusals_name_the_address_to_share_with(
    google: Google, resources: Resources, tmp_path: Path, cassette: str, status: int
) -> None:
    google.play(cassette)
    key = next(key for key, answer in google.metadata.items() if answer[0] == status)
    with pytest.raises(SourceForbidden if status == 403 else SourceMissing, match=EMAIL):
        read(resources, tmp_path / "spool", task(key))


def test_a_quota_that_ends_between_two_requests_is_a_quota(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.sheet([["a"]], [["a"]])
    google.values["key", "'Sheet1'", "UNFORMATTED_VALUE"] = (429, json.dumps(QUOTA).encode(), {})
    with pytest.raises(SourceThrottled):
        read(resources, tmp_path / "spool", task())
    assert not (tmp_path / "spool" / "source").exists()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, b'{"error": "invalid_grant", "error_description": "Invalid JWT"}', {}), CredentialRefused),
        ((401, b'{"error": "unauthorized"}', {}), CredentialRefused),
    ],
)
def test_a_key_that_google_does_not_accept_is_refused(
    google: Google, resources: Resources, tmp_path: Path, answer: Answer, kind: type[PricemillError]
) -> None:
    google.token = answer
    with pytest.raises(kind, match=EMAIL):
        read(resources, tmp_path / "spool", task())


def test_a_sheet_above_the_limit_is_refused(google: Google, resources: Resources, tmp_path: Path) -> None:
    google.sheet([["x" * 5_000]], [["x"]])
    small = Resources(
        credentials_dir=resources.credentials_dir,
        google_sheets_api=google.base,
        google_drive_api=google.base,
        max_source_bytes=2_000,
    )
    with pytest.raises(SourceTooLarge):
        read(small, tmp_path / "spool", task())


def test_nobody_at_the_address_is_unavailable(resources: Resources, tmp_path: Path) -> None:
    nowhere = Resources(
        credentials_dir=resources.credentials_dir,
        google_sheets_api="http://127.0.0.1:1",
        google_drive_api="http://127.0.0.1:1",
    )
    with pytest.raises(SourceUnavailable):
        read(nowhere, tmp_path / "spool", task())


def test_a_missing_or_broken_credential_is_named_and_not_quoted(resources: Resources, tmp_path: Path) -> None:
    assert resources.credentials_dir is not None
    with pytest.raises(ConfigError, match="other"):
        read(resources, tmp_path / "spool", task(credentials="other"))
    with pytest.raises(ConfigError, match="CREDENTIALS_DIR"):
        read(Resources(), tmp_path / "spool", task())
    for text in ("canary", '{"type": "service_account", "private_key": "canary"}', "[]"):
        (resources.credentials_dir / "bad.json").write_text(text)
        with pytest.raises(ConfigError) as caught:
            read(resources, tmp_path / "spool", task(credentials="bad"))
        assert "canary" not in repr(caught.value)
        assert caught.value.__cause__ is None


class _Budget:
    """Says how long to wait, in this order, then nothing more."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.taken: list[tuple[str, int]] = []

    async def take(self, key: str, cost: int = 1) -> timedelta:
        self.taken.append((key, cost))
        return timedelta(seconds=self.waits.pop(0) if self.waits else 0)


class _Clock:
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_a_short_wait_for_the_budget_is_waited_and_a_long_one_given_back(
    google: Google, resources: Resources, tmp_path: Path
) -> None:
    google.sheet([["a"]], [["a"]])
    clock, budget = _Clock(), _Budget(1.5)
    with_budget = Resources(
        credentials_dir=resources.credentials_dir,
        google_sheets_api=google.base,
        google_drive_api=google.base,
        limiter=budget,
        clock=clock,
    )
    read(with_budget, tmp_path / "spool", task())
    assert clock.slept == [1.5]
    assert budget.taken == [("google_sheets:google-sheets", 4)] * 2
    budget.waits = [40.0]
    with pytest.raises(SourceThrottled) as caught:
        read(with_budget, tmp_path / "spool2", task())
    assert caught.value.retry_after == timedelta(seconds=40)
