"""A ledger as bytes and back: what the store keeps of each hour and day.

The form is that of ``vocabulary/bundles.py``: a frame per tally, and beside them all that is not a tally.
Keys and measures bear the names that the registry gives them; a tally that the registry no longer knows is
left out on reading, and a measure that it knows now and the bytes lack counts nothing.

Tallies that tell days apart mean those of a time zone, which is kept with them.  An hour that was counted in
another zone than the one asked for is given the day that it has there; where midnight is within the hour, as
in zones that are half an hour off, all of it goes to the day that it begins in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.tallies.days import local_day, summed
from mailscope.tallies.keys import DAY
from mailscope.tallies.ledger import Ledger, tells_time
from mailscope.tallies.registry import BY_NAME
from mailscope.vocabulary.bundles import bundled, unbundled

VERSION: Final = 1
LAST_INSTANT: Final = timedelta(hours=1, microseconds=-1)


def to_bytes(ledger: Ledger) -> bytes:
    """A ledger as bytes; the view of a domain and the history are not part of it."""
    about = {
        "version": VERSION,
        "zone": str(ledger.zone),
        "lines": [[program, outcome, count] for (program, outcome), count in ledger.lines.items()],
        "totals": ledger.totals,
        "pooled": ledger.pooled,
        "first": _stamp(ledger.first),
        "last": _stamp(ledger.last),
        "samples": {
            tally: [[list(place), lines] for place, lines in kept.items()]
            for tally, kept in ledger.samples.kept.items()
        },
    }
    return bundled(ledger.parts(), about)


def from_bytes(
    data: bytes,
    zone: ZoneInfo,
    *,
    by_time: bool = False,
    only: Collection[str] = BY_NAME,
    hour: datetime | None = None,
    untold: ZoneInfo | None = None,
) -> Ledger:
    """The ledger that ``to_bytes`` was given, with the days of a zone.

    ``by_time``: only its tallies that tell days or hours apart; ``only``: those of these names; ``hour``: the
    one that it is of (naive UTC), so that another zone's days can be told (otherwise they stay as they are);
    ``untold``: the zone of bytes that were made before it was kept with them (None: the one that is asked
    for).
    """
    ledger = Ledger(zone=zone)
    frames, about = unbundled(
        data,
        lambda name: name in BY_NAME and name in only and (not by_time or tells_time(BY_NAME[name])),
    )
    theirs = ZoneInfo(about["zone"]) if "zone" in about else untold or zone
    other = hour is not None and not alike(theirs, zone, (hour, hour + LAST_INSTANT))
    for name, rows in frames.items():
        rows = _fitting(name, rows)
        if other and hour is not None and DAY in rows.columns:
            rows = _dated(name, rows, local_day(hour, zone))
        ledger.put(name, rows)
    ledger.lines = {(program, outcome): count for program, outcome, count in about["lines"]}
    ledger.totals, ledger.pooled = about["totals"], about["pooled"]
    ledger.first, ledger.last = _instant(about["first"]), _instant(about["last"])
    for tally, kept in about["samples"].items():
        ledger.samples.put(tally, {tuple(place): lines for place, lines in kept})
    return ledger


def alike(one: ZoneInfo, other: ZoneInfo, instants: Iterable[datetime]) -> bool:
    """Whether two zones tell the same time at some instants (naive UTC); a zone has several names."""
    if one.key == other.key:
        return True
    aware = (instant.replace(tzinfo=UTC) for instant in instants)
    return all(at.astimezone(one).utcoffset() == at.astimezone(other).utcoffset() for at in aware)


def _dated(name: str, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """Rows of one hour with its day, as far as they have one."""
    dated = pl.when(pl.col(DAY).is_not_null()).then(pl.lit(day, pl.Date)).alias(DAY)
    return summed(BY_NAME[name], [rows.with_columns(dated)])


def _fitting(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with all the measures that the registry declares."""
    missing = [measure.name for measure in BY_NAME[name].measures if measure.name not in rows.columns]
    return rows.with_columns(pl.lit(0, pl.Int64).alias(each) for each in missing) if missing else rows


def _stamp(instant: object) -> str | None:
    return instant.isoformat() if isinstance(instant, datetime) else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
