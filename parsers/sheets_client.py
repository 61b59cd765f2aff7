"""Talks to Google Sheets through gspread: blocking, in two kinds of calls, with its errors translated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2.service_account import Credentials
from gspread.exceptions import APIError
from gspread.http_client import HTTPClient
from gspread.utils import DateTimeOption, ValueRenderOption

from contracts.errors import ConfigError, CredentialRefused, SourceMissing, SourceTooLarge, SourceUnavailable
from observability.logging import get_logger
from parsers.sheets_errors import translated
from parsers.sheets_tabs import chosen_tab
from parsers.workbook_tabs import ALL

log = get_logger(__name__)

GOOGLE = "https://sheets.googleapis.com"
DRIVE = "https://www.googleapis.com"
SCOPES = (
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
)
CALLS = 4
"""Requests of one reading at most: metadata, the shown values, the stored values, the formulas."""


@dataclass(frozen=True, slots=True)
class TabFacts:
    """What the metadata tell of a tab."""

    place: int
    """Among the tabs with cells, from 0."""
    title: str
    gid: int
    hidden: bool
    frozen: int
    """Rows that stay in place when one scrolls: where a header stands."""

    def document(self) -> dict[str, Any]:
        return {"place": self.place, "title": self.title, "gid": self.gid, "hidden": self.hidden, "frozen": self.frozen}


@dataclass(frozen=True, slots=True)
class TabValues:
    """One tab, read at one go. Rows are ragged and may be missing at the end."""

    facts: TabFacts
    shown: list[list[Any]]
    """As a person sees the cells: always text."""
    stored: list[list[Any]]
    """As they are kept: numbers as JSON numbers, dates as shown."""
    merges: Sequence[Mapping[str, int]] = ()
    """As Google tells them."""


@dataclass(frozen=True, slots=True)
class SheetValues:
    title: str
    tabs: tuple[TabValues, ...]
    others: tuple[TabFacts, ...] = ()
    """Tabs with cells that were not read."""
    revision: str | None = None
    """As in Source; asked for before the values were."""


class _Account(Credentials):
    """A service account that talks to its token address and nobody else: the library otherwise asks another
    host of Google's, in a thread nobody waits for, where the account may be used from."""

    def _maybe_start_regional_access_boundary_refresh(self, request: Any, url: str) -> None:
        """Does nothing."""


class _Http(HTTPClient):
    """gspread's own client with another base address (tests, proxies) and a limit for answers."""

    def __init__(self, auth: Credentials, *, base: str, drive: str, limit: int) -> None:
        super().__init__(auth)
        self._bases = ((GOOGLE, base.rstrip("/")), (DRIVE, drive.rstrip("/")))
        self._limit = limit

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:
        for usual, base in self._bases:
            if endpoint.startswith(usual):
                endpoint = base + endpoint.removeprefix(usual)
                break
        started, code = monotonic(), "error"
        try:
            response: requests.Response = super().request(method, endpoint, *args, **kwargs)
            code = str(response.status_code)
        except APIError as error:
            code = str(error.response.status_code)
            raise
        finally:
            log.debug("source.requested", service="google_sheets", code=code, seconds=round(monotonic() - started, 3))
        if len(response.content) > self._limit:
            raise SourceTooLarge(f"the sheet has more than {self._limit:,} bytes", limit=self._limit)
        return response


def credentials_of(directory: Path | None, name: str) -> Credentials:
    """The service account NAME.json. Raises ConfigError; the message never holds what the file holds."""
    if directory is None:
        raise ConfigError("Google Sheets need a service account; set PRICEMILL_CREDENTIALS_DIR", credentials=name)
    path = directory / f"{name}.json"
    try:
        return _Account.from_service_account_file(str(path), scopes=SCOPES)  # type: ignore[no-any-return,no-untyped-call]
    except FileNotFoundError:
        raise ConfigError(f"there is no credential “{name}” (looked for {name}.json)", credentials=name) from None
    except (OSError, ValueError, TypeError, AttributeError, GoogleAuthError):
        # without its cause: the text of the error may quote the key
        raise ConfigError(f"the credential “{name}” is no key of a service account", credentials=name) from None


def read_revision(key: str, *, credentials: Credentials, base: str, drive: str, seconds: float) -> str | None:
    """Blocking, one request to Google Drive. None if Drive does not tell: the API may not be enabled."""
    http = _Http(credentials, base=base, drive=drive, limit=65_536)
    http.set_timeout((10.0, seconds))
    return _revision(http, key)


def _revision(http: HTTPClient, key: str) -> str | None:
    try:
        answer = http.request(
            "get",
            f"{DRIVE}/drive/v3/files/{key}",
            params={"fields": "version,modifiedTime", "supportsAllDrives": "true"},
        ).json()
        return f"{answer['version']} of {answer['modifiedTime']}"
    except (APIError, GoogleAuthError, requests.RequestException, KeyError, TypeError, SourceTooLarge):
        return None


def read_sheet(
    key: str,
    *,
    credentials: Credentials,
    base: str,
    drive: str,
    tab: str | None,
    gid: int | None,
    seconds: float,
    limit: int,
) -> SheetValues:
    """Blocking; every call has a time limit. Reads the tab that is named, or else all that are visible. Raises
    CredentialRefused, SourceForbidden, SourceMissing, SourceThrottled, SourceUnavailable, SourceUnreadable,
    SourceTooLarge."""
    http = _Http(credentials, base=base, drive=drive, limit=limit)
    http.set_timeout((10.0, seconds))
    email = str(credentials.service_account_email)
    try:
        revision = _revision(http, key)
        metadata = http.fetch_sheet_metadata(key)
        title = str(metadata["properties"]["title"])
        sheets = [sheet for sheet in metadata["sheets"] if sheet["properties"].get("sheetType", "GRID") == "GRID"]
        known = [_facts(place, sheet["properties"]) for place, sheet in enumerate(sheets)]
        wanted = _wanted(known, tab, gid, title)
        ranges = ["'" + facts.title.replace("'", "''") + "'" for facts in wanted]
        shown, stored = (
            _values(http, key, ranges, option)
            for option in (ValueRenderOption.formatted, ValueRenderOption.unformatted)
        )
        if revision is not None and _calculated(_values(http, key, ranges, ValueRenderOption.formula)):
            revision = None
        merges = {sheet["properties"]["title"]: sheet.get("merges", ()) for sheet in sheets}
        tabs = tuple(
            TabValues(facts, shown[place], stored[place], merges[facts.title]) for place, facts in enumerate(wanted)
        )
    except APIError as error:
        raise translated(error, email) from error
    except RefreshError as error:
        if error.retryable:
            raise SourceUnavailable("Google did not give a token; it may later") from error
        raise CredentialRefused(f"Google does not accept the credential of {email}", email=email) from error
    except requests.JSONDecodeError as error:
        raise SourceUnavailable("Google Sheets gave an answer that is no JSON, or was cut off") from error
    except (GoogleAuthError, requests.RequestException) as error:
        raise SourceUnavailable(f"Google Sheets did not answer: {type(error).__name__}") from error
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise SourceUnavailable("Google Sheets gave an answer of another shape than agreed") from error
    return SheetValues(title, tabs, tuple(facts for facts in known if facts not in wanted), revision)


def _facts(place: int, properties: Mapping[str, Any]) -> TabFacts:
    frozen = properties.get("gridProperties", {}).get("frozenRowCount", 0)
    hidden = bool(properties.get("hidden"))
    return TabFacts(place, str(properties["title"]), int(properties["sheetId"]), hidden, int(frozen))


def _wanted(known: Sequence[TabFacts], tab: str | None, gid: int | None, title: str) -> list[TabFacts]:
    if not known:
        raise SourceMissing(f"“{title}” has no worksheet with cells")
    if tab not in {None, ALL} or gid is not None:
        name = chosen_tab([facts.document() for facts in known], tab, gid, title)
        return [facts for facts in known if facts.title == name]
    return [facts for facts in known if not facts.hidden] or list(known)


def _values(http: HTTPClient, key: str, ranges: Sequence[str], option: ValueRenderOption) -> list[list[list[Any]]]:
    answer = http.values_batch_get(
        key,
        list(ranges),
        {
            "majorDimension": "ROWS",
            "valueRenderOption": option,
            "dateTimeRenderOption": DateTimeOption.formatted_string,
        },
    )
    return [answer["valueRanges"][place].get("values", []) for place in range(len(ranges))]


def _calculated(tabs: list[list[list[Any]]]) -> bool:
    """True if a cell is a formula: its value may change (rates, other sheets, the date) while the file does not."""
    return any(isinstance(cell, str) and cell.startswith("=") for rows in tabs for row in rows for cell in row)
