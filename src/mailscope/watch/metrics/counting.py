"""From the tallies of hours to the metrics that count.

Each metric names the tally whose rows it sums up and how its labels are told from the row's keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.reports.causes import of_attempts, of_verdicts
from mailscope.tallies.hours import NO_TIME
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.registry import BY_NAME
from mailscope.tallies.tally import STAGES, Tally
from mailscope.watch.metrics.families import FAMILIES, Values
from mailscope.watch.metrics.histograms import BUCKET, of_tally
from mailscope.watch.metrics.labels import Labels

# What is older when it is stored is history that was loaded: it belongs to the store, not to counters, which
# Prometheus takes for what happens now.  Fates are counted with the hour in which a message arrived, and
# become known after the queue's lifetime at the latest.
OLDEST: Final = timedelta(days=1)
OLDEST_MESSAGE: Final = timedelta(days=8)
OF_MESSAGES: Final = ("messages", "recipients")
DSN_CLASS: Final = pl.col("dsn_status").str.extract("^([245])[.]", 1)
ORIGIN: Final = pl.when(pl.col("internal")).then(pl.lit("internal")).otherwise(pl.lit("outside"))
DELAY: Final = "mailscope_delivery_delay_seconds"
# What the ledger counts of every line.
OF_LINES: Final = {"mailscope_lines": "read", "mailscope_lines_unrecognised": "unrecognised"}


@dataclass(frozen=True, slots=True)
class Counted:
    """A metric as the sum of a tally's rows; ``labels``: how each of its labels is told from a row."""

    name: str
    tally: str
    labels: tuple[pl.Expr, ...]
    measure: str = "count"


COUNTED: Final = (
    Counted("mailscope_log_losses", "losses", (pl.col("program"),)),
    Counted("mailscope_messages_accepted", "arrivals", (pl.col("service"),)),
    Counted("mailscope_messages_queued", "senders", (ORIGIN,)),
    Counted("mailscope_queued_bytes", "senders", (ORIGIN,), "bytes"),
    Counted("mailscope_messages_ended", "messages", (pl.col("went"),)),
    Counted("mailscope_recipients_finished", "fates", (pl.col("fate"),), "recipients"),
    Counted("mailscope_delivery_attempts", "attempts", (pl.col("outcome"),)),
    Counted("mailscope_delivery_attempted_bytes", "attempts", (pl.col("outcome"),), "bytes"),
    Counted(
        "mailscope_delivery_failures", "reasons",
        (pl.col("status"), DSN_CLASS, of_attempts("cause")("UTC")),
    ),
    Counted("mailscope_verdicts", "verdicts", (pl.col("event"), DSN_CLASS, of_verdicts("cause")("UTC"))),
    Counted(
        "mailscope_logins", "logins", (pl.col("service"), pl.col("event").str.strip_prefix("login_"))
    ),
    Counted("mailscope_connections", "connections", (pl.col("service"), pl.col("event"))),
    Counted("mailscope_problems", "problems", (pl.col("event"), pl.col("program"))),
)  # fmt: skip
TALLIES: Final[tuple[Tally, ...]] = tuple(
    BY_NAME[name] for name in dict.fromkeys((*(each.tally for each in COUNTED), *STAGES))
)
NAMES: Final = frozenset(tally.name for tally in TALLIES)


def counted(hours: Mapping[datetime, Ledger], labels: Labels, now: datetime | None = None) -> Values:
    """The metrics that hours sum up to; ``now`` (naive UTC): without what is too old by then."""
    recent, followed = _since(hours, now, OLDEST), _since(hours, now, OLDEST_MESSAGE)
    values: Values = {name: {} for name in OF_LINES}
    values |= {each.name: {} for each in COUNTED} | {DELAY + BUCKET: {}}
    _lines(values, recent, labels)
    rows = {tally.name: _rows(tally, followed if tally.table in OF_MESSAGES else recent) for tally in TALLIES}
    for each in COUNTED:
        frame = rows[each.tally]
        if frame is not None:
            _sum(values, each, frame, labels)
    for stage in STAGES:
        frame = rows[stage]
        if frame is not None:
            found = frame.group_by("bucket").agg(pl.col("count").sum()).sort("bucket")
            of_tally(values, DELAY, (stage_name(stage),), found.iter_rows())
    return values


def _since(hours: Mapping[datetime, Ledger], now: datetime | None, oldest: timedelta) -> list[Ledger]:
    """The hours that are not too old; what has no instant is of now, as far as anybody can tell."""
    return [
        ledger for hour, ledger in hours.items() if now is None or hour >= now - oldest or hour == NO_TIME
    ]


def stage_name(stage: str) -> str:
    """A stage of a delivery as its label: ``delay_in_queue_s`` -> ``in_queue``, ``delay_s`` -> ``total``."""
    return stage.removeprefix("delay").removesuffix("_s").removeprefix("_") or "total"


def _rows(tally: Tally, ledgers: Iterable[Ledger]) -> pl.DataFrame | None:
    parts = [frame for ledger in ledgers for frame in ledger.pieces(tally.name)]
    return pl.concat(parts, how="vertical_relaxed") if parts else None


def _sum(values: Values, each: Counted, frame: pl.DataFrame, labels: Labels) -> None:
    names = FAMILIES[each.name].labels
    told = frame.select(*(expr.alias(name) for name, expr in zip(names, each.labels, strict=True)),
        pl.col(each.measure).alias("_number"))  # fmt: skip
    found = told.group_by(names).agg(pl.col("_number").sum())
    # The most frequent are given a place first.
    order = found.sort("_number", *names, descending=[True, *(False for _ in names)], nulls_last=True)
    target = values.setdefault(each.name, {})
    for *keys, number in order.iter_rows():
        place = labels.place(each.name, names, keys)
        target[place] = target.get(place, 0) + number


def _lines(values: Values, ledgers: Iterable[Ledger], labels: Labels) -> None:
    names = {outcome: name for name, outcome in OF_LINES.items()}
    counts: dict[tuple[str, str], int] = {}
    for ledger in ledgers:
        for key, count in ledger.lines.items():
            counts[key] = counts.get(key, 0) + count
        for name in ("blank", "duplicate"):
            skipped = values.setdefault("mailscope_lines_skipped", {})
            skipped[(name,)] = skipped.get((name,), 0) + ledger.totals.get(name, 0)
    for (program, outcome), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if outcome in names:
            # One list of programs for both, so that shares can be told.
            place = labels.place("mailscope_lines", ("program",), (program,))
            target = values[names[outcome]]
            target[place] = target.get(place, 0) + count
