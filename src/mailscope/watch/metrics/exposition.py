"""Numbers as a page: Prometheus' text format 0.0.4, or OpenMetrics 1.0 for who prefers it.

See https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from mailscope.watch.metrics.families import FAMILIES, Family, Values
from mailscope.watch.metrics.histograms import BATCHES, BUCKET, DELAYS, SUM, cumulated

OPENMETRICS: Final = "application/openmetrics-text"
BOUNDS: Final = {
    "mailscope_delivery_delay_seconds": DELAYS,
    "mailscope_daemon_batch_duration_seconds": BATCHES,
}


def page(values: Values, accept: str = "", *, process: bool = False) -> tuple[bytes, str]:
    """The page and its content type, as the Accept header asks.

    ``process``: with the memory, processor time and files of this process, under their usual names.
    """
    registry = CollectorRegistry()
    registry.register(_Numbers(values))
    if process:
        ProcessCollector(registry=registry)
    if prefers_openmetrics(accept):
        openmetrics: Callable[[CollectorRegistry], bytes] = generate_openmetrics
        return openmetrics(registry), CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for at least as much as the plain format (RFC 9110, 12.5.1)."""
    wanted = {"": 0.0, OPENMETRICS: 0.0, "text/plain": 0.0}
    for each in accept.split(","):
        kind, *parameters = (part.strip() for part in each.lower().split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            wanted[kind] = max(wanted.get(kind, 0.0), float(quality))
        except ValueError:
            continue
    return 0 < wanted[OPENMETRICS] >= wanted["text/plain"]


class _Numbers(Collector):
    """The families that there are numbers of, in the order in which they are declared."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES.values():
            if family.kind == "histogram":
                if family.name + BUCKET in self._values:
                    yield _histogram(family, self._values)
            elif family.name in self._values:
                yield _plain(family, self._values[family.name])


def _plain(family: Family, numbers: dict[tuple[str, ...], float]) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.meaning, labels=family.labels)
    shown = {**dict.fromkeys(family.always, 0.0), **numbers}
    for place, number in sorted(shown.items()):
        metric.add_metric(place, number)
    return metric


def _histogram(family: Family, values: Values) -> Metric:
    metric = HistogramMetricFamily(family.name, family.meaning, labels=family.labels)
    found: dict[tuple[str, ...], dict[str, float]] = {place: {} for place in family.always}
    for labels, number in values[family.name + BUCKET].items():
        found.setdefault(labels[:-1], {})[labels[-1]] = number
    for place, buckets in sorted(found.items()):
        metric.add_metric(
            place, cumulated(buckets, BOUNDS[family.name]), values.get(family.name + SUM, {}).get(place, 0.0)
        )
    return metric
