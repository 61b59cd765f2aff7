"""Writes dashboard.json, which Grafana 10 and newer imports: `python deploy/grafana/make_dashboard.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("dashboard.json")
SOURCE = {"type": "prometheus", "uid": "${ds}"}
QUEUE, PARSER = 'queue=~"$queue"', 'parser=~"$parser"'
GREEN, AMBER, RED, BLUE, GREY = "#2aa86b", "#e79d13", "#dd4045", "#3b6cf0", "#9aa4b2"

Panel = dict[str, Any]
Target = tuple[str, str]
"""Expression and legend."""


def panel(
    kind: str,
    title: str,
    size: tuple[int, int],
    *targets: Target,
    unit: str = "short",
    about: str = "",
    limits: tuple[tuple[float, str], ...] | None = None,
    stack: bool = False,
    colours: dict[str, str] | None = None,
    mappings: tuple[dict[str, Any], ...] = (),
    overrides: tuple[dict[str, Any], ...] = (),
) -> Panel:
    steps: list[dict[str, Any]] = [{"color": BLUE if limits is None else GREEN, "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in limits or ()]
    lines = kind == "timeseries"
    defaults: dict[str, Any] = {
        "unit": unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": list(mappings),
        "custom": {
            "lineWidth": 1,
            "fillOpacity": 20 if stack else 6,
            "showPoints": "never",
            "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        }
        if lines
        else {},
        **({} if lines else {"color": {"mode": "thresholds"}}),
    }
    options: dict[str, dict[str, Any]] = {
        "timeseries": {
            "legend": {"displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "stat": {
            "graphMode": "area",
            "colorMode": "value",
            "textMode": "value_and_name" if len(targets) > 1 else "auto",
            "reduceOptions": {"calcs": ["lastNotNull"]},
        },
        "bargauge": {
            "orientation": "horizontal",
            "displayMode": "basic",
            "reduceOptions": {"calcs": ["lastNotNull"]},
        },
    }
    fixed = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in (colours or {}).items()
    ]
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "gridPos": {"x": 0, "y": 0, "w": size[0], "h": size[1]},
        "fieldConfig": {"defaults": defaults, "overrides": [*fixed, *overrides]},
        "targets": [
            {
                "refId": chr(65 + at),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": not lines,
            }
            for at, (expression, legend) in enumerate(targets)
        ],
        "options": options[kind],
    }


def quantile(share: float, histogram: str, *by: str, only: str = "") -> str:
    labels = ", ".join(("le", *by))
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{{{only}}}[10m])))"


SHARES = (0.5, 0.95, 0.99)
DASHED = {
    "matcher": {"id": "byRegexp", "options": "/^limit/"},
    "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 6]}}],
}
READY = {
    "type": "value",
    "options": {"0": {"text": "not ready", "color": RED}, "1": {"text": "ready", "color": GREEN}},
}
DEAD = 'sum(max by (queue, category) (pricemill_dead_letters{category!="question"}))'
HELD = 'sum(max by (queue, category) (pricemill_dead_letters{category="question"}))'
WAITING = f'sum(max by (queue, state) (pricemill_queue_tasks{{state!="running",{QUEUE}}}))'
OUT = f'sum(rate(pricemill_tasks_settled_total{{outcome=~"completed|partial|held|dead",{QUEUE}}}[5m]))'
REJECTED = (
    f'sum(rate(pricemill_rows_total{{outcome="rejected",{PARSER}}}[15m]))'
    f" / sum(rate(pricemill_rows_total{{{PARSER}}}[15m]))"
)
ROWS: dict[str, tuple[Panel, ...]] = {
    "Now": (
        panel("stat", "Readiness", (3, 4), ("max(pricemill_ready)", ""), mappings=(READY,)),
        panel("stat", "Waiting tasks", (3, 4), (WAITING, ""), limits=((1000, AMBER), (5000, RED))),
        panel(
            "stat", "Oldest wait", (3, 4), (f"max(pricemill_queue_oldest_age_seconds{{{QUEUE}}})", ""), unit="s",
            limits=((300, AMBER), (900, RED)),
        ),
        panel("stat", "Rows / s", (3, 4), (f"sum(rate(pricemill_rows_total{{{PARSER}}}[5m]))", "")),
        panel("stat", "Rejected rows", (3, 4), (REJECTED, ""), unit="percentunit", limits=((0.05, AMBER), (0.1, RED))),
        panel("stat", "Open dead letters", (3, 4), (DEAD, ""), limits=((1, AMBER), (50, RED))),
        panel("stat", "Lists with a question", (3, 4), (HELD, ""), limits=((1, AMBER),)),
        panel(
            "stat", "Workers", (3, 4), ('max(pricemill_workers{state="online"})', "online"),
            ('max(pricemill_workers{state="lost"})', "lost"),
        ),
    ),
    "Queues": (
        panel(
            "timeseries", "Due tasks by queue", (8, 8),
            (f'max by (queue) (pricemill_queue_tasks{{state="queued",{QUEUE}}})', "{{queue}}"), stack=True,
        ),
        panel(
            "timeseries", "Oldest wait and limit", (8, 8),
            (f"max by (queue) (pricemill_queue_oldest_age_seconds{{{QUEUE}}})", "{{queue}}"),
            (f"max by (queue) (pricemill_queue_wait_limit_seconds{{{QUEUE}}})", "limit {{queue}}"),
            unit="s", overrides=(DASHED,),
        ),
        panel(
            "timeseries", "Wait before start, p50 p95 p99", (8, 8),
            *((quantile(at, "pricemill_queue_wait_seconds", only=QUEUE), f"p{100 * at:.0f}") for at in SHARES),
            unit="s",
        ),
        panel(
            "timeseries", "In and out, tasks / s", (8, 7), (f"clamp_min({OUT} + deriv({WAITING}[10m:30s]), 0)", "in"),
            (OUT, "out"), about="In = out + growth of what waits: whoever registers tasks, it is seen here.",
        ),
        panel(
            "timeseries", "Empty in", (8, 7), ("queue:pricemill_drain:seconds", "{{queue}}"), unit="s",
            about="What waits, divided by how fast it shrinks. No line: it does not shrink.",
        ),
        panel(
            "timeseries", "Slots", (8, 7), ('sum(pricemill_worker_slots{state="busy"})', "busy"),
            ('sum(pricemill_worker_slots{state="idle"})', "idle"), stack=True, colours={"busy": BLUE, "idle": GREY},
        ),
    ),
    "Tasks": (
        panel(
            "timeseries", "Attempts by outcome", (8, 8),
            (f"sum by (outcome) (rate(pricemill_tasks_settled_total{{{QUEUE},{PARSER}}}[5m]))", "{{outcome}}"),
            stack=True,
            colours={
                "completed": GREEN, "partial": "#b9d86b", "held": BLUE, "retried": AMBER, "dead": RED, "snoozed": GREY,
            },
        ),
        panel(
            "timeseries", "Attempt duration p95 by parser", (8, 8),
            (quantile(0.95, "pricemill_task_duration_seconds", "parser", only=PARSER), "{{parser}}"), unit="s",
        ),
        panel(
            "timeseries", "Retries by category", (8, 8),
            (f"sum by (category) (rate(pricemill_task_retries_total{{{QUEUE}}}[5m]))", "{{category}}"), stack=True,
        ),
        panel(
            "timeseries", "Stopped runs by reason, per hour", (8, 7),
            ("sum by (reason) (increase(pricemill_task_aborts_total[1h]))", "{{reason}}"),
        ),
        panel(
            "timeseries", "New dead letters by category, per hour", (8, 7),
            ("sum by (category) (increase(pricemill_tasks_dead_lettered_total[1h]))", "{{category}}"),
        ),
        panel(
            "timeseries", "Checkpoints, per hour", (8, 7),
            ('sum by (result) (increase(pricemill_checkpoints_total{result!="written"}[1h]))', "{{result}}"),
            ("sum(increase(pricemill_tasks_rescued_total[1h]))", "sent by the sweep"),
            about="Restored: a run went on behind the last committed row. Corrupt: a broken seal; it started over.",
        ),
    ),
    "Rows": (
        panel(
            "timeseries", "Rows / s by bucket", (12, 8),
            (f"sum by (outcome) (rate(pricemill_rows_total{{{PARSER}}}[5m]))", "{{outcome}}"), stack=True,
            colours={
                "rejected": RED, "held": AMBER, "ignored": GREY, "unchanged": "#c9d6f5", "changed": BLUE, "new": GREEN,
            },
        ),
        panel(
            "timeseries", "Rejected rows / s by reason", (6, 8),
            (f"sum by (category) (rate(pricemill_row_errors_total{{{PARSER}}}[5m]))", "{{category}}"),
        ),
        panel(
            "timeseries", "Stage time, p95", (6, 8),
            (quantile(0.95, "pricemill_stage_duration_seconds", "stage"), "{{stage}}"), unit="s",
        ),
    ),
    "Health and sources": (
        panel(
            "timeseries", "Servers not heard of", (8, 7),
            ('sum by (component) (pricemill_health_status{status!="healthy"})', "{{component}}"),
            about="Number of workers that do not hear from it.",
        ),
        panel(
            "timeseries", "Source requests / s by code", (8, 7),
            ("sum by (source, code) (rate(pricemill_source_requests_total[5m]))", "{{source}} {{code}}"),
        ),
        panel(
            "timeseries", "Source requests, p95", (8, 7),
            (quantile(0.95, "pricemill_source_request_duration_seconds", "source"), "{{source}}"), unit="s",
        ),
        panel(
            "timeseries", "Memory against limit", (8, 7),
            ("process_resident_memory_bytes / on (instance, job) pricemill_worker_memory_limit_bytes", "{{instance}}"),
            unit="percentunit", limits=((0.8, RED),),
        ),
        panel(
            "bargauge", "Suppliers by freshness", (8, 7),
            ("max by (freshness) (pricemill_suppliers)", "{{freshness}}"),
        ),
        panel(
            "timeseries", "Slots of schedules, per hour", (8, 7),
            ("sum by (result) (increase(pricemill_schedule_fires_total[1h]))", "{{result}}"),
        ),
    ),
}  # fmt: skip


def choice(name: str, metric: str) -> dict[str, Any]:
    query = f"label_values({metric}, {name})"
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "refresh": 2,
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard() -> dict[str, Any]:
    """The document; panels are laid out row by row, 24 units wide."""
    panels: list[Panel] = []
    top = 0
    for title, row in ROWS.items():
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": []})
        panels[-1]["gridPos"] = {"x": 0, "y": top, "w": 24, "h": 1}
        top, left, height = top + 1, 0, 0
        for one in row:
            place = one["gridPos"]
            if left + place["w"] > 24:
                left, top, height = 0, top + height, 0
            panels.append({**one, "gridPos": {**place, "x": left, "y": top}})
            left, height = left + place["w"], max(height, place["h"])
        top += height
    return {
        "title": "Pricemill",
        "uid": "pricemill-main",
        "tags": ["pricemill"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-3h", "to": "now"},
        "graphTooltip": 1,
        "templating": {
            "list": [
                {"name": "ds", "type": "datasource", "query": "prometheus", "label": "Data source"},
                choice("queue", "pricemill_queue_tasks"),
                choice("parser", "pricemill_rows_total"),
            ]
        },
        "panels": [{"id": number, **one} for number, one in enumerate(panels, 1)],
    }


def text() -> str:
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
