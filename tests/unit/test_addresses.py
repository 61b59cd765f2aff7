"""Addresses that are none: refused where they are handed in, shown without falling over where they lie already."""

import pytest

from cli.hand_in import of_address
from contracts.errors import SourceUnreadable
from db.reports_reader import source_name


@pytest.mark.parametrize(
    "address", ["http://h/a.csv", "file:///etc/passwd", "https://", "https://[bad/a.csv", "https://u:canary@h/a.csv"]
)
def test_what_is_no_https_address_is_refused_at_once(address):
    with pytest.raises(SourceUnreadable) as raised:
        of_address(address)
    assert "canary" not in raised.value.message


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("https://user:[REDACTED]@h/dir/a.csv?x=1", "a.csv"),
        ("https://[bad/a.csv", "a.csv"),
        ("https://[REDACTED]", "[REDACTED]"),
        ("https://h/dir/a.csv?sig=1", "a.csv"),
        ("https://docs.google.com/spreadsheets/d/abc/edit", "sheet abc"),
        ("dir/a.csv", "a.csv"),
        (None, "-"),
    ],
)
def test_every_stored_location_has_a_name_to_show(location, name):
    assert source_name(location) == name
