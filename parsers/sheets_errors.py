"""What an error answer of the Google Sheets API means, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gspread.exceptions import APIError

from contracts.errors import (
    CredentialRefused,
    PricemillError,
    SourceForbidden,
    SourceMissing,
    SourceThrottled,
    SourceUnavailable,
    SourceUnreadable,
)
from parsers.download import refusal

QUOTA_WAIT = timedelta(minutes=1)
"""Quotas are counted by the minute, and the answers do not say when the next one begins."""
_DISABLED = {"SERVICE_DISABLED", "accessNotConfigured", "API_DISABLED"}
_QUOTA = {"RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}


def translated(error: APIError, email: str) -> PricemillError:
    """`email` is the address of the service account: whom to share with."""
    status = error.response.status_code
    said = str(error.error.get("message", ""))[:300]
    reasons = _reasons(error.error)
    retry_after = error.response.headers.get("Retry-After")
    if status == 403 and reasons & _QUOTA:
        status = 429
    if status == 401:
        return CredentialRefused(f"Google does not accept the credential of {email} ({said})", email=email)
    if status == 403 and (reasons & _DISABLED or "has not been used in project" in said or "is disabled" in said):
        return CredentialRefused(
            f"the Google Sheets API is not enabled in the project of {email} ({said})",
            email=email,
            next="enable the Google Sheets API in the Google Cloud project of that service account, and try again",
        )
    if status == 403:
        return SourceForbidden(
            f"Google refuses {email} this sheet ({said}); share the sheet with that address",
            email=email,
            next=f"share the sheet with {email} (reading is enough), then pricemill tasks retry TASK",
        )
    if status == 404:
        return SourceMissing(
            f"there is no such spreadsheet, or it is not shared with {email}",
            email=email,
            next=f"check the address; if it is right, share the sheet with {email}",
        )
    if status == 400:
        return _bad_request(said)
    meant = refusal(status, retry_after, "Google Sheets")
    if isinstance(meant, SourceThrottled) and meant.retry_after is None:
        return SourceThrottled(meant.message, retry_after=QUOTA_WAIT)
    if isinstance(meant, SourceMissing):
        return SourceUnreadable(f"Google Sheets cannot read this document ({status}: {said})", status=status)
    return meant


def _bad_request(said: str) -> PricemillError:
    if "Unable to parse range" in said:
        # the tabs were listed a moment ago: one was renamed or removed since
        return SourceUnavailable(f"the worksheets changed while they were read ({said})", status=400)
    if "not supported for this document" in said:
        return SourceUnreadable(
            f"this is no Google Sheet but a file kept in Google Drive ({said})",
            status=400,
            next="save it as a Google Sheet there (File, Save as Google Sheets), or download it and import the file",
        )
    return SourceUnreadable(f"Google Sheets cannot read this document (400: {said})", status=400)


def _reasons(error: Mapping[str, Any]) -> set[str]:
    """The words for machines, of both shapes of errors that Google has."""
    found = {str(error.get("status", ""))}
    for part in (*_listed(error.get("details")), *_listed(error.get("errors"))):
        found.add(str(part.get("reason", "")))
    return found


def _listed(parts: Any) -> list[dict[str, Any]]:
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
