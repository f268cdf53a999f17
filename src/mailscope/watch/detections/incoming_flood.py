"""Refusals, connections or messages of strangers far above what is usual: of one network, or of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.flow import IncomingFlood as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.hourly import Hourly, Limit
from mailscope.watch.mailflow import REFUSALS, arrivals, refusals, strangers
from mailscope.watch.seen import Seen
from mailscope.watch.window import BUCKET, LAST, SINCE, Measure, Window, told

HOUR_S: Final = 3_600
ALL: Final = "*"
REFUSED, CONNECTIONS, MESSAGES = "refused", "connections", "messages"
KINDS: Final = (REFUSED, CONNECTIONS, MESSAGES)
# A network is told of by itself if so much of all is its own; otherwise all are told of together.
OWN_SHARE: Final = 0.4
TITLES: Final = {
    REFUSED: Phrase("{count} refusals in an hour, of {who}"),
    CONNECTIONS: Phrase("{count} connections in an hour, of {who}"),
    MESSAGES: Phrase("{count} messages of strangers in an hour, of {who}"),
}


class IncomingFlood:
    """Counts what strangers do, by network and in all."""

    about: ClassVar[About] = About(
        name="incoming_flood",
        sees="Refusals, connections or messages from outside, of one network or in all, far above what is "
        "usual at such an hour.",
        why="A wave of spam, or somebody who wants to keep this host from its work.",
        false_positives="A large sender that comes back after an outage, on either side, with what has "
        "waited.",
        advice="Look what is refused and why. Block a network that sends nothing else; limit connections of "
        "one client (Postfix: smtpd_client_connection_rate_limit, postscreen), and look whether own mail "
        "still comes through.",
        commands=("mailscope about {network}",),
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **REFUSALS,
        "connected": ("client_ip",),
        "connection_denied": ("client_ip",),
    }

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._floors = {kind: float(getattr(settings, kind)) for kind in KINDS}
        self._windows = {kind: Window(("network",), (Measure("n", "sum", "n"),), HOUR_S) for kind in KINDS}
        self._usual = {
            kind: Hourly(floor / 4, floor, floor * settings.gross, settings.times, settings.history_h)
            for kind, floor in self._floors.items()
        }

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        for kind in KINDS:
            rows = self._rows(seen, kind)
            counted = _counted(rows)
            self._usual[kind].add(seen, counted.rename({"network": "key"}))
            if len(counted):
                yield from self._found(seen, kind, rows, counted)

    def _found(self, seen: Seen, kind: str, rows: pl.DataFrame, counted: pl.DataFrame) -> Iterator[Signal]:
        window = self._windows[kind].add(counted, {"n": self._floors[kind] * OWN_SHARE})
        if not len(window):
            return
        limits: dict[tuple[str, Any], Limit] = {}
        for row in self._chosen(kind, window, counted).iter_rows(named=True):
            limit = self._usual[kind].limit(row["network"], row[LAST])
            if row["n"] >= max(limit.value, self._floors[kind]):
                limits[row["network"], row[BUCKET]] = limit
        if not limits:
            return
        passed = [place in limits for place in window.select("network", BUCKET).iter_rows()]
        for row in told(window.filter(pl.Series(passed)), ("network",), "n", self.about.quiet_s).iter_rows(
            named=True
        ):
            mine = rows.filter(pl.col("time").is_between(row[SINCE], row[LAST]))
            if row["network"] != ALL:
                mine = mine.filter(pl.col("network") == row["network"])
            yield _signal(seen, kind, row, limits[row["network"], row[BUCKET]], mine)

    def _chosen(self, kind: str, window: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
        """Single networks where they make much of all, and all where none does."""
        least = self._floors[kind]
        everything = window.filter(pl.col("network") == ALL, pl.col("n") >= least)
        single = window.filter(pl.col("network") != ALL, pl.col("n") >= least)
        together = window.filter(pl.col("network") == ALL).select(BUCKET, pl.col("n").alias("_all"))
        single = single.join(together, on=BUCKET, how="left").filter(
            pl.col("n") >= OWN_SHARE * pl.col("_all")
        )
        spread = [
            self._largest(kind, since, last, counted) < OWN_SHARE * n
            for since, last, n in everything.select(SINCE, LAST, "n").iter_rows()
        ]
        return pl.concat([single.drop("_all"), everything.filter(pl.Series(spread, dtype=pl.Boolean))]).sort(
            LAST
        )

    def _largest(self, kind: str, since: datetime, last: datetime, counted: pl.DataFrame) -> float:
        """What the largest network has in some time: of this batch, or with what came before."""
        now = counted.filter(pl.col("network") != ALL, pl.col("time").is_between(since, last))
        kept = self._windows[kind].kept("sums")
        kept = kept.filter(pl.col("network") != ALL, pl.col(SINCE) >= since, pl.col(LAST) <= last)
        sums = [
            now.group_by("network").agg(pl.col("n").sum()),
            kept.group_by("network").agg(pl.col("n").sum()),
        ]
        tops = [each.to_series(1).max() for each in sums]
        return max((float(top) for top in tops if isinstance(top, float)), default=0.0)

    def _rows(self, seen: Seen, kind: str) -> pl.DataFrame:
        if kind == MESSAGES:
            return arrivals(seen, self.site)
        if kind == CONNECTIONS:
            rows = seen.events(("connected", "connection_denied"), ("client_ip",))
            return strangers(rows.select("time", "order", "client_ip"), self.site) if len(rows) else rows
        return refusals(seen, self.site)

    def state(self) -> Frames:
        """What it remembers."""
        kept: dict[str, pl.DataFrame] = {}
        for kind in KINDS:
            kept |= self._windows[kind].state(f"{kind}.window") | self._usual[kind].state(f"{kind}.usual")
        return kept

    def resume(self, state: Frames) -> None:
        """Remember that."""
        for kind in KINDS:
            self._windows[kind].resume(state, f"{kind}.window")
            self._usual[kind].resume(state, f"{kind}.usual")


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by network and second, and all of them together: ``time``, ``network``, ``n``."""
    if not len(rows):
        return pl.DataFrame(schema={"time": pl.Datetime("us"), "network": pl.String, "n": pl.Float64})
    # The second is enough, and a flood has thousands of rows in one.
    second = pl.col("time").dt.truncate("1s")
    by = rows.group_by("network", second.alias("_second")).agg(
        pl.col("time").max(), pl.len().cast(pl.Float64).alias("n")
    )
    together = (
        by.group_by("_second").agg(pl.col("time").max(), pl.col("n").sum()).with_columns(network=pl.lit(ALL))
    )
    columns = ("time", "network", "n")
    return pl.concat([by.select(columns), together.select(columns)])


def _signal(seen: Seen, kind: str, row: dict[str, Any], limit: Limit, mine: pl.DataFrame) -> Signal:
    count, network = round(row["n"]), str(row["network"])
    who = Phrase("all networks") if network == ALL else network
    return Signal(
        subject={"kind": kind} | ({} if network == ALL else {"network": network}),
        time=row[LAST],
        since=row[SINCE],
        severity="critical" if count >= 10 * limit.value else "warning",
        title=Phrase(TITLES[kind].template, count=count, who=who),
        figures={kind: count, "limit": round(limit.value), "usual": limit.median},
        reasons=limit.reasons,
        lines=seen.evidence(mine),
    )
