"""Encoding and dialect are found from the bytes, with a reason, and what is configured wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import SourceUnreadable
from parsers.dialect import find_dialect
from parsers.encoding import read_text

TEXTS = {
    "cp1252": ["Nr;Name;Preis\n1;Müller Größe Straße;1,00\n2;Äpfel süß;2,00\n",
               "Réf;Désignation;Prix\n1;Carrelage grès émaillé crème;2,00\n2;Évier à bonde – 48 €;3,00\n",
               "Ref;Descripción;Precio\n1;Tornillo de aleación pequeño;2,00\n"],
    "cp1250": ["Artikl;Název;Cena\n1;Příliš žluťoučký kůň;12,50\n2;Podložka měděná;1,00\n",
               "Kod;Nazwa;Cena\n1;Śruba żelazna łączona;12,50\n2;Kołek drewniany mały;3,00\n"],
    "cp1251": ["Код;Название;Цена\n1;Болт стальной;12\n", "Код;Назва;Ціна\n1;Гвинт сталевий їжак;2\n"],
    "koi8-r": ["Код;Название;Цена\n1;Болт стальной;12\n2;Гайка медная;5\n"],
    "cp866": ["Код;Название;Цена\n1;Болт стальной;12\n2;Гайка медная;5\n"],
    "cp1253": ["Κωδικός;Όνομα;Τιμή\n1;Βίδα μεταλλική;2,00\n"],
    "cp1254": ["Kod;Ürün adı;Fiyat\n1;Çelik vida şapkalı ığ;2,00\n"],
    "cp932": ["商品番号,商品名,価格\n1,ステンレスねじ,120\n2,真鍮ワッシャー,30\n"],
    "gb18030": ["编号,名称,价格\n1,不锈钢螺丝钉,12.5\n2,黄铜垫圈,3\n"],
    "big5": ["編號,名稱,價格\n1,不鏽鋼螺絲,12.5\n2,黃銅墊圈,3\n"],
    "utf-8": ["Nr;Größe\n1;Болт 螺丝\n"],
}  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts])
def test_the_encoding_is_found_and_the_text_is_right(source: Path, encoding: str, text: str) -> None:
    source.write_bytes(text.encode(encoding))
    found = read_text(source)
    assert found.original == encoding
    assert found.path.read_bytes()[found.start :].decode(found.encoding) == text
    assert any("encoding" in note for note in found.notes)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-32-le", "utf-32-be"]
)
def test_wide_encodings_are_brought_into_utf8(source: Path, encoding: str) -> None:
    text = TEXTS["cp1251"][0] * 50
    mark = "\ufeff" if encoding.startswith("utf-32-") else ""
    source.write_bytes((mark + text).encode(encoding))
    found = read_text(source)
    assert found.encoding == "utf-8"
    assert found.path.read_bytes()[found.start :].decode() == text


def test_half_a_character_at_the_end_of_utf16_is_seen(source: Path) -> None:
    source.write_bytes("a;b\n1;ö\n".encode("utf-16") + b"x")
    found = read_text(source)
    with pytest.raises(UnicodeDecodeError):
        found.path.read_bytes().decode("utf-8")


def test_a_few_damaged_characters_do_not_make_utf8_something_else(source: Path) -> None:
    source.write_bytes(("1;Größe;ä\n" * 100).encode() + b"2;Gr\xf6\xdfe\n")
    assert read_text(source).original == "utf-8"


def test_the_configured_encoding_wins(source: Path) -> None:
    source.write_bytes("1;é\n".encode("cp1252"))
    assert read_text(source, "CP1251").original == "cp1251"
    assert read_text(source, "iso-8859-1").original == "latin-1"


@pytest.mark.parametrize("name", ["no-such-thing", "rot13", "utf-7", "base64", "idna"])
def test_an_unknown_encoding_is_refused_by_name(source: Path, name: str) -> None:
    source.write_bytes(b"1;a\n")
    with pytest.raises(SourceUnreadable, match=name):
        read_text(source, name)


def test_lone_carriage_returns_end_lines_only_where_there_are_no_line_feeds(source: Path) -> None:
    source.write_bytes(b"a;b\r1;2\r")
    assert read_text(source).newline == b"\r"
    source.write_bytes(b"a;b\r\n1;2\r\n")
    assert read_text(source).newline == b"\n"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", b","),
        ("Nr;Name;Preis\n1;Bolt, rot;3,50\n2;Nut, blau;4,50\n", b";"),
        ("Bolt;3,50\nNut;4,50\nScrew;5,50\n", b";"),
        ("a\tb, c\td\n1\t2, 3\t4\n", b"\t"),
        ("a|b|c\n1|2, 3|4\n", b"|"),
        ('"a;b";"c;d"\n"1;2";"3"\n', b";"),
        ("Price list; of 2024\n\n\nnr,name,price\n1,x,2.50\n2,y,3.50\n3,z,4.50\n", b","),
        ("sep=|\na,b|c,d\n", b"|"),
        ("one\ntwo\n", b","),
    ],
)
def test_the_delimiter_is_the_one_that_gives_even_rows(source: Path, text: str, delimiter: bytes) -> None:
    source.write_text(text, newline="")
    assert find_dialect(read_text(source)).dialect.delimiter == delimiter


def test_quotes_that_quote_nothing_are_characters(source: Path) -> None:
    source.write_text("".join(f'{n}\t"{n} inch\t{n}.50\n' for n in range(50)))
    assert find_dialect(read_text(source)).dialect.quote is None
    source.write_text("".join(f'{n}\t"{n} inch"\t{n}.50\n' for n in range(50)))
    assert find_dialect(read_text(source)).dialect.quote == b'"'


def test_the_configured_delimiter_wins_and_must_be_one_character_of_ascii(source: Path) -> None:
    source.write_text("a,b~c\n")
    text = read_text(source)
    assert find_dialect(text, "~").dialect.delimiter == b"~"
    with pytest.raises(SourceUnreadable, match="§"):
        find_dialect(text, "§")
    with pytest.raises(SourceUnreadable):
        find_dialect(text, '"')
