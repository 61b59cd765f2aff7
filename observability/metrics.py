"""The meters of one process: counters, gauges and histograms of the catalogue, and their text for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from observability.inert import inert
from observability.metrics_catalogue import CAPS, FAMILIES, KNOWN, OTHER, Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_CAP: Final = 10
_LONGEST: Final = 60
_BY_REASON: Final = frozenset({"row_errors_total"})
"""Too many combinations to begin with all of them."""
_ADDED: Final = frozenset({"queue_tasks", "dead_letters", "suppliers", "workers"})


class Sample(NamedTuple):
    """One series of a gauge of the fleet."""

    family: str
    """Name in the catalogue, without the prefix."""
    labels: tuple[str, ...]
    """Values in the order of the family's labels."""
    value: float


class Meters:
    """May be used from any thread. Nothing here raises because of a value: a metric is not worth a task."""

    def __init__(self, *, parsers: Iterable[str] = ()) -> None:
        """`parsers`: the names that the label parser may have; their series begin at zero, without which the first
        increase would go unseen."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._names = Names(parser=parsers)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._infos: dict[str, Info] = {}
        for family in FAMILIES.values():
            if family.of == "worker":
                self._add(family)
        ProcessCollector(registry=self._registry)
        self._begun: set[tuple[str, ...]] = set()
        for family in FAMILIES.values():
            if family.kind == "counter" and all(family.known):
                self._begin(family, {})
        for parser in self._names.known("parser"):
            self.begin(queue="default", parser=parser)

    def begin(self, **labels: str) -> None:
        """Gives every counter whose open labels are among these, and whose others are closed, its series at zero: a
        series that appears with its first increase looks to Prometheus as if it had always stood there."""
        named = {label: self._names.of(label, value) for label, value in labels.items()}
        if tuple(named.values()) in self._begun:
            return
        self._begun.add(tuple(named.values()))
        for family in FAMILIES.values():
            opened = {label for label, known in zip(family.labels, family.known, strict=True) if not known}
            if family.kind == "counter" and opened and opened <= named.keys() and family.name not in _BY_REASON:
                self._begin(family, named)

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """What is not above zero is not counted."""
        if amount > 0:
            self._counters[name].labels(*self._values(FAMILIES[name], labels)).inc(amount)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        if seconds >= 0:
            self._histograms[name].labels(*self._values(FAMILIES[name], labels)).observe(seconds)

    def set(self, name: str, value: float, **labels: str) -> None:
        gauge = self._gauges[name]
        (gauge.labels(*self._values(FAMILIES[name], labels)) if labels else gauge).set(value)

    def tell(self, name: str, **labels: str) -> None:
        self._infos[name].info(labels)

    def text(self, fleet: Iterable[Sample] | None = None) -> bytes:
        """The exposition; without what is said of the fleet if that is not known."""
        answer = generate_latest(self._registry)
        return answer if fleet is None else answer + fleet_text(fleet, names=self._names)

    def _add(self, family: Family) -> None:
        name, labels = family.full_name, list(family.labels)
        match family.kind:
            case "counter":
                self._counters[family.name] = Counter(name, family.sentence, labels, registry=self._registry)
            case "gauge":
                self._gauges[family.name] = Gauge(name, family.sentence, labels, registry=self._registry)
            case "histogram":
                self._histograms[family.name] = Histogram(
                    name, family.sentence, labels, registry=self._registry, buckets=family.buckets
                )
            case "info":
                self._infos[family.name] = Info(name.removesuffix("_info"), family.sentence, registry=self._registry)

    def _begin(self, family: Family, named: Mapping[str, str]) -> None:
        choices = [
            KNOWN[known] if known else (named[label],) for label, known in zip(family.labels, family.known, strict=True)
        ]
        for values in product(*choices):
            self._counters[family.name].labels(*values)

    def _values(self, family: Family, labels: Mapping[str, str]) -> list[str]:
        return [
            self._names.of(label, str(labels.get(label, OTHER)), known)
            for label, known in zip(family.labels, family.known, strict=True)
        ]


class Names:
    """Keeps the number of series bounded: a value that is not of its closed set, or one too many, is `other`."""

    def __init__(self, **known: Iterable[str]) -> None:
        self._given = {label: frozenset(names) for label, names in known.items()}
        self._seen: dict[str, set[str]] = {}

    def known(self, label: str) -> list[str]:
        return sorted(self._given.get(label, ()))

    def of(self, label: str, value: str, known: str = "") -> str:
        if known:
            return value if value in KNOWN[known] else OTHER
        if given := self._given.get(label):
            return value if value in given else OTHER
        seen = self._seen.setdefault(label, set())
        value = inert(value)[:_LONGEST]
        if value not in seen:
            if len(seen) >= CAPS.get(label, _CAP):
                return OTHER
            seen.add(value)
        return value


class _Fleet(Collector):
    """The samples of one moment as gauges."""

    def __init__(self, samples: Iterable[Sample], names: Names) -> None:
        self._samples = samples
        self._names = names

    def collect(self) -> Iterable[Metric]:
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for name, labels, number in self._samples:
            value = number
            family = FAMILIES[name]
            values = tuple(
                self._names.of(label, given, known)
                for label, given, known in zip(family.labels, labels, family.known, strict=True)
            )
            series = found.setdefault(name, {})
            before = series.get(values)
            if before is not None:  # several share the name `other`
                value = before + value if name in _ADDED else max(before, value)
            series[values] = value
        for name, series in found.items():
            family = FAMILIES[name]
            metric = GaugeMetricFamily(family.full_name, family.sentence, labels=family.labels)
            for values, value in series.items():
                metric.add_metric(values, value)
            yield metric


def fleet_text(samples: Iterable[Sample], *, names: Names | None = None) -> bytes:
    """The gauges of the fleet by themselves."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet(samples, names or Names()))
    return generate_latest(registry)
