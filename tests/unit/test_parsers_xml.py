"""How XML may not be used: no document types, limits on everything, piece by piece."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from parsers.extract import DocumentUnreadable
from parsers.xml_safe import MAX_DEPTH, MAX_ELEMENTS, MAX_PENDING, MAX_TEXT, pieces


def elements(data: bytes) -> Iterator[Any]:
    return pieces(lambda: io.BytesIO(data), containers={"container"})


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "https://example.com/x.dtd"> %x;]>',
        '<!DOCTYPE a SYSTEM "https://example.com/a.dtd">',
        '<!DOCTYPE a PUBLIC "-//A//B" "a.dtd">',
        "<!DOCTYPE a>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_whatever_it_declares(declaration, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>{declaration}<a><b>&x;</b></a>'
    with pytest.raises(DocumentUnreadable, match="DOCTYPE"):
        list(elements(text.encode(encoding)))


def test_an_entity_that_nobody_declared_is_an_error_and_character_references_are_text():
    with pytest.raises(DocumentUnreadable, match="undefined entity"):
        list(elements(b"<a><b>&x;</b></a>"))
    [_, piece] = elements(b"<a><b>&#x20AC; &amp; &lt;</b></a>")
    assert piece.text == "€ & <"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<a>" * (MAX_DEPTH + 1), "nested"),
        (b"<a><b>" + b"<c/>" * (MAX_ELEMENTS + 1), "elements"),
        (b"<a><b>" + b"x" * (MAX_TEXT + 1_000_000), "characters"),
        (b'<a b="' + b"x" * (2 * MAX_PENDING), "tag"),
        (b"<a><" + b"x" * (2 * MAX_PENDING), "tag"),
        (b"<a>" + b"<!--" + b"x" * (3 * MAX_PENDING), "tag|well-formed"),
    ],
    ids=["deep", "wide", "text", "attribute", "name", "comment"],
)
def test_limits_hold_for_depth_width_text_and_tags(data, words):
    with pytest.raises(DocumentUnreadable, match=words):
        list(elements(data))


def test_pieces_come_one_by_one_and_containers_are_entered():
    found = list(elements(b"<a><b><c>1</c></b><container><b>2</b><b>3</b></container></a>"))
    assert [(piece.name, piece.value("c") or piece.text) for piece in found] == [
        ("a", ""),
        ("b", "1"),
        ("b", "2"),
        ("b", "3"),
    ]


def test_a_piece_is_handed_out_before_the_document_ends():
    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.blocks = 0

        def read(self, size: int = -1) -> bytes:
            self.blocks += 1
            return b"<a>" + b"<b>1</b>" * 5_000 if self.blocks == 1 else b"<b>1</b>" * 5_000

    file = Endless()
    stream = pieces(lambda: file)
    assert [next(stream).name for _ in range(12_000)][-1] == "b"
    assert file.blocks < 5
