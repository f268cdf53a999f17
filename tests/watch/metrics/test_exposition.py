"""The page: its two forms, its names and texts, as Prometheus' own tools see them."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from metering import number, series
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from storing import Feeder

from mailscope.tallies.ledger import PERSONAL
from mailscope.watch.metrics.exposition import page, prefers_openmetrics
from mailscope.watch.metrics.families import FAMILIES, GROUPS, HOST, Family, Values
from mailscope.watch.metrics.findings import FindingCounts, Row, found
from mailscope.watch.metrics.histograms import BATCHES, BUCKET, DELAYS, SUM, put

PROMTOOL = shutil.which("promtool")
PROMETHEUS_ASKS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


def every_family() -> Values:
    """A number for every metric."""
    values: Values = {}
    for family in FAMILIES.values():
        if family.kind == "histogram":
            bounds = BATCHES if "batch" in family.name else DELAYS
            for place in family.always or ((),):
                put(values, family.name, place, bounds, 0.7)
        else:
            values[family.name] = {tuple("x" for _ in family.labels): 1.5}
    return values


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not there")
def test_promtool_finds_nothing_to_object_to() -> None:
    assert PROMTOOL is not None
    for process in (False, True):
        text = page(every_family(), process=process)[0]
        done = subprocess.run(
            [PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not there")
def test_promtool_would_object() -> None:
    assert PROMTOOL is not None
    text = page(every_family())[0].replace(b"mailscope_queue_messages", b"mailscope_queue_total")
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False)
    assert done.returncode == 3
    assert b"non-counter metrics should not have" in done.stderr


def test_both_forms_say_the_same() -> None:
    plain, kind = page(every_family())
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    other, other_kind = page(every_family(), PROMETHEUS_ASKS)
    assert other_kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert other.endswith(b"# EOF\n")
    told = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(other.decode())
        for sample in family.samples
    }
    assert told == series(plain.decode())


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (PROMETHEUS_ASKS, True),
        ("application/openmetrics-text", True),
        ("text/plain;q=0.9, application/openmetrics-text;q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=high, text/plain", False),
        ("APPLICATION/OpenMetrics-Text; version=1.0.0", True),
        (";;;,,q=,application", False),
    ],
)
def test_the_form_is_the_one_that_is_asked_for(accept: str, openmetrics: bool) -> None:
    assert prefers_openmetrics(accept) == openmetrics


def test_hostile_labels_stay_labels() -> None:
    evil = 'a"} 9\nmailscope_up 1\\'
    text = page({"mailscope_lines": {(evil,): 3}})[0].decode()
    assert number(series(text), "mailscope_lines_total", program=evil) == 3
    assert not any(line.startswith("mailscope_up") for line in text.splitlines())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_names_follow_the_conventions(family: Family) -> None:
    assert re.fullmatch(r"mailscope_[a-z0-9_]+", family.name)
    assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))
    # Base units only (https://prometheus.io/docs/practices/naming/).
    assert not re.search(r"_(ms|milliseconds|minutes|hours|days|kb|mb|percent|s)(_|$)", family.name)
    assert family.meaning.endswith(".")
    assert all(len(place) == len(family.labels) for place in family.always)
    assert (family.kind == "histogram") <= family.name.endswith("_seconds")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_no_label_tells_of_a_person(family: Family) -> None:
    assert not set(family.labels) & (PERSONAL | {"domain", "recipient_domain", "relay_host", "user", "host"})


def test_every_family_stands_once() -> None:
    assert len(FAMILIES) == sum(map(len, GROUPS.values()))


def test_host_figures_are_in_base_units() -> None:
    factors = {figure.column: figure.factor for figure in HOST}
    assert {column for column, factor in factors.items() if factor != 1} == {
        "cpu_busy_percent",
        "cpu_waiting_percent",
    }


def test_a_histogram_is_whole() -> None:
    values: Values = {}
    for delay in (0.01, 0.06, 0.06, 99.0):
        put(values, "mailscope_daemon_batch_duration_seconds", (), BATCHES, delay)
    found = series(page(values)[0].decode())
    name = "mailscope_daemon_batch_duration_seconds"
    steps = {"0.05": 1, "0.1": 3, "0.25": 3, "10.0": 3, "+Inf": 4}
    assert {le: number(found, f"{name}_bucket", le=le) for le in steps} == steps
    assert number(found, f"{name}_count") == 4
    assert number(found, f"{name}_sum") == pytest.approx(99.13)
    assert set(values) == {name + BUCKET, name + SUM}


def row(identity: str, severity: str = "warning", *, over: bool = False) -> Row:
    return Row(identity, "brute_force", severity, not over)


def test_findings_are_counted_once_each_and_told_while_they_are_open() -> None:
    counts = FindingCounts([row("before")])
    warning, critical = ("brute_force", "warning"), ("brute_force", "critical")
    told = counts.values([row("before"), row("a"), row("b")])
    assert told == {"mailscope_findings_open": {warning: 3}, "mailscope_findings": {warning: 2}}
    told = counts.values([row("before", over=True), row("a", over=True), row("b", "critical")])
    assert told == {
        "mailscope_findings_open": {warning: 0, critical: 1},
        "mailscope_findings": {warning: 2},
    }
    # One that comes back soon is the same one.
    told = counts.values([row("a"), row("b", "critical")])
    assert told["mailscope_findings"] == {warning: 2}
    assert told["mailscope_findings_open"] == {warning: 1, critical: 1}
    assert counts.values([]) == {"mailscope_findings_open": {warning: 0}, "mailscope_findings": {warning: 2}}


def test_findings_of_a_store(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path)
    insert = "insert into hot.findings (id, detection, severity, over_time) values (?, ?, ?, ?)"
    feeder.database.connection.execute(insert, ["a", "brute_force", "critical", None])
    feeder.database.connection.execute(insert, ["b", "brute_force", "warning", datetime(2026, 11, 27)])
    rows = found(feeder.database)
    feeder.close()
    assert sorted(rows) == [row("a", "critical"), row("b", over=True)]
