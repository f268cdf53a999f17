"""TLS connections fail far more often than at other times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.columns import own
from mailscope.vocabulary.settings.detections.host import TlsFailures as Settings
from mailscope.watch.baseline import Baseline
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.seen import Seen

FAILED: Final = "tls_failed"
HOUR: Final = timedelta(hours=1)
# Of so few peers, nothing is told: that is one broken client or server.
FEWEST_PEERS: Final = 5
# A spread below this is that of chance.
FLOOR: Final = 5.0
# Of less history only gross numbers are told.
FEWEST_HOURS, GROSS = 48, 10
NUL: Final = "\0"
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String, "time": pl.Datetime("us"), "peer": pl.String
}  # fmt: skip
MOST_ROWS: Final = 20_000


class TlsFailures:
    """Counts failures by host and service in each hour, and holds them against such hours of other weeks."""

    about: ClassVar[About] = About(
        name="tls_failures",
        sees="Far more failed TLS handshakes or verifications of a service than is normal at this "
        "hour, of several peers.",
        why="A certificate, key or chain is broken, an update has switched off a protocol that clients "
        "need, or a large provider has changed something: mail is put off or goes in the clear.",
        false_positives="Scanners that try old protocols come in waves from few addresses; of fewer "
        "than five peers nothing is told.",
        advice="Look at the reasons: 'no shared cipher' and 'unsupported protocol' are about settings, "
        "'certificate ...' about certificates. Try it: openssl s_client -starttls smtp -connect HOST:25.",
        commands=("mailscope events --event tls_failed --since '2 hours ago'",),
        quiet_s=3 * 3_600,
    )
    needs: ClassVar = {FAILED: ("client_ip", "relay_ip", "reason")}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self._baseline = Baseline()
        # The failures of hours that are not over.
        self._hour: datetime | None = None
        self._rows = pl.DataFrame(schema=SCHEMA)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = seen.events((FAILED,), self.needs[FAILED])
        if len(rows):
            key = pl.concat_str(pl.col("host", "service").fill_null(""), separator=NUL)
            rows = rows.with_columns(
                key.alias("key"), pl.coalesce("client_ip", "relay_ip").fill_null("").alias("peer")
            )
            together = pl.concat([self._rows, own(rows.select(SCHEMA.keys()))]).sort("time")
            self._rows = together.tail(MOST_ROWS)
        now = seen.now.replace(minute=0, second=0, microsecond=0)
        if self._hour is None:
            first = seen.lines["time"].min() if len(seen.lines) else None
            self._hour = (first if isinstance(first, datetime) else now).replace(
                minute=0, second=0, microsecond=0
            )
        if now - self._hour > timedelta(weeks=8):
            self._hour = now - timedelta(weeks=8)
        while self._hour <= now:
            hour = self._hour
            mine = self._rows.filter(pl.col("time") < hour + HOUR)
            if len(mine):
                yield from self._judge(seen, rows, hour, mine)
            if hour == now:
                return
            self._baseline.add(hour, dict(mine.group_by("key").len().iter_rows()))
            self._rows = self._rows.filter(pl.col("time") >= hour + HOUR)
            self._hour = hour + HOUR

    def _judge(self, seen: Seen, rows: pl.DataFrame, hour: datetime, mine: pl.DataFrame) -> Iterator[Signal]:
        counted = mine.group_by("key").agg(
            pl.len().alias("failures"), pl.col("peer").n_unique().alias("peers"),
            pl.col("time").min().alias("since"), pl.col("time").sort(), pl.col("time").max().alias("last"),
        )  # fmt: skip
        many = counted.filter(pl.col("failures") >= self.settings.failures, pl.col("peers") >= FEWEST_PEERS)
        for row in many.sort("last").iter_rows(named=True):
            norm = self._baseline.norm(row["key"], hour)
            limit = norm.median + self.settings.spreads * max(norm.spread, FLOOR)
            if self._baseline.hours < FEWEST_HOURS:
                limit = GROSS * self.settings.failures
            if row["failures"] < max(limit, self.settings.failures):
                continue
            host, service = row["key"].split(NUL)
            # It could be known with the failure that reached the limit.
            reached = row["time"][max(0, round(max(limit, self.settings.failures)) - 1)]
            evidence = rows.filter(pl.col("key") == row["key"]) if len(rows) else rows
            yield Signal(
                subject={"host": host, "service": service},
                time=max(reached, row["since"]),
                since=row["since"],
                severity="warning",
                title=Phrase(
                    "{host}: {count} TLS failures of {service} with {peers} peers an hour, usually {usual}",
                    host=host, count=row["failures"], service=service, peers=row["peers"],
                    usual=round(norm.median),
                ),
                figures={
                    "failures": row["failures"], "peers": row["peers"], "usual": norm.median,
                    "history_hours": self._baseline.hours,
                },
                lines=seen.evidence(evidence) if len(evidence) else (),
            )  # fmt: skip

    def state(self) -> Frames:
        """What it remembers."""
        at = pl.DataFrame({"hour": [self._hour]}, schema={"hour": pl.Datetime("us")})
        return {**self._baseline.state(), "rows": self._rows, "at": at}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._baseline.resume(state)
        rows, at = state.get("rows"), state.get("at")
        if rows is not None and at is not None and rows.schema == SCHEMA:
            self._rows, self._hour = rows, at["hour"][0]
