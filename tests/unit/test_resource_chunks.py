"""Where memory is short, chunks become smaller in the middle of a list, and no row is lost or read twice."""

from contracts.rows import Cursor
from pipeline.chunks import _resized
from tests.support.lists import ListReading

LINES = [f"row {number}" for number in range(1, 101)]


async def sizes(wanted, *, after=None):
    """(sizes of the chunks, their row numbers) where `wanted` answers in turn, its last answer from then on."""
    answers = list(wanted)
    reading = ListReading(LINES)
    chunks = [
        chunk
        async for chunk in _resized(
            reading, after=after, rows=lambda: answers.pop(0) if len(answers) > 1 else answers[0]
        )
    ]
    return [len(chunk) for chunk in chunks], [number for chunk in chunks for number in chunk.row_numbers()]


async def test_a_size_that_stays_is_kept():
    assert await sizes([40]) == ([40, 40, 20], list(range(1, 101)))


async def test_another_size_holds_from_the_next_chunk_on():
    # asked at the beginning, behind each chunk, and again when the source is opened anew
    assert await sizes([40, 40, 10, 10]) == ([40, 40, 10, 10], list(range(1, 101)))
    assert await sizes([10, 50, 50]) == ([10, 50, 40], list(range(1, 101)))


async def test_a_change_behind_the_last_chunk_reads_nothing_more():
    assert await sizes([100, 50, 50]) == ([100], list(range(1, 101)))


async def test_it_goes_on_from_where_a_run_left_off():
    assert await sizes([30, 5, 5], after=Cursor(60)) == ([30, 5, 5], list(range(61, 101)))
