"""What the command line makes of files: recognised, handed in, made up for the demo."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cli.demo_lists import MANY, DemoList, german, write
from cli.enqueue import _messages
from cli.hand_in import hand_in, of_address, recognise
from cli.order import Wishes, make_task
from cli.problems import Usage
from contracts.errors import SourceMissing, SourceUnreadable


@pytest.mark.parametrize(
    ("name", "content", "parser"),
    [
        ("a.csv", b"sku,price\n1,2\n", "csv"),
        ("a.txt", "Art.-Nr.;Preis\n".encode("cp1252"), "csv"),
        ("a.xlsx", b"PK\x03\x04 rest", "excel"),
        ("a.csv", b"PK\x03\x04 rest", "excel"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest", "excel"),
        ("a.xls", b"sku;price\n1;2\n", "csv"),
        ("a.jsonl", b'{"sku": "1"}\n', "json_lines"),
        ("a.json", b'\xef\xbb\xbf {"sku": "1"}\n', "json_lines"),
        ("a.csv", "sku;price\n".encode("utf-16"), "csv"),
        ("a.csv", b'\xef\xbb\xbf<?xml version="1.0"?><Invoice/>', "e_invoice"),
        ("a.txt", b'<Invoice xmlns="urn:x">', "e_invoice"),
        ("a.xml", '<?xml version="1.0"?><Invoice/>'.encode("utf-16"), "e_invoice"),
        ("a.pdf", b"%PDF-1.7 << /Type /EmbeddedFile >>", "e_invoice"),
        ("a.xls", b"\n<!DOCTYPE html><p>", "html"),
        ("a.csv", b"<html><table>", "html"),
    ],
)
def test_a_file_is_recognised_by_its_bytes(tmp_path: Path, name: str, content: bytes, parser: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert recognise(path) == parser


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"\x1f\x8b\x08", b"\x7fELF\x02\x01\x01\x00abcdefghijklmnop"])
def test_what_no_parser_reads_is_refused_before_it_is_copied(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(SourceUnreadable):
        hand_in(path, tmp_path / "inbox")
    assert not (tmp_path / "inbox").exists()


@pytest.mark.parametrize("name", ["nothing.csv", "."])
def test_what_is_no_file_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceMissing):
        recognise(tmp_path / name)


def test_a_file_is_copied_once_under_its_own_hash(tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(b"sku,price\n1,2\n3,4\n")
    first, again = (hand_in(path, tmp_path / "inbox") for _ in range(2))
    assert first == again
    assert first.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (first.size, first.lines) == (path.stat().st_size, 3)
    copy = tmp_path / "inbox" / first.sha256 / "liste.csv"
    assert first.location == {"file_path": str(copy)}
    assert copy.read_bytes() == path.read_bytes()
    assert [kept.name for kept in (tmp_path / "inbox").iterdir()] == [first.sha256]


def test_a_file_under_a_source_root_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "roots" / "liste.csv"
    path.parent.mkdir()
    path.write_bytes(b"sku,price\n")
    handed = hand_in(path, tmp_path / "inbox", (tmp_path / "roots",))
    assert handed.location == {"file_path": str(path.resolve())}
    assert not (tmp_path / "inbox").exists()


@pytest.mark.parametrize(
    ("address", "parser", "member"),
    [
        ("https://example.com/a/liste.xlsx?x=1", "excel", "url"),
        ("https://example.com/feed", "csv", "url"),
        ("https://example.com/a.ndjson", "json_lines", "url"),
        ("https://docs.google.com/spreadsheets/d/abc/edit#gid=0", "google_sheets", "sheet_url"),
    ],
)
def test_an_address_names_its_parser(address: str, parser: str, member: str) -> None:
    handed = of_address(address)
    assert (handed.parser_type, list(handed.location)) == (parser, [member])


def test_only_https_is_fetched() -> None:
    with pytest.raises(SourceUnreadable):
        of_address("http://example.com/a.csv")


def csv_task(tmp_path: Path, **wishes: object) -> dict[str, object]:
    path = tmp_path / "a.csv"
    path.write_bytes(b"sku,price\n")
    handed = hand_in(path, tmp_path / "inbox")
    return make_task(handed, Wishes("Acme", **wishes)).document()


def test_options_become_members_of_the_task(tmp_path: Path) -> None:
    task = csv_task(
        tmp_path,
        mapping=("sku=Art.-Nr.", "sku=Farbe", "price=3", "name=B"),
        currency="EUR",
        decimal=",",
        as_of="2026-11-02",
        priority="high",
        key="k",
    )
    assert task["source_config"]["column_mapping"] == {"sku": ["Art.-Nr.", "Farbe"], "price": 3, "name": "B"}
    assert task["options"] == {"currency": "EUR", "decimal": ","}
    assert (task["as_of"], task["priority"], task["idempotency_key"]) == ("2026-11-02T00:00:00Z", "high", "k")


@pytest.mark.parametrize(
    "wishes",
    [
        {"mapping": ("price",)},
        {"mapping": ("colour=A",)},
        {"sheet": "Preise"},
        {"currency": "euro"},
        {"decimal": "x"},
        {"as_of": "tomorrow"},
        {"priority": "urgent"},
    ],
)
def test_an_option_that_cannot_be_used_is_wrong_usage(tmp_path: Path, wishes: dict[str, object]) -> None:
    with pytest.raises(Usage):
        csv_task(tmp_path, **wishes)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (b'{"a": 1}', [1]),
        (b'{"a": 1}\n\n{"a": 2}\n', [1, 3]),
        (b'{\n "a": 1\n}\n', [1]),
        (b'[{"a": 1},\n {"a": 2}]', [1, 2]),
        (b'nonsense\n{"a": 2}\n', [1, 2]),
        (b'{"a": 1}\nnonsense\n', [1, 2]),
        (b"\n\n", []),
    ],
)
def test_messages_are_one_document_or_one_a_line(tmp_path: Path, text: bytes, numbers: list[int]) -> None:
    path = tmp_path / "tasks"
    path.write_bytes(text)
    with path.open("rb") as stream:
        assert [number for number, _ in _messages(stream)] == numbers


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoList, ...]:
    return write(tmp_path_factory.mktemp("lists"))


def test_the_demo_lists_are_the_same_bytes_every_time(lists: tuple[DemoList, ...], tmp_path: Path) -> None:
    again = write(tmp_path)
    assert [one.path.read_bytes() for one in lists] == [one.path.read_bytes() for one in again]
    assert [recognise(one.path) for one in lists] == [one.parser_type for one in lists]


def test_the_second_version_changes_a_tenth_of_the_prices(lists: tuple[DemoList, ...]) -> None:
    before, after = (one.path.read_text(encoding="utf-8").splitlines() for one in lists[2:4])
    assert len(before) == len(after) == MANY + 1
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    assert 0.09 * MANY < changed < 0.11 * MANY


def test_the_german_list_adds_up_to_its_total_line() -> None:
    rows = [row.split(";") for row in german().decode("cp1252").splitlines()]
    assert rows[-1][1] == "Summe"
    assert len({len(row) for row in rows}) == 1
