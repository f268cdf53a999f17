"""A ledger as bytes and back: what the store keeps of each hour.

The form is an Arrow file of three columns (name, rows, about): one row per tally, its rows an Arrow file of
their own, and one row without a name whose ``about`` is a JSON object of all that is not a tally.  Keys and
measures bear the names that the registry gives them; a tally that the registry no longer knows is left out
on reading, and a measure that it knows now and the bytes lack counts nothing.
"""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.tallies.ledger import Ledger, tells_time
from mailscope.tallies.registry import BY_NAME

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
    parts = ledger.parts()
    frame = pl.DataFrame(
        {
            "name": [None, *parts],
            "rows": [None, *(_packed(rows) for rows in parts.values())],
            "about": [json.dumps(about, ensure_ascii=True), *(None for _ in parts)],
        },
        schema={"name": pl.String, "rows": pl.Binary, "about": pl.String},
    )
    return _packed(frame)


def from_bytes(data: bytes, zone: ZoneInfo, *, by_time: bool = False) -> Ledger:
    """The ledger that ``to_bytes`` was given; ``by_time``: only its tallies that tell days or hours apart."""
    ledger = Ledger(zone=zone)
    frame = pl.read_ipc(io.BytesIO(data))
    about: dict[str, Any] = json.loads(frame["about"].drop_nulls()[0])
    for name, rows in frame.select("name", "rows").iter_rows():
        if name is not None and name in BY_NAME and (not by_time or tells_time(BY_NAME[name])):
            ledger.put(name, _fitting(name, pl.read_ipc(io.BytesIO(rows))))
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


def _packed(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    # Texts in one piece: what was taken out of a frame is not written with it.
    frame.write_ipc(out, compression="zstd", compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def _stamp(instant: object) -> str | None:
    return instant.isoformat() if isinstance(instant, datetime) else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
