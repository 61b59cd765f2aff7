"""A local server that answers as the Google Sheets API does, from recordings or as a test wants."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from contracts.parser import Source
from contracts.rows import Row
from contracts.task import ParseTask
from parsers.google_sheets import GoogleSheetsParser
from parsers.resources import Resources

DATA = Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
CASSETTES = DATA / "sheets" / "gspread"
recorded = pytest.mark.skipif(not CASSETTES.exists(), reason="the recordings are not beside the checkout")
EMAIL = "worker@project.iam.gserviceaccount.com"
QUOTA = {
    "error": {
        "code": 429,
        "message": "Quota exceeded for quota metric 'Read requests'",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}],
    }
}
Answer = tuple[int, bytes, dict[str, str]]


class Google(ThreadingHTTPServer):
    """Answers by (path, value render option); whatever is not known is 404 as the API writes it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.metadata: dict[str, Answer] = {}
        self.values: dict[tuple[str, str, str], Answer] = {}
        self.token: Answer = (
            200,
            json.dumps({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}).encode(),
            {},
        )
        self.asked: list[str] = []
        self.accepts = "t"
        self.version: int | None = None
        """Of every file, as Google Drive tells it; None = Drive knows no file."""
        self.resets = 0
        """So many reads of values end with a connection that is cut."""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def play(self, cassette: str) -> str:
        """Loads the last metadata and whole-tab reads of a recording; returns the id of the spreadsheet."""
        interactions = json.loads((CASSETTES / f"{cassette}.json").read_text(encoding="utf-8"))["interactions"]
        key = ""
        for interaction in interactions:
            address = urlsplit(interaction["request"]["uri"])
            if interaction["request"]["method"] != "GET" or address.netloc != "sheets.googleapis.com":
                continue
            key, _, rest = address.path.removeprefix("/v4/spreadsheets/").partition("/")
            answer = (interaction["response"]["status"]["code"], interaction["response"]["body"]["string"].encode(), {})
            if not rest:
                self.metadata[key] = answer
            elif rest.startswith("values/") and "!" not in (wanted := unquote(rest.removeprefix("values/"))):
                option = parse_qs(address.query).get("valueRenderOption", ["FORMATTED_VALUE"])[0]
                whole = json.dumps({"spreadsheetId": key, "valueRanges": [json.loads(answer[1])]}).encode()
                self.values[key, wanted, option] = (answer[0], whole, {})
        return key

    def sheet(self, shown: Any, stored: Any, *tabs: dict[str, Any], title: str = "List", **more: Any) -> None:
        """A spreadsheet "key" with tabs; the values are those of each of its tabs."""
        found = tabs or ({"title": "Sheet1", "sheetId": 0},)
        sheets = [{"properties": tab, **more} for tab in found]
        document = {"properties": {"title": title, "locale": "de_DE"}, "sheets": sheets}
        self.metadata["key"] = (200, json.dumps(document).encode(), {})
        for tab in found:
            for option, values in (("FORMATTED_VALUE", shown), ("UNFORMATTED_VALUE", stored)):
                one = {"range": "x", "majorDimension": "ROWS"} | ({} if values is None else {"values": values})
                name = "'" + tab["title"].replace("'", "''") + "'"
                self.values["key", name, option] = (200, json.dumps({"valueRanges": [one]}).encode(), {})


class _Handler(BaseHTTPRequestHandler):
    server: Google

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, answer: Answer) -> None:
        status, body, headers = answer
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append("token")
        self._answer(self.server.token)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        key, _, rest = address.path.removeprefix("/v4/spreadsheets/").partition("/")
        missing: Answer = (404, b'{"error": {"code": 404, "message": "Requested entity was not found."}}', {})
        assert self.headers["Authorization"] == f"Bearer {self.server.accepts}"
        if address.path.startswith("/drive/v3/files/"):
            self.server.asked.append("revision")
            told = {"version": str(self.server.version), "modifiedTime": "2026-11-21T10:00:00.000Z"}
            self._answer(missing if self.server.version is None else (200, json.dumps(told).encode(), {}))
            return
        if not rest:
            self.server.asked.append("metadata")
            self._answer(self.server.metadata.get(key, missing))
            return
        query = parse_qs(address.query)
        option = query["valueRenderOption"][0]
        self.server.asked.append(option)
        if self.server.resets:
            self.server.resets -= 1
            # no lingering: the client sees a reset, not an end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        # a recording holds one way to read a tab; numbers then stand as text in both
        found = [
            self.server.values.get((key, tab, option)) or self.server.values.get((key, tab, "FORMATTED_VALUE"), missing)
            for tab in query["ranges"]
        ]
        other = next((answer for answer in found if answer[0] != 200), None)
        ranges = [] if other else [part for _, body, _ in found for part in json.loads(body)["valueRanges"]]
        self._answer(other or (200, json.dumps({"valueRanges": ranges}).encode(), {}))


@pytest.fixture
def google() -> Iterator[Google]:
    server = Google()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def resources(google: Google, private_key: str, tmp_path: Path) -> Resources:
    account = {
        "type": "service_account",
        "client_email": EMAIL,
        "token_uri": f"{google.base}/token",
        "private_key": private_key,
        "private_key_id": "1",
    }
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "google-sheets.json").write_text(json.dumps(account))
    return Resources(
        credentials_dir=tmp_path / "credentials", google_sheets_api=google.base, google_drive_api=google.base
    )


def task(key: str = "key", **config: Any) -> ParseTask:
    address = f"https://docs.google.com/spreadsheets/d/{key}/edit{config.pop('fragment', '')}"
    return ParseTask(parser_type="google_sheets", supplier_name="ACME", source_config={"sheet_url": address, **config})


def read(resources: Resources, spool: Path, wanted: ParseTask) -> tuple[Source, str | None, list[Row]]:
    async def work() -> tuple[Source, str | None, list[Row]]:
        parser = GoogleSheetsParser(resources)
        source = await parser.fetch(wanted, spool)
        reading = await parser.open(source, parser.config.model_validate(wanted.source_config))
        rows = [row async for chunk in reading.chunks() for row in chunk.rows()]
        return source, reading.description.sheet, rows

    return asyncio.run(asyncio.wait_for(work(), 60))
