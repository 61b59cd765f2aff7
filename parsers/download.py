"""Fetches a source by https with limits, every redirect checked like the first address."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic
from urllib.parse import unquote

import httpx

from contracts.errors import (
    PricemillError,
    SourceForbidden,
    SourceMissing,
    SourceNotAllowed,
    SourceThrottled,
    SourceTooLarge,
    SourceUnavailable,
)
from contracts.parser import Source
from observability.logging import get_logger
from parsers.addresses import resolve
from parsers.resources import Resources
from parsers.spool import Intake, intake, keep

log = get_logger(__name__)

REDIRECTS = 5
_MOVED = {301, 302, 303, 307, 308}
LONGEST_WAIT = timedelta(days=1)


async def download(address: str, spool: Path, resources: Resources) -> Source:
    """Raises SourceNotAllowed, SourceMissing, SourceForbidden, SourceThrottled, SourceUnavailable, SourceTooLarge."""
    try:
        async with asyncio.timeout(resources.fetch_seconds):
            with intake(spool, resources.max_source_bytes) as taken:
                name = await _follow(address, taken, resources)
                return await asyncio.to_thread(keep, spool, taken, name)
    except TimeoutError as error:
        raise SourceUnavailable(
            f"{shown(address)} took longer than {resources.fetch_seconds:g} s", address=shown(address)
        ) from error


def shown(address: str) -> str:
    """The address without user, query and fragment: what may stand in a log."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return "the address"
    return f"{url.scheme}://{url.host}{url.path}"


async def _follow(address: str, taken: Intake, resources: Resources) -> str:
    verify = (
        httpx.create_ssl_context()
        if resources.ca_file is None
        else ssl.create_default_context(cafile=str(resources.ca_file))
    )
    # no proxy and no .netrc of the environment: the connection must go to the address that was checked
    async with httpx.AsyncClient(verify=verify, trust_env=False, timeout=httpx.Timeout(30, connect=10)) as client:
        for _ in range(REDIRECTS + 1):
            moved = await _visit(client, address, taken, resources)
            if moved is None:
                return unquote(httpx.URL(address).path.rsplit("/", 1)[-1]) or shown(address)
            address = moved
    raise SourceUnavailable(f"more than {REDIRECTS} redirects", address=shown(address))


async def _visit(client: httpx.AsyncClient, address: str, taken: Intake, resources: Resources) -> str | None:
    """Fetches one address, or returns where it redirects to."""
    url = _checked(address)
    ip = await resolve(url.host, url.port or 443, allow_private=resources.allow_private_urls)
    request = client.build_request(
        "GET",
        url.copy_with(host=ip),
        headers={"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", "User-Agent": "pricemill"},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )
    started, code = monotonic(), "error"
    try:
        try:
            response = await client.send(request, stream=True)
            code = str(response.status_code)
        finally:
            log.debug("source.requested", service="http", code=code, seconds=round(monotonic() - started, 3))
        try:
            if response.status_code in _MOVED and "location" in response.headers:
                return str(url.join(response.headers["location"]))
            if response.status_code != 200:
                raise refusal(response.status_code, response.headers.get("retry-after"), shown(address))
            length = response.headers.get("content-length", "")
            if length.isdecimal() and int(length[:20]) > taken.limit:
                raise SourceTooLarge(f"{shown(address)} has {length} bytes; {taken.limit:,} are allowed")
            async for data in response.aiter_bytes():
                taken.write(data)
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError) as error:
        reason = str(error) or type(error).__name__
        raise SourceUnavailable(f"{shown(address)} did not answer well: {reason}", address=shown(address)) from error
    return None


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise SourceNotAllowed("the address is not valid") from error
    if url.scheme != "https" or not url.host or not 0 < (url.port or 443) < 65_536:
        raise SourceNotAllowed(f"{shown(address)}: only https is allowed", address=shown(address))
    if url.userinfo:
        raise SourceNotAllowed(f"{shown(address)}: an address may not carry a password", address=shown(address))
    return url


def refusal(status: int, retry_after: str | None, address: str) -> PricemillError:
    """What an answer other than 200 means."""
    wait = waiting_time(retry_after)
    if status == 429 or (status == 503 and wait is not None):
        return SourceThrottled(f"{address} asks us to come back later ({status})", retry_after=wait, address=address)
    if status in {401, 403, 407, 451}:
        return SourceForbidden(f"{address} refuses us ({status})", address=address, status=status)
    if status >= 500 or status in {408, 425} or status < 300:
        return SourceUnavailable(f"{address} answered {status}", address=address, status=status)
    return SourceMissing(f"{address} answered {status}", address=address, status=status)


def waiting_time(retry_after: str | None, now: datetime | None = None) -> timedelta | None:
    """Retry-After in both its forms, at most a day; None if it says nothing that can be read."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at - (now or datetime.now(UTC)), timedelta(0)), LONGEST_WAIT)
