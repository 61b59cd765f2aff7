"""Records are cut from bytes exactly as the csv module would, and where it gives up, as documented."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.rows import BrokenRow, Row
from parsers.cells import decoder
from parsers.cutting import MAX_LINES, MAX_RECORD, cut
from parsers.quoting import Dialect

COMMA = Dialect(b",")


def records(data: bytes, dialect: Dialect = COMMA, *, offset: int = 0) -> list[bytes]:
    return [record for block in cut(io.BytesIO(data), offset=offset, dialect=dialect) for record in block.records]


def rows(data: bytes, dialect: Dialect = COMMA, encoding: str = "utf-8") -> list[Row]:
    return decoder(dialect, encoding)([record.removesuffix(b"\r") for record in records(data, dialect)])


@given(st.lists(st.lists(st.text(alphabet='ab,"\n ä', max_size=6), min_size=1, max_size=4), max_size=8))
def test_what_the_csv_module_writes_is_read_back(table: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    assert [list(row) for row in rows(out.getvalue().encode())] == table


@given(st.text(alphabet='",;ab \n', max_size=30))
def test_any_text_without_open_quotes_is_read_as_the_csv_module_reads_it(text: str) -> None:
    expected = [row or [""] for row in csv.reader(io.StringIO(text, newline=""))]
    found = rows(text.encode())
    if not any(isinstance(row, BrokenRow) for row in found):
        assert [list(row) for row in found] == expected


@given(st.binary(max_size=60), st.sampled_from([b"\n", b"\r"]))
def test_no_byte_is_lost_or_doubled(data: bytes, newline: bytes) -> None:
    found = newline.join(records(data, Dialect(b",", b'"', newline)))
    assert found == data.removesuffix(newline)


@given(st.text(alphabet='",ab\n', min_size=1, max_size=40))
def test_cutting_can_begin_behind_any_record(text: str) -> None:
    data = text.encode()
    whole = records(data)
    offset = 0
    for place, record in enumerate(whole):
        assert records(data, offset=offset) == whole[place:]
        offset += len(record) + 1


def test_the_end_of_a_block_is_the_offset_of_what_follows() -> None:
    data = b"".join(b'%d,"a\nb"\r\n' % number for number in range(200_000))
    ends = [0]
    cut_records = []
    for block in cut(io.BytesIO(data), offset=0, dialect=COMMA):
        assert data[ends[-1] : block.end] == b"".join(record + b"\n" for record in block.records)
        ends.append(block.end)
        cut_records += block.records
    assert len(ends) > 3
    assert ends[-1] == len(data)
    assert len(cut_records) == 200_000


def test_an_inch_mark_opens_no_quote() -> None:
    assert rows(b'1,5" pipe,2\n2,6" pipe,3\n') == [["1", '5" pipe', "2"], ["2", '6" pipe', "3"]]


def test_an_open_quote_costs_one_row_and_no_neighbour() -> None:
    lines = [b"%d,x" % number for number in range(MAX_LINES + 5)]
    found = rows(b'0,"open\n' + b"\n".join(lines))
    assert isinstance(found[0], BrokenRow)
    assert found[0].code == "row_ragged"
    assert found[1:] == [line.decode().split(",") for line in lines]


def test_a_record_may_span_many_lines_but_not_more_than_the_limit() -> None:
    body = b"\n".join([b"x"] * (MAX_LINES - 2))
    assert len(rows(b'1,"' + body + b'\nend"\n2,y\n')) == 2
    longer = b"\n".join([b"x"] * (MAX_LINES + 2))
    assert len(rows(b'1,"' + longer + b'\nend"\n2,y\n')) > MAX_LINES


def test_a_record_of_more_than_a_megabyte_never_was_one() -> None:
    lines = [b"y" * 60_000] * (MAX_RECORD // 60_000 + 2)
    found = records(b'1,"a\n' + b"\n".join(lines) + b'\nend"\n')
    assert len(found) == len(lines) + 2


def test_a_line_that_is_too_long_is_cut_off_and_the_next_one_is_whole() -> None:
    data = b"1,a\n" + b"x" * (3 * MAX_RECORD) + b"\n2,b\n"
    found = records(data)
    assert [len(record) for record in found] == [3, MAX_RECORD + 1, 3]
    broken = rows(data)[1]
    assert isinstance(broken, BrokenRow)
    assert broken.code == "row_too_large"
    assert len(str(broken[0])) <= 1_000


@pytest.mark.parametrize("where", [0, 100, 400_000, 524_280])
def test_a_long_line_is_the_same_record_wherever_the_blocks_end(where: int) -> None:
    line = b"x" * (MAX_RECORD + 500_000)
    assert records(b"p" * where + b"\n" + line + b"\nz")[1:] == records(line + b"\nz")


def test_a_long_line_between_short_ones_of_one_block_is_cut_off_alone() -> None:
    long = b"x" * (MAX_RECORD + 1_000)
    data = b"p\nq\n" + long + b"\nr\ns"
    assert records(data) == [b"p", b"q", long[: MAX_RECORD + 1], b"r", b"s"]
    blocks = list(cut(io.BytesIO(data), offset=0, dialect=COMMA))
    assert [data[block.end :][:1] for block in blocks if len(block.records[0]) > MAX_RECORD] == [b"r"]
    assert blocks[-1].end == len(data)


def test_many_open_quotes_take_linear_work() -> None:
    lines = 20_000
    hostile = b'a,"b\n' + b'x","y\n' * lines
    found = records(hostile)
    # each line ends inside a quote, from inside and from outside: none closes, each is a record
    assert len(found) == lines + 1


def test_bytes_of_another_encoding_break_their_row_only() -> None:
    found = rows("1,ä\n".encode() + b"2,\xe4\n" + "3,ö\n".encode())
    assert found[0] == ["1", "ä"]
    assert isinstance(found[1], BrokenRow)
    assert found[1].code == "row_unreadable"
    assert found[2] == ["3", "ö"]


def test_zero_bytes_and_cells_above_the_limit_of_the_csv_module_are_cells() -> None:
    large = b"x" * 200_000
    assert rows(b'1,"a\0b","' + large + b'"\n') == [["1", "a\0b", large.decode()]]
    assert rows(b'1,"a"b" c,"""q"""\r\n') == [["1", 'ab" c', '"q"']]


def test_without_quoting_a_quote_is_a_character() -> None:
    plain = Dialect(b"\t", None)
    assert rows(b'"a\t"b"\nc\td\n', plain) == [['"a', '"b"'], ["c", "d"]]
