"""All that a store holds of a person, as frames; and these as bytes, for the daemon's socket."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.privacy.person import Person
from mailscope.store import days
from mailscope.store.audit import entries
from mailscope.store.database import Queries
from mailscope.store.holding import find, rows_of
from mailscope.tallies import kept
from mailscope.vocabulary.bundles import packed
from mailscope.vocabulary.tables import TABLES

# Of no use to a person.
INTERNAL = ("batch",)
TALLIES, LOOKUPS = "tallies", "lookups"


def everything(looking: Queries, person: Person) -> dict[str, pl.DataFrame]:
    """The rows of each table, of the hourly tallies, and when somebody looked the person up (not who)."""
    held = find(looking, person)
    found = {
        name: rows_of(looking, person, held, table).drop(INTERNAL, strict=False)
        for name, table in TABLES.items()
    }
    mine = [
        {"time": entry.time, "command": entry.what, "asked": entry.asked}
        for entry in entries(looking.directory)
        if person.worded(person.text(entry.asked), person.logins) != entry.asked
    ]
    return {**found, TALLIES: _tallies(looking, person), LOOKUPS: pl.DataFrame(mine)}


def _tallies(looking: Queries, person: Person) -> pl.DataFrame:
    """The rows of hourly tallies that name a person: hour, name of the tally, its keys and figures."""
    found = []
    for hour, data in days.hours(looking):
        for name, part in kept.from_bytes(bytes(data), ZoneInfo("UTC")).parts().items():
            mine = part.filter(person.rows(part)[1])
            if len(mine):
                where = (pl.lit(hour, pl.Datetime("us")).alias("hour"), pl.lit(name).alias("tally"))
                found.append(mine.select(*where, pl.all()))
    return pl.concat(found, how="diagonal_relaxed") if found else pl.DataFrame()


def to_bytes(frames: dict[str, pl.DataFrame]) -> bytes:
    """Frames by name as bytes."""
    rows = [packed(frame) for frame in frames.values()]
    return packed(
        pl.DataFrame({"name": [*frames], "rows": rows}, schema={"name": pl.String, "rows": pl.Binary})
    )


def from_bytes(data: bytes) -> dict[str, pl.DataFrame]:
    """The frames that ``to_bytes`` was given."""
    whole = pl.read_ipc(io.BytesIO(data))
    return {name: pl.read_ipc(io.BytesIO(rows)) for name, rows in whole.iter_rows()}
