"""Downloads against a real https server: limits, redirects, refusals, certificates."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
from contracts.task import CsvSource, ParseTask
from parsers.delimited import DelimitedParser
from parsers.download import download
from parsers.resources import Resources

LIST = b"sku;price\n" + b"".join(b"A%d;%d,50\n" % (number, number) for number in range(5_000))


class Handler(BaseHTTPRequestHandler):
    """Answers by path; counts what it was asked."""

    seen: ClassVar[list[tuple[str, str]]] = []

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.seen.append((path, self.headers["Host"]))
        here = f"https://localhost:{self.server.server_address[1]}"
        if path == "/list.csv":
            self.answer(200, LIST)
        elif path == "/moved":
            self.answer(302, Location="/list.csv")
        elif path == "/moved-far":
            self.answer(307, Location=f"{here}/list.csv")
        elif path == "/loop":
            self.answer(302, Location="/loop")
        elif path == "/to-http":
            self.answer(302, Location="http://localhost/list.csv")
        elif path == "/to-file":
            self.answer(302, Location="file:///etc/hostname")
        elif path == "/short":
            self.answer(200, LIST[:100], Content_Length=str(len(LIST)))
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(100_000):
                    self.wfile.write(b"x" * 10_000)
            except OSError:
                return
        elif path == "/slow":
            time.sleep(1.5)
            self.answer(200, b"late")
        elif path.startswith("/status/"):
            _, _, status, *wait = path.split("/")
            self.answer(int(status), b"no", **({"Retry_After": wait[0]} if wait else {}))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of localhost, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_: None  # clients that hang up are meant here
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def resources(certificate: Path) -> Resources:
    return Resources(allow_private_urls=True, ca_file=certificate, fetch_seconds=30)


def fetch(address: str, spool: Path, resources: Resources) -> Source:
    return asyncio.run(download(address, spool, resources))


@pytest.mark.parametrize("path", ["/list.csv", "/moved", "/moved-far", "/list.csv?token=secret#x"])
def test_a_list_is_fetched_over_redirects(server: str, resources: Resources, tmp_path: Path, path: str) -> None:
    source = fetch(server + path, tmp_path, resources)
    assert source.path.read_bytes() == LIST
    assert source.sha256 == hashlib.sha256(LIST).hexdigest()
    assert source.name == "list.csv"


def test_the_server_is_asked_by_its_name_though_an_address_is_connected_to(
    server: str, resources: Resources, tmp_path: Path
) -> None:
    fetch(f"{server}/list.csv", tmp_path, resources)
    assert Handler.seen[-1][1] == server.removeprefix("https://")
    with pytest.raises(ValueError, match="localhost"):
        ip_address(Handler.seen[-1][1].partition(":")[0])


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/status/404", SourceMissing),
        ("/status/410", SourceMissing),
        ("/status/401", SourceForbidden),
        ("/status/403", SourceForbidden),
        ("/status/500", SourceUnavailable),
        ("/status/503", SourceUnavailable),
        ("/status/503/30", SourceThrottled),
        ("/status/429", SourceThrottled),
        ("/loop", SourceUnavailable),
        ("/short", SourceUnavailable),
        ("/to-http", SourceNotAllowed),
        ("/to-file", SourceNotAllowed),
    ],
)
def test_what_goes_wrong_has_its_name(
    server: str, resources: Resources, tmp_path: Path, path: str, error: type[PricemillError]
) -> None:
    with pytest.raises(PricemillError) as caught:
        fetch(server + path, tmp_path, resources)
    assert type(caught.value) is error
    assert caught.value.retry_after == (dt.timedelta(seconds=30) if path.endswith("/30") else None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/list.csv", "/endless"])
def test_a_source_above_the_limit_is_given_up(server: str, resources: Resources, tmp_path: Path, path: str) -> None:
    small = Resources(allow_private_urls=True, ca_file=resources.ca_file, max_source_bytes=20_000)
    with pytest.raises(SourceTooLarge, match="20,000"):
        fetch(server + path, tmp_path, small)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_too_slow_is_unavailable(server: str, resources: Resources, tmp_path: Path) -> None:
    hasty = Resources(allow_private_urls=True, ca_file=resources.ca_file, fetch_seconds=0.3)
    with pytest.raises(SourceUnavailable, match="longer"):
        fetch(f"{server}/slow", tmp_path, hasty)


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"(?i)certificate"):
        fetch(f"{server}/list.csv", tmp_path, Resources(allow_private_urls=True))


def test_a_certificate_of_another_name_is_not_accepted(server: str, resources: Resources, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"(?i)certificate"):
        fetch(server.replace("localhost", "127.0.0.1") + "/list.csv", tmp_path, resources)


def test_a_closed_port_is_unavailable(resources: Resources, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable):
        fetch("https://localhost:1/list.csv", tmp_path, resources)


def test_private_addresses_are_refused_and_never_connected_to(server: str, certificate: Path, tmp_path: Path) -> None:
    asked = len(Handler.seen)
    with pytest.raises(SourceNotAllowed):
        fetch(f"{server}/list.csv", tmp_path, Resources(ca_file=certificate))
    assert len(Handler.seen) == asked


def test_a_task_with_an_address_is_fetched_once(server: str, resources: Resources, tmp_path: Path) -> None:
    parser = DelimitedParser(resources)
    config = {"url": f"{server}/list.csv"}
    task = ParseTask(parser_type="csv", supplier_name="ACME", source_config=config)

    async def work() -> tuple[Source, Source, int]:
        first = await parser.fetch(task, tmp_path)
        asked = len(Handler.seen)
        again = await parser.fetch(task, tmp_path)
        assert len(Handler.seen) == asked
        reading = await parser.open(again, CsvSource.model_validate(config))
        return first, again, sum([len(chunk) async for chunk in reading.chunks()])

    first, again, rows = asyncio.run(work())
    assert first == again
    assert rows == LIST.count(b"\n")
