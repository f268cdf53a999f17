"""Running the whole flow over some logs, and putting what comes of it into a form that can be compared.

Trails have numbers that depend on how the lines were cut into batches; here a message is known by its host,
queue id and first instant instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.intake.reader import Source, sniff_compression
from mailscope.intake.sources import Sources
from mailscope.pipeline import Pipeline, restarting
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library, load
from mailscope.sequence import merge
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tables import needed_fields

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 11, 23, 12)
FUZZ = int(os.environ.get("MAILSCOPE_FUZZ", "0"))
EVERYTHING = 1 << 30


def examples(few: int, most: int = EVERYTHING) -> int:
    """How many examples a property test tries: a few, or as many as MAILSCOPE_FUZZ says (``most`` of a slow one)."""
    return min(FUZZ, most) or few


_libraries: list[Library] = []


def library() -> Library:
    """The shipped patterns, loaded once."""
    if not _libraries:
        _libraries.append(load())
    return _libraries[0]


def source(path: Path, set_id: str | None = None, age_rank: int = 0, mtime: datetime | None = NOW) -> Source:
    """A file as a source of its own, or as one of a set."""
    data = path.read_bytes()
    written = None if mtime is None else mtime.replace(tzinfo=UTC).timestamp()
    return Source(
        str(path), path.name, set_id or str(path), age_rank, written, len(data), sniff_compression(data[:10])
    )


@dataclass
class Run:
    """What came of a run."""

    ledger: Ledger
    batches: list[list[Events]]
    tables: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def table(self, name: str) -> pl.DataFrame:
        """All rows of one of the outcome's tables."""
        frames = [frame for frame in self.tables.get(name, []) if len(frame)]
        return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()

    def rows(self, name: str, *columns: str) -> list[dict[str, Any]]:
        """Rows of a table as dictionaries, some columns of them."""
        frame = self.table(name)
        return frame.select(columns or frame.columns).to_dicts() if len(frame) else []

    @property
    def names(self) -> dict[int, tuple[Any, ...]]:
        """How each trail is called here."""
        rows = self.rows("messages", "trail", "host", "queue_id", "first_time")
        return {row["trail"]: (row["host"], row["queue_id"], row["first_time"]) for row in rows}

    @property
    def messages(self) -> list[tuple[Any, ...]]:
        """All messages, without what depends on batches."""
        frame = self.table("messages")
        if not len(frame):
            return []
        return ordered(frame.drop("trail", "key", "superseded").sort(pl.all()).iter_rows())

    @property
    def recipients(self) -> list[tuple[Any, ...]]:
        """All recipients with their fates and their messages."""
        names = self.names
        wanted = ("trail", "recipient", "fate", "attempts", "recipients")
        return ordered(
            (names[row["trail"]], *list(row.values())[1:]) for row in self.rows("recipients", *wanted)
        )

    @property
    def deliveries(self) -> list[tuple[Any, ...]]:
        """All attempts with what is known of their messages."""
        names = self.names
        frame = self.table("deliveries")
        if not len(frame):
            return []
        columns = [
            name for name in sorted(frame.columns) if name not in ("row", "order", "key", "trail", "linked")
        ]
        return ordered(
            (names.get(row["trail"]), *(rounded(row[name]) for name in columns))
            for row in frame.iter_rows(named=True)
        )

    @property
    def links(self) -> list[tuple[Any, ...]]:
        """All links, by the names of the messages at both ends."""
        names = self.names
        rows = self.rows("links")
        return ordered(
            (
                *(names.get(row["trail"]), names.get(row["trail_to"])),
                *(row["time"], row["kind"], row["evidence"], row["confidence"]),
            )
            for row in rows
        )

    @property
    def tallies(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every tally; sums of fractions are rounded, as they are added in another order."""
        out = {}
        for tally in self.ledger.wanted:
            rows = self.ledger.result(tally.name).iter_rows()
            out[tally.name] = ordered(tuple(rounded(cell) for cell in row) for row in rows)
        out["lines"] = ordered(self.ledger.result("lines").iter_rows())
        return out

    @property
    def totals(self) -> dict[str, int]:
        """Lines read, recognised, ..."""
        return self.ledger.totals


def ordered(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order that nulls do not disturb."""
    return sorted(rows, key=repr)


def pipeline(
    sources: Iterable[Source],
    *,
    stdin: BinaryIO | None = None,
    chunk_bytes: int = EVERYTHING,
    zone: ZoneInfo = UTC_ZONE,
    now: datetime = NOW,
    needed: Mapping[str, frozenset[str]] | None = None,
) -> Pipeline:
    """The flow over some sources."""
    return Pipeline(Sources(list(sources), zone, now, stdin, chunk_bytes=chunk_bytes), library(), needed)


def run(
    sources: Iterable[Source],
    *,
    chunk_bytes: int = EVERYTHING,
    chunks_a_batch: int = 3,
    zone: ZoneInfo = UTC_ZONE,
    now: datetime = NOW,
    needed: Mapping[str, frozenset[str]] | None = None,
    keep: bool = False,
) -> Run:
    """Read sources to the end.  ``keep`` also keeps the batches of events."""
    flow = pipeline(sources, chunk_bytes=chunk_bytes, zone=zone, now=now, needed=needed)

    def work(again: Pipeline) -> Run:
        done = Run(Ledger(), [])
        for batch, outcome in again.follow():
            done.ledger.add(batch, outcome)
            for name in ("deliveries", "arrivals", "sized", "messages", "recipients", "links"):
                done.tables.setdefault(name, []).append(getattr(outcome, name))
            if keep and batch:
                done.batches.append(batch)
        return done

    before = merge.CHUNKS_A_BATCH
    merge.CHUNKS_A_BATCH = chunks_a_batch  # type: ignore[misc]
    try:
        return restarting(flow, work)
    finally:
        merge.CHUNKS_A_BATCH = before  # type: ignore[misc]


def light() -> Mapping[str, frozenset[str]]:
    """The fields that a report needs."""
    return needed_fields()


def rounded(cell: Any) -> Any:
    """A figure without the last digits, which depend on the order of adding up."""
    return round(cell, 3) if isinstance(cell, float) else cell


def postfix(log: str) -> str:
    """A log told briefly: on each line a time of day (``3.12:00:05`` for the third day), a daemon and a text."""
    lines = []
    for line in filter(str.strip, log.splitlines()):
        when, daemon, text = line.strip().split(" ", 2)
        lines.append(f"{stamp(when)} mx1 postfix/{daemon}[1]: {text}\n")
    return "".join(lines)


def qmail(log: str) -> str:
    """The same for qmail-send: a time of day and a text."""
    lines = (line.strip().split(" ", 1) for line in filter(str.strip, log.splitlines()))
    return "".join(f"{stamp(when)} mx1 qmail: {text}\n" for when, text in lines)


def stamp(when: str) -> str:
    day, _, time = when.rpartition(".")
    return f"2026-09-{int(day or 1):02}T{time}Z"


def at(when: str) -> datetime:
    """The instant that ``postfix`` and ``qmail`` make of a time of day."""
    return datetime.fromisoformat(stamp(when)).replace(tzinfo=None)


def told(log: str, *, cut: bool = True) -> Run:
    """What comes of a log; the same, line by line, as in one piece (unless not to ``cut``)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mail.log"
        path.write_text(log)
        whole = run([source(path)])
        if cut:
            single = run([source(path)], chunk_bytes=1, chunks_a_batch=1)
            for name in ("messages", "recipients", "deliveries", "links", "totals", "tallies"):
                assert getattr(single, name) == getattr(whole, name), name
    assert not whole.totals["unrecognised"], whole.totals
    return whole
