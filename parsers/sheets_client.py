"""Talks to Google Sheets through gspread: blocking, in two kinds of calls, with its errors translated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2.service_account import Credentials
from gspread.exceptions import APIError
from gspread.http_client import HTTPClient
from gspread.utils import DateTimeOption, ValueRenderOption

from contracts.errors import (
    ConfigError,
    PricemillError,
    SourceForbidden,
    SourceMissing,
    SourceThrottled,
    SourceTooLarge,
    SourceUnavailable,
    SourceUnreadable,
)
from parsers.download import refusal

GOOGLE = "https://sheets.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/spreadsheets.readonly",)
CALLS = 3
"""Requests of one reading: metadata, the shown values, the stored values."""


@dataclass(frozen=True, slots=True)
class SheetValues:
    """One tab, read at one go. Rows are ragged and may be missing at the end."""

    title: str
    tab: str
    notes: tuple[str, ...]
    shown: list[list[Any]]
    """As a person sees the cells: always text."""
    stored: list[list[Any]]
    """As they are kept: numbers as JSON numbers, dates as shown."""


class _Account(Credentials):
    """A service account that talks to its token address and nobody else: the library otherwise asks another
    host of Google's, in a thread nobody waits for, where the account may be used from."""

    def _maybe_start_regional_access_boundary_refresh(self, request: Any, url: str) -> None:
        """Does nothing."""


class _Http(HTTPClient):
    """gspread's own client with another base address (tests, proxies) and a limit for answers."""

    def __init__(self, auth: Credentials, *, base: str, limit: int) -> None:
        super().__init__(auth)
        self._base = base.rstrip("/")
        self._limit = limit

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:
        if endpoint.startswith(GOOGLE):
            endpoint = self._base + endpoint.removeprefix(GOOGLE)
        response: requests.Response = super().request(method, endpoint, *args, **kwargs)
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


def read_sheet(
    key: str, *, credentials: Credentials, base: str, tab: str | None, gid: int | None, seconds: float, limit: int
) -> SheetValues:
    """Blocking; every call has a time limit. Without `tab` the one with the number `gid`, or the first visible
    one. Raises SourceForbidden, SourceMissing, SourceThrottled, SourceUnavailable, SourceTooLarge."""
    http = _Http(credentials, base=base, limit=limit)
    http.set_timeout((10.0, seconds))
    email = str(credentials.service_account_email)
    try:
        metadata = http.fetch_sheet_metadata(key)
        title = str(metadata["properties"]["title"])
        chosen, notes = _choose([sheet["properties"] for sheet in metadata["sheets"]], tab, gid, title)
        whole_tab = ["'" + chosen.replace("'", "''") + "'"]
        shown, stored = (
            http.values_batch_get(
                key,
                whole_tab,
                {
                    "majorDimension": "ROWS",
                    "valueRenderOption": option,
                    "dateTimeRenderOption": DateTimeOption.formatted_string,
                },
            )["valueRanges"][0].get("values", [])
            for option in (ValueRenderOption.formatted, ValueRenderOption.unformatted)
        )
    except APIError as error:
        raise _translated(error, email) from error
    except RefreshError as error:
        if error.retryable:
            raise SourceUnavailable("Google did not give a token; it may later") from error
        raise SourceForbidden(f"Google does not accept the key of {email}; make a new one", email=email) from error
    except (GoogleAuthError, requests.RequestException) as error:
        raise SourceUnavailable(f"Google Sheets did not answer: {type(error).__name__}") from error
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise SourceUnavailable("Google Sheets gave an answer of another shape than agreed") from error
    return SheetValues(title, chosen, notes, shown, stored)


def _choose(tabs: list[dict[str, Any]], wanted: str | None, gid: int | None, title: str) -> tuple[str, tuple[str, ...]]:
    tabs = [tab for tab in tabs if tab.get("sheetType", "GRID") == "GRID"]
    names = [str(tab["title"]) for tab in tabs]
    if wanted is not None:
        if wanted not in names:
            raise SourceMissing(
                f"there is no worksheet “{wanted}” in “{title}”; there are: {', '.join(names)}", tabs=names
            )
        return wanted, ()
    if gid is not None:
        found = next((str(tab["title"]) for tab in tabs if tab.get("sheetId") == gid), None)
        if found is None:
            raise SourceMissing(f"no worksheet of “{title}” has the gid {gid}; there are: {', '.join(names)}", gid=gid)
        return found, ()
    if not names:
        raise SourceMissing(f"“{title}” has no worksheet with cells")
    chosen = next((str(tab["title"]) for tab in tabs if not tab.get("hidden")), names[0])
    others = [name for name in names if name != chosen]
    return chosen, ((f"sheet “{chosen}” was read; others: {', '.join(others)}",) if others else ())


def _translated(error: APIError, email: str) -> PricemillError:
    status = error.response.status_code
    said = str(error.error.get("message", ""))[:300]
    if status in {401, 403}:
        return SourceForbidden(
            f"Google refuses {email} this sheet ({said}); share the sheet with that address", email=email
        )
    if status == 404:
        return SourceMissing(f"there is no such spreadsheet, or it is not shared with {email}", email=email)
    translated = refusal(status, error.response.headers.get("Retry-After"), "Google Sheets")
    if isinstance(translated, SourceThrottled) and translated.retry_after is None:
        # quotas are counted by the minute, and the answer does not say when the next one begins
        return SourceThrottled(translated.message, retry_after=timedelta(minutes=1))
    if isinstance(translated, SourceMissing):
        return SourceUnreadable(f"Google Sheets cannot read this document ({status}: {said})", status=status)
    return translated
