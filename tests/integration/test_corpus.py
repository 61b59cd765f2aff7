"""`make corpus` on a small corpus: lists, versions, nasty files; right, held and wrong, and the exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpus import main

HEADER = "SKU;Name;Price EUR"


def facts(items: dict[str, str], *, header: int | None = 1, rows: int, **more: Any) -> dict[str, Any]:
    total = str(sum(float(price) for price in items.values()))
    return {
        "format": {"kind": "csv", "encoding": "utf-8", "delimiter": ";", "header_record": header, "records": rows},
        "columns": {"key": ['1 "SKU"'], "name": '2 "Name"', "price": '3 "Price"', "category": None, "currency": "EUR"},
        "rows_valid": len(items),
        "rows_rejected": {},
        "unique_keys_valid": len(items),
        "duplicate_key_rows": 0,
        "sum_price_valid_rows": total,
        **more,
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two versions of a plain list, one that two columns of prices make a question, one without prices, and a file that
    is none."""
    root = tmp_path / "corpus"
    (root / "csv").mkdir(parents=True)
    (root / "torture").mkdir()
    old = {f"A-{n}": f"{n}.50" for n in range(1, 31)}
    new = old | {"A-3": "3.75", "A-31": "31.50"}
    for name, items in (("old", old), ("new", new)):
        lines = [HEADER, *(f"{sku};Thing {sku};{price}" for sku, price in items.items())]
        (root / "csv" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    asked = ["SKU;Name;Dealer price;Shop price", *(f"{sku};Thing {sku};{price};99.00" for sku, price in old.items())]
    (root / "csv" / "asked.csv").write_text("\n".join(asked) + "\n")
    (root / "csv" / "stock.csv").write_text("SKU;Name;Stock\n" + "".join(f"S{n};Thing {n};{n}\n" for n in range(9)))
    (root / "torture" / "nothing.csv").write_bytes(b"")
    (root / "torture" / "not.xlsx").write_bytes(b"PK\x03\x04 and no more")
    document = {
        "price_lists": {
            "csv/old.csv": facts(
                old, rows=31, spot_checks=[{"record": 4, "key": "A-3", "name": "Thing", "price": "3.5"}]
            ),
            "csv/new.csv": facts(new, rows=32),
            "csv/asked.csv": facts(old, rows=31),
            "csv/stock.csv": {"columns": {"key": ["1"], "name": "2", "price": None}, "expect": "no prices"},
            "csv/gone.csv": facts(old, rows=31),
        },
        "version_pairs": {"list": {"files": ["csv/old.csv", "csv/new.csv"], "keys_added": 1, "prices_changed": 1}},
    }
    (root / "EXPECTED.json").write_text(json.dumps(document))
    return root


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["corpus", *arguments])
    return main()


def test_a_corpus_is_loaded_in_both_modes_and_judged(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(corpus), "--answers") == 0
    told = capsys.readouterr().out
    assert "right  automatic  csv/old.csv: 30 items" in told
    assert "held   automatic  csv/asked.csv: answer 1 is right" in told
    assert "right  profile    csv/asked.csv" in told
    assert "right  automatic  csv/stock.csv: nothing stored" in told
    assert "right  profile    list: 1 added, 1 prices changed" in told
    assert "csv/gone.csv: described, but not here" in told
    assert "lists, automatic: 4 in all: 3 right (75 %), 1 held (25 %), 0 WRONG (0 %); 1 of those held are right" in told
    assert "torture: 2 in all: 2 right" in told


def test_facts_that_do_not_agree_are_wrong_and_the_exit_code_says_so(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((corpus / "EXPECTED.json").read_text())
    document["price_lists"]["csv/old.csv"]["sum_price_valid_rows"] = "1"
    document["version_pairs"]["list"]["prices_changed"] = 2
    (corpus / "EXPECTED.json").write_text(json.dumps(document))
    assert run(monkeypatch, str(corpus), "--mode", "automatic", "--lists") == 1
    told = capsys.readouterr().out
    assert "WRONG  automatic  csv/old.csv: sum" in told
    assert "WRONG  automatic  list: prices changed: 1 instead of 2" in told


def test_a_directory_without_facts_is_no_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, str(tmp_path)) == 2
