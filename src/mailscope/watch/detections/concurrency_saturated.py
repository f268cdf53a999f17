"""All slots for deliveries or connections are taken for a long time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.host import ConcurrencySaturated as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.seen import Seen

STATUS: Final = "concurrency"
SIDES: Final = (
    ("local", "local_concurrency", "local_limit"),
    ("remote", "remote_concurrency", "remote_limit"),
    ("connections", "value", "limit"),
)
# master(8) says so itself, at most once in a while.
LIMIT: Final = r'service "(?<service>[^"]+)" \([^)]*\) has reached its process limit "(?<limit>[0-9]+)"'
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "host": pl.String, "side": pl.String, "since": pl.Datetime("us")
}  # fmt: skip


class ConcurrencySaturated:
    """Follows qmail's and tcpserver's ``status:`` lines, and Postfix' words on process limits."""

    about: ClassVar[About] = About(
        name="concurrency_saturated",
        sees="qmail-send or tcpserver at its limit in every status line of some minutes, or a Postfix "
        "service that has reached its process limit.",
        why="What comes now waits until a slot is free: mail is late, and clients wait for an answer.",
        false_positives="A short burst, such as a newsletter that is being sent: it is over when that is.",
        advice="Look what takes the slots: one slow destination (mailscope report, the section on "
        "delays) or one busy client. Then raise concurrencyremote, concurrencylocal, tcpserver -c, or "
        "maxproc in master.cf.",
        commands=("mailscope report --since '1 hour ago'",),
        quiet_s=1_800,
    )
    needs: ClassVar = {
        STATUS: ("local_concurrency", "local_limit", "remote_concurrency", "remote_limit", "value", "limit"),
        "warned": (),
    }

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        # Since when each side is full without a break.
        self._full: dict[tuple[str, str], datetime] = {}

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = seen.events((STATUS,), self.needs[STATUS])
        if len(rows):
            rows = rows.with_columns(pl.col("host").fill_null(""))
            for side, taken, limit in SIDES:
                yield from self._side(seen, rows.filter(pl.col(limit) > 0), side, taken, limit)
        yield from self._process_limits(seen)

    def _side(self, seen: Seen, rows: pl.DataFrame, side: str, taken: str, limit: str) -> Iterator[Signal]:
        least = timedelta(seconds=self.settings.least_s)
        for (host,), mine in rows.group_by("host", maintain_order=True):
            key = str(host), side
            full = mine.with_columns((pl.col(taken) >= pl.col(limit)).alias("full"))
            # Only where it changes, and the last line, something can be new.
            edges = full.filter(
                pl.col("full").ne_missing(pl.col("full").shift()) | (pl.int_range(pl.len()) == pl.len() - 1)
            )
            for row in edges.iter_rows(named=True):
                since = self._full.get(key)
                if since is not None and row["time"] - since >= least:
                    when = row["time"] if row["full"] else max(since + least, row["time"])
                    yield Signal(
                        subject={"host": key[0], "side": side},
                        time=min(when, since + least) if when - since < 2 * least else when,
                        since=since,
                        severity="warning",
                        title=Phrase(
                            "{host}: all {limit} slots ({side}) are taken for {minutes} minutes", host=key[0],
                            limit=row[limit], side=side,
                            minutes=round((row["time"] - since).total_seconds() / 60),
                        ),
                        figures={"limit": row[limit], "seconds": (row["time"] - since).total_seconds()},
                        lines=seen.evidence(mine.tail(3)),
                    )  # fmt: skip
                if row["full"]:
                    self._full.setdefault(key, row["time"])
                else:
                    self._full.pop(key, None)

    def _process_limits(self, seen: Seen) -> Iterator[Signal]:
        rows = seen.events(("warned",), ("text",))
        if not len(rows):
            return
        rows = rows.filter(pl.col("text").str.contains(LIMIT))
        for row in rows.iter_rows(named=True):
            found = pl.Series([row["text"]]).str.extract_groups(LIMIT).struct.unnest().row(0, named=True)
            yield Signal(
                subject={"host": row["host"] or "", "side": found["service"]},
                time=row["time"],
                since=row["time"],
                severity="warning",
                title=Phrase(
                    "{host}: all {limit} processes of {service} are busy", host=row["host"] or "",
                    limit=found["limit"], service=found["service"],
                ),
                figures={"limit": int(found["limit"])},
                lines=seen.evidence(rows.filter(pl.col("order") == row["order"])),
            )  # fmt: skip

    def state(self) -> Frames:
        """What it remembers."""
        rows = [(host, side, since) for (host, side), since in self._full.items()]
        return {"full": pl.DataFrame(rows, schema=SCHEMA, orient="row")}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        frame = state.get("full")
        if frame is not None and frame.schema == SCHEMA:
            self._full = {(host, side): since for host, side, since in frame.iter_rows()}
