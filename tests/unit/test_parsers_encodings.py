"""The encoding of a list is right, or said to be uncertain; damage is noticed, wherever it was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from parsers.encoding import Text, read_text
from tests.unit.language_lists import ENCODINGS, LISTS, UNICODE, price_list

ROWS = (1, 2, 5, 300)
SHORT = 5
"""From this many rows on there is evidence enough: the encoding must be right, not only said to be uncertain."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


def decoded(found: Text) -> str:
    return found.path.read_bytes()[found.start :].decode(found.encoding)


@pytest.mark.parametrize(
    ("language", "encoding"), [(language, name) for language, names in ENCODINGS.items() for name in names]
)
def test_a_list_is_decoded_right_or_said_to_be_uncertain(source: Path, language: str, encoding: str) -> None:
    for rows in ROWS:
        text = price_list(language, rows)
        source.write_bytes(text.encode(encoding))
        found = read_text(source)
        unsure = any("not certain" in note for note in found.notes)
        assert decoded(found) == text or (unsure and rows < SHORT), (rows, found.original, found.notes)


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("language", LISTS)
def test_every_form_of_unicode_is_recognised_with_and_without_its_mark(
    source: Path, language: str, encoding: str
) -> None:
    for rows in ROWS:
        text = price_list(language, rows)
        source.write_bytes(text.encode(encoding))
        assert decoded(read_text(source)) == text, rows


def test_two_readings_that_are_as_likely_are_both_shown(source: Path) -> None:
    source.write_bytes("A1;Steel, f\x9fr;2\n".encode("latin-1"))
    notes = " ".join(read_text(source).notes)
    assert "not certain" in notes
    assert "would read" in notes


def test_a_row_in_another_encoding_does_not_change_how_the_others_are_read(source: Path) -> None:
    lines = [line.encode() for line in price_list("German", 20).splitlines()]
    lines += [line.encode("cp1252") for line in price_list("German", 20).splitlines()[1:]]
    source.write_bytes(b"\n".join(lines) + b"\n")
    found = read_text(source)
    assert found.original == "utf-8"
    assert any("lines looked at are not UTF-8" in note and "cp1252" in note for note in found.notes)


def test_a_few_stray_characters_in_a_long_list_cost_no_row_but_are_told_of(source: Path) -> None:
    lines = [f"A{number};Steel bolt;2.00".encode() for number in range(2_000)]
    lines += ["B1;Bücher;2.00".encode(), b"B2;\xcf\xbf\xbd\xcf\xbf\xbd;2.00"]
    source.write_bytes(b"\n".join(lines))
    found = read_text(source)
    decoded(found)
    assert any("“Bücher” is read as “BÃ¼cher”" in note for note in found.notes)


def test_text_that_was_encoded_twice_is_noticed_with_an_example(source: Path) -> None:
    twice = "Müller".encode().decode("cp1252")
    source.write_text(f"A1;{twice} Größe;2\nA2;{twice};3\n", encoding="utf-8")
    assert any(
        note.startswith("2 characters were encoded twice") and "Müller" in note for note in read_text(source).notes
    )


def test_proper_text_is_not_taken_for_damaged_text(source: Path) -> None:
    for language in LISTS:
        source.write_text(price_list(language, 300), encoding="utf-8")
        assert len(read_text(source).notes) == 1, language
    source.write_text("A;AÇÃO, PÃES, MÃE\nB;SÃO JOÃO, Â, 5°\nC;Ñandú ÐÑ\n", encoding="utf-8")
    assert len(read_text(source).notes) == 1


def test_characters_that_were_lost_before_are_counted(source: Path) -> None:
    source.write_text("A1;Gr\ufffd\ufffde;2\n", encoding="utf-8")
    assert any(note.startswith("2 characters were lost") for note in read_text(source).notes)


def test_cyrillic_that_was_read_as_western_is_noticed(source: Path) -> None:
    wrong = price_list("Russian", 10).encode("cp1251").decode("latin-1")
    source.write_text(wrong, encoding="utf-8")
    assert any("Windows-1251" in note for note in read_text(source).notes)


@pytest.mark.parametrize(
    ("written", "configured", "told"),
    [
        ("cp1252", "utf-8", "the file fits cp1252"),
        ("utf-8", "cp1252", "every byte of the file fits UTF-8"),
        ("koi8-r", "cp1251", "the bytes fit koi8-r better"),
        ("utf-16", "cp1252", "begins with the mark of utf-16-le"),
        ("utf-8-sig", "cp1251", "begins with the mark of utf-8"),
    ],
)
def test_bytes_that_contradict_the_configured_encoding_are_told_of(
    source: Path, written: str, configured: str, told: str
) -> None:
    source.write_bytes(price_list("Russian" if "koi8" in written else "German", 20).encode(written))
    found = read_text(source, configured)
    assert any(told in note for note in found.notes), found.notes


@pytest.mark.parametrize("written", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_configured_encoding_that_fits_is_used_without_a_word(source: Path, written: str) -> None:
    text = price_list("German", 20)
    source.write_bytes(text.encode(written))
    found = read_text(source, written)
    assert decoded(found) == text
    assert len(found.notes) == 1


@pytest.mark.parametrize("name", ["cp037", "cp500", "iso2022_jp", "hz", "johab", "shift_jis_2004"])
def test_encodings_in_which_ascii_bytes_are_no_ascii_are_transcoded_before_they_are_cut(
    source: Path, name: str
) -> None:
    text = "A1;Bolt;2\nA2;Nut;3\n" + ("" if name.startswith("cp") or name == "johab" else "A3;水;4\n")
    source.write_bytes(text.encode(name))
    found = read_text(source, name)
    assert (found.encoding, found.original) == ("utf-8", name)
    assert decoded(found) == text


def test_what_cannot_be_transcoded_breaks_its_row_only(source: Path) -> None:
    source.write_bytes("1,螺\n".encode("cp932") + b"2,\x85\x0a" + "3,品\n".encode("cp932"))
    found = read_text(source, "cp932")
    lines = found.path.read_bytes().split(b"\n")
    assert lines[0].decode() == "1,螺"
    with pytest.raises(UnicodeDecodeError):
        lines[1].decode()
    assert lines[-2].decode() == "3,品"
