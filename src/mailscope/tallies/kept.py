"""A ledger as bytes and back: what the store keeps of each hour.

The form is that of ``vocabulary/bundles.py``: a frame per tally, and beside them all that is not a tally.
Keys and measures bear the names that the registry gives them; a tally that the registry no longer knows is
left out on reading, and a measure that it knows now and the bytes lack counts nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.tallies.ledger import Ledger, tells_time
from mailscope.tallies.registry import BY_NAME
from mailscope.vocabulary.bundles import bundled, unbundled

VERSION: Final = 1


def to_bytes(ledger: Ledger) -> bytes:
    """A ledger as bytes; the view of a domain and the history are not part of it."""
    about = {
        "version": VERSION,
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
    data: bytes, zone: ZoneInfo, *, by_time: bool = False, only: Collection[str] = BY_NAME
) -> Ledger:
    """The ledger that ``to_bytes`` was given.

    ``by_time``: only its tallies that tell days or hours apart; ``only``: those of these names.
    """
    ledger = Ledger(zone=zone)
    frames, about = unbundled(
        data,
        lambda name: name in BY_NAME and name in only and (not by_time or tells_time(BY_NAME[name])),
    )
    for name, rows in frames.items():
        ledger.put(name, _fitting(name, rows))
    ledger.lines = {(program, outcome): count for program, outcome, count in about["lines"]}
    ledger.totals, ledger.pooled = about["totals"], about["pooled"]
    ledger.first, ledger.last = _instant(about["first"]), _instant(about["last"])
    for tally, kept in about["samples"].items():
        ledger.samples.put(tally, {tuple(place): lines for place, lines in kept})
    return ledger


def _fitting(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with all the measures that the registry declares."""
    missing = [measure.name for measure in BY_NAME[name].measures if measure.name not in rows.columns]
    return rows.with_columns(pl.lit(0, pl.Int64).alias(each) for each in missing)


def _stamp(instant: object) -> str | None:
    return instant.isoformat() if isinstance(instant, datetime) else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
