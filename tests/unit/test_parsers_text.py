"""Encoding and dialect are found from the bytes, with a reason, and what is configured wins."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from contracts.errors import SourceUnreadable
from contracts.parser import Source
from contracts.rows import BrokenRow, Row
from parsers.delimited import open_delimited
from parsers.dialect import find_dialect
from parsers.encoding import read_text

SAMPLES = Path(os.environ.get("PRICEMILL_SAMPLE_DATA") or Path(__file__).parents[3] / "shared" / "data")
POLLOCK = SAMPLES / "torture" / "pollock"

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


def read(path: Path) -> list[Row]:
    reading = open_delimited(Source(path, "0" * 64, path.stat().st_size, path.name))

    async def rows() -> list[Row]:
        return [row async for chunk in reading.chunks() for row in chunk.rows()]

    return asyncio.run(rows())


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
        ("a^b^c\n1^2, 3^4\n", b"^"),
        ("nr;text\n1;a, b, c\n2;d, e, f\n3;g, h, i\n", b";"),
        ("'1','a;b'\n'2','c;d'\n'3','e;f'\n", b","),
        ("nr,price\n" + "".join(f'{n},"{n},50"\n' for n in range(9)), b","),
        ("".join(f"A{n} ~ {n}\n" for n in range(9)), b","),
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1,"3/4\\" pipe, long",2\n2,"5\\" pipe",3\n', [["1", '3/4" pipe, long', "2"], ["2", '5" pipe', "3"]]),
        ('1, "Bolt, long", 2\n2, "Nut", 3\n', [["1", "Bolt, long", " 2"], ["2", "Nut", " 3"]]),
        ("1,'Bolt, long',2\n2,'Nut',3\n", [["1", "Bolt, long", "2"], ["2", "Nut", "3"]]),
        ('1,"C:\\dir\\",2\n2,"D:\\",3\n', [["1", "C:\\dir\\", "2"], ["2", "D:\\", "3"]]),
        ("1,'Best' pipe,2\n2,5' pipe,3\n", [["1", "'Best' pipe", "2"], ["2", "5' pipe", "3"]]),
        ('1,"a ""b"" c",2\n2,"",3\n', [["1", 'a "b" c', "2"], ["2", "", "3"]]),
    ],
)
def test_cells_are_quoted_in_several_ways(source: Path, text: str, expected: list[list[str]]) -> None:
    source.write_text(text, newline="")
    assert read(source) == expected


def test_one_row_that_is_spoiled_does_not_turn_quoting_off(source: Path) -> None:
    lines = [f'"{n}","Bolt, {n} mm","{n}.50"' for n in range(12)]
    source.write_text("\n".join([*lines[:6], '"6""Nut","6.50"', *lines[6:]]))
    assert find_dialect(read_text(source)).dialect.quote == b'"'


@pytest.mark.parametrize(
    "line",
    ["K2;Nut;6.00", "K2;Nut, long;6.00", "K2|Nut|6.00", "K2\tNut\t6.00"],
)
def test_a_row_in_another_dialect_is_broken_and_no_title(source: Path, line: str) -> None:
    own = "," if "," not in line else "|"
    source.write_text("\n".join([f"K{n}{own}Bolt{own}{n}.50" for n in range(9)] + [line]))
    assert isinstance(read(source)[-1], BrokenRow)


def test_prose_with_separators_is_no_row(source: Path) -> None:
    notes = ["All prices in euro; without tax; ex works", "Call us|write to us|visit us"]
    source.write_text("\n".join([f"K{n},Bolt,{n}.50" for n in range(9)] + notes))
    assert [list(row) for row in read(source)[-2:]] == [[note] for note in notes]


@pytest.mark.parametrize(
    "text",
    [
        'K1,"Bolt 3,5.00\nK2,Nut",6.00\n',
        'K1,"Bolt 3,5.00\nK2,"Nut",6.00\n',
        'K1,"Bolt\nK2,Nut 3",6.00\n',
        '"K1,Bolt,5.00\nK2",Nut,6.00\n',
    ],
)
def test_two_rows_of_which_one_lost_a_quote_never_make_one_with_the_price_of_the_other(source: Path, text: str) -> None:
    good = "".join(f'K{n},"Bolt, {n} mm",{n}.50\n' for n in range(10, 30))
    source.write_text(good + text + good)
    for row in read(source):
        assert isinstance(row, BrokenRow) or len(row) != 3 or [row[0], row[2]] != ["K1", "6.00"]
        assert isinstance(row, BrokenRow) or "\n" not in "".join(map(str, row))


def test_text_on_several_lines_is_one_cell(source: Path) -> None:
    source.write_text('K1,"Bolt, zinc\nlength: 5, 6 or 7 mm\n",5.00,new\nK2,Nut,6.00,new\n')
    assert read(source)[0] == ["K1", "Bolt, zinc\nlength: 5, 6 or 7 mm\n", "5.00", "new"]


@pytest.mark.skipif(not POLLOCK.is_dir(), reason="no sample data")
def test_the_dialects_of_the_pollution_benchmark_are_found(source: Path) -> None:
    """All but a list whose words are separated by blanks as its cells are, and an empty one."""
    wrong = []
    for stated in sorted((POLLOCK / "parameters").iterdir()):
        name = stated.name.removesuffix("_parameters.json")
        truth = json.loads(stated.read_text())
        source.write_bytes((POLLOCK / "csv" / name).read_bytes())
        found = find_dialect(read_text(source)).dialect
        right = (
            found.delimiter.decode() == truth["delimiter"].strip(" ")
            and (found.quote or b"").decode() == truth["quotechar"]
            and found.padded == (len(truth["delimiter"]) > 1)
            and (found.escape == b"\\") == (truth["escapechar"] == "\\")
            and found.newline.decode() == truth["row_delimiter"][-1:]
        )
        if not right and truth["delimiter"].strip(" "):
            wrong.append((name, found))
    assert not wrong


@pytest.mark.parametrize("mark", ['="{}"', '"=""{}"""'])
def test_what_a_spreadsheet_marks_as_text_is_the_text(source: Path, mark: str) -> None:
    codes = [f"{number:05}" for number in range(1034, 1054)]
    source.write_text("Code,Name,Price\n" + "".join(f"{mark.format(code)},Pipe,{code[3:]}.50\n" for code in codes))
    assert [row[0] for row in read(source)[1:]] == codes


def test_only_the_whole_idiom_is_taken_off(source: Path) -> None:
    texts = ['=""', '="a"b"', 'x="1"', "=A1", '="1"&"2"']
    source.write_text("Code;Name;Price\n" + "".join(f"K{place};{text};5.00\n" for place, text in enumerate(texts)))
    assert [row[1] for row in read(source)[1:]] == ["", *texts[1:]]


def test_an_apostrophe_before_all_codes_is_no_part_of_them(source: Path) -> None:
    lines = [f"'{number:05},Size 5' 3,'{number % 7}.50\n" for number in range(1034, 1054)]
    source.write_text("Code,Name,Price\n" + "".join(lines))
    rows = read(source)[1:]
    assert [row[0] for row in rows] == [f"{number:05}" for number in range(1034, 1054)]
    assert {row[1] for row in rows} == {"Size 5' 3"}


def test_an_apostrophe_before_some_codes_tells_them_from_others(source: Path) -> None:
    lines = [f"{chr(39) * (number % 2)}{number},Pipe,5.00\n" for number in range(100, 120)]
    source.write_text("Code,Name,Price\n" + "".join(lines))
    assert [row[0] for row in read(source)[1:3]] == ["100", "'101"]
