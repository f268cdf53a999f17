"""Stores for tests: made of logs in whatever pieces, and compared by what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from running import library

from mailscope.intake.live import Arrival
from mailscope.sequence.live import LiveSequence
from mailscope.store.alongside import Alongside
from mailscope.store.database import Database
from mailscope.store.writer import Writer

ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 11, 27, 12)
LAB = Path(__file__).parent.parent / "examples" / "postfix" / "mail.log.1"
# What a row of each table is known by; numbers of batches depend on the cuts.
ORDER = {
    "events": ["source", "line_number"],
    "messages": ["trail_id"],
    "deliveries": ["time", "queue_id", "recipient", "status"],
    "sessions": ["start_time", "kind", "pid", "client_ip", "client_port", "queue_ids", "end_time"],
    "links": ["time", "trail_id", "trail_id_to"],
}


def lab_lines() -> list[bytes]:
    return LAB.read_bytes().splitlines(keepends=True)


def arrivals(lines: Sequence[bytes], cuts: Iterable[int], source: str = "mail.log") -> list[Arrival]:
    """Lines as arrivals, cut at some lines."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(lines)}), len(lines)]
    return [
        Arrival(source, b"".join(lines[a:b]), line_number=a + 1, resume={"offset": b}, set_id=source)
        for a, b in zip(edges, edges[1:], strict=False)
    ]


class Feeder:
    """A writer that is fed arrivals."""

    def __init__(self, directory: Path, alongside: Alongside | None = None) -> None:
        self.database = Database(directory)
        self.writer = Writer(self.database, library(), ZONE, alongside)
        self.sequence = LiveSequence(self.writer.engine, ZONE)

    def feed(self, *arrived: Arrival) -> None:
        batch = self.sequence.batch(arrived, NOW)
        self.writer.write(
            batch,
            {arrival.source: arrival.resume for arrival in arrived},
            {arrival.source: arrival.set_id for arrival in arrived},
        )

    def close(self) -> None:
        self.database.close()


def contents(database: Database) -> dict[str, pl.DataFrame]:
    """All documented rows, in an order that does not depend on how they came."""
    return {
        name: database.frame(f"select * from {name}").select(pl.exclude("batch")).sort(by, nulls_last=True)
        for name, by in ORDER.items()
    }


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name, frame in one.items():
        assert len(frame) == len(other[name]), name
        for column in frame.columns:
            assert frame[column].equals(other[name][column]), f"{name}.{column}"
