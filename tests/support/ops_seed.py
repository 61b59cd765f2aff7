"""Tables as a week of work leaves them, filled by SQL: for the read models and the commands that show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
FIRST, SECOND, RUNNING, DEAD, QUEUED, BLOCKED = (
    f"019a4000-0000-7000-8000-00000000000{number}" for number in range(1, 7)
)
DEAD_LETTER = "d0000000-0000-4000-8000-000000000001"
NOT_A_TASK = "d0000000-0000-4000-8000-000000000002"
SHA = "9f31c07a" * 8
HOSTILE = "12,5O\x1b[31m"


def account(read: int, **buckets: Any) -> dict[str, Any]:
    empty = {"new": 0, "changed": 0, "unchanged": 0, "rejected": {}, "held": {}, "ignored": {}}
    return {"read": read, **empty, **buckets}


def message(task_id: str, supplier: str, path: str, **more: Any) -> str:
    return orjson.dumps(
        {
            "schema_version": "2.0",
            "task_id": task_id,
            "parser_type": "csv",
            "supplier_name": supplier,
            "source_config": {"file_path": path},
            **more,
        }
    ).decode()


def result(task_id: str, statistics: dict[str, Any], errors: list[dict[str, Any]]) -> str:
    column = {"index": 2, "header": "EK netto", "field": "price", "key": None, "kind": "text"}
    return orjson.dumps(
        {
            "schema_version": "2.0",
            "task_id": task_id,
            "status": "partial_success" if errors else "success",
            "processed_at": T0.isoformat(),
            "statistics": statistics,
            "errors": errors,
            "source_sha256": SHA,
            "understanding": {
                "description": {"format": "xlsx", "sheet": "Preise", "encoding": None, "delimiter": None},
                "header_row": 4,
                "columns": [column],
                "numbers": {"decimal": ",", "thousands": ".", "reason": "all values"},
                "currency": "EUR",
                "currency_reason": "header",
            },
        }
    ).decode()


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await _catalog(connection)
        await _tasks(connection)
        await _items(connection)
        await _errors(connection)
    finally:
        await connection.close()


async def _catalog(connection: Any) -> None:
    await connection.execute(
        """
        INSERT INTO suppliers (name, source_type, applied_as_of, updated_at)
          VALUES ('Nordwind', 'csv', $1, $1), ('Acme', 'excel', NULL, $1);
        """.replace("$1", f"'{T0.isoformat()}'")
        + """
        INSERT INTO supplier_profiles (supplier_id, version, document, created_by)
          SELECT id, 1, '{"schema_version": "1.0"}', 'pricemill' FROM suppliers WHERE name = 'Nordwind';
        INSERT INTO categories (name) VALUES ('Kabel');
        INSERT INTO products (internal_sku, name, gtin, category_id, status)
          SELECT 'P-1', 'Kabelbinder', '4006381333931', id, 'active' FROM categories;
        INSERT INTO products (internal_sku, name, status) VALUES ('P-2', 'Entwurf', 'draft');
        """
    )


async def _tasks(connection: Any) -> None:
    def row(task_id: str, supplier: str, path: str, **columns: Any) -> dict[str, Any]:
        return {
            "task_id": task_id,
            "parser_type": "csv",
            "supplier_name": supplier,
            "message": message(task_id, supplier, path),
            "as_of": T0,
            "enqueued_at": T0,
            "run_at": T0,
            **columns,
        }

    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    first = {"total_rows": 5, "successful_rows": 3, "failed_rows": 0, "new": 3, "ignored": {"header": 1, "title": 1}}
    second = {"total_rows": 6, "successful_rows": 3, "failed_rows": 2, "changed": 1, "unchanged": 2}
    groups = [
        {"error_type": "price_not_a_number", "count": 1, "sample_message": "EK netto is not a price"},
        {"error_type": "sku_missing", "count": 1, "sample_message": "Art.-Nr. is blank"},
    ]
    rows = [
        row(
            FIRST, "Nordwind", "/lists/nordwind-10.csv", status="completed", attempt=1, epoch=1, source_sha256=SHA,
            result=result(FIRST, {**first, "processing_time_seconds": "0.5", "items_per_second": "6.0"}, []),
            started_at=T0 + timedelta(seconds=1), finished_at=T0 + timedelta(seconds=2),
        ),
        row(
            SECOND, "Nordwind", "/lists/nordwind-11.csv", status="completed", attempt=1, epoch=1, source_sha256=SHA,
            as_of=T0 + hour, enqueued_at=T0 + hour, run_at=T0 + hour,
            result=result(SECOND, {**second, "ignored": {"header": 1}}, groups),
            started_at=T0 + hour, finished_at=T0 + hour + timedelta(seconds=4),
        ),
        row(
            RUNNING, "Acme", "/lists/acme.csv", status="running", attempt=1, epoch=1, priority=2, worker="ingest-01",
            lease_until=now + hour, started_at=now - timedelta(minutes=5),
        ),
        row(DEAD, "Óptica Luz", "/lists/tarifa.xlsx", status="dead", attempt=1, epoch=1, finished_at=T0 + hour),
        row(QUEUED, "Delta", "/lists/delta.csv", run_at=now - timedelta(minutes=3)),
        row(BLOCKED, "Delta", "/lists/delta-2.csv", run_at=now - timedelta(minutes=1)),
    ]  # fmt: skip
    for one in rows:
        names = ", ".join(one)
        places = ", ".join(f"${number}" for number in range(1, len(one) + 1))
        await connection.execute(f"INSERT INTO tasks ({names}) VALUES ({places})", *one.values())
    for task_id, outcome, error in (
        (FIRST, "completed", None),
        (SECOND, "completed", None),
        (RUNNING, None, None),
        (DEAD, "dead", orjson.dumps({"code": "header_not_found", "message": "no header row was found"}).decode()),
    ):
        await connection.execute(
            """INSERT INTO task_attempts (task_key, epoch, attempt, worker, started_at, finished_at, outcome, error)
               SELECT id, 1, 1, 'ingest-01', $2::timestamptz,
                 CASE WHEN $3::text IS NULL THEN NULL ELSE $2::timestamptz END, $3, $4::jsonb
               FROM tasks WHERE task_id = $1""",
            task_id, T0, outcome, error,
        )  # fmt: skip
    for sequence, read in ((1, 15_000), (2, 30_000)):
        counts = account(read, new=read - 100, rejected={"price_missing": 100})
        document = {"account": counts, "cursor": {"row": read, "offset": read * 40, "unit": 0}, "sequence": sequence}
        await connection.execute(
            "INSERT INTO checkpoints (task_key, sequence, epoch, document) "
            "SELECT id, $2, 1, $3::jsonb FROM tasks WHERE task_id = $1",
            RUNNING, sequence, orjson.dumps(document).decode(),
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO workers (name, host, pid, version, slots) VALUES ('ingest-01', 'mill', 1, '0.1.0', 5)"
    )


async def _items(connection: Any) -> None:
    later = (T0 + timedelta(hours=1)).isoformat()
    await connection.execute(
        f"""
        WITH s AS (SELECT id FROM suppliers WHERE name = 'Nordwind'),
             t1 AS (SELECT id FROM tasks WHERE task_id = '{FIRST}'),
             t2 AS (SELECT id FROM tasks WHERE task_id = '{SECOND}'),
             i AS (INSERT INTO supplier_items (supplier_id, product_id, key_hash, supplier_sku, name, current_price,
                     currency, price_basis, unit, characteristics, as_of, task_key, source_row)
                   SELECT s.id, CASE WHEN n = 1 THEN (SELECT id FROM products WHERE internal_sku = 'P-1') END, n,
                     'NW-100' || n, 'Kabelbinder ' || n, CASE WHEN n = 1 THEN 13.00 ELSE 10.5 * n END, 'EUR',
                     CASE WHEN n = 1 THEN 100 ELSE 1 END, 'Stk', jsonb_build_object('farbe', 'rot', 'vpe', n),
                     CASE WHEN n = 1 THEN '{later}'::timestamptz ELSE '{T0.isoformat()}' END,
                     CASE WHEN n = 1 THEN t2.id ELSE t1.id END, 4 + n
                   FROM s, t1, t2, generate_series(1, 3) n RETURNING id, key_hash, task_key)
        INSERT INTO price_history
          (supplier_item_id, task_key, source_row, price, currency, price_basis, as_of, recorded_at)
        SELECT i.id, t1.id, 4 + key_hash, CASE WHEN key_hash = 1 THEN 12.5 ELSE 10.5 * key_hash END, 'EUR',
               CASE WHEN key_hash = 1 THEN 100 ELSE 1 END, '{T0.isoformat()}'::timestamptz,
               '{T0.isoformat()}'::timestamptz FROM i, t1
        UNION ALL
        SELECT i.id, t2.id, 5, 13.00, 'EUR', 100, '{later}'::timestamptz,
               '{later}'::timestamptz FROM i, t2 WHERE key_hash = 1
        """
    )  # fmt: skip


async def _errors(connection: Any) -> None:
    for row_number, code, field, value, cells in (
        (8, "price_not_a_number", "EK netto", HOSTILE, ["NW-1004", "Kabel", HOSTILE]),
        (9, "sku_missing", "Art.-Nr.", "", [None, "Kabel", "9,00"]),
    ):
        await connection.execute(
            """INSERT INTO parsing_logs (task_id, supplier_id, error_type, error_message, row_number, field, value,
                 row_data, created_at)
               SELECT $1, id, $2, $3, $4, $5, $6, $7::jsonb, $8 FROM suppliers WHERE name = 'Nordwind'""",
            SECOND, code, f"{field} “{value}” is wrong", row_number, field, value, orjson.dumps(cells).decode(), T0,
        )  # fmt: skip
    failure = {
        "code": "header_not_found",
        "category": "Validation",
        "disposition": "permanent",
        "message": "no header row was found",
        "next": "pricemill map FILE shows what was seen",
        "context": {},
        "exception": "contracts.errors.HeaderNotFound",
    }
    await connection.execute(
        """INSERT INTO dead_letters (id, task_key, task_id, supplier_name, message, error, category, code, reason,
             attempts, created_at)
           SELECT $1::uuid, id, task_id, supplier_name, message, $2::jsonb, 'Validation', 'header_not_found',
             'no header row was found', 1, $3 FROM tasks WHERE task_id = $4""",
        DEAD_LETTER, orjson.dumps(failure).decode(), T0 + timedelta(hours=1), DEAD,
    )  # fmt: skip
    await connection.execute(
        """INSERT INTO dead_letters (id, message, error, category, code, reason, attempts, created_at, message_sha256)
           VALUES ($1::uuid, '{"raw": "not json"}', '{"code": "contract_violation"}', 'Validation',
             'contract_violation', 'a document does not fit its schema', 0, $2, $3)""",
        NOT_A_TASK, T0, SHA,
    )  # fmt: skip
