"""Far more messages wait than usual, in all or for one domain, and they do not leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import QueueSize as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.hourly import Hourly, Limit
from mailscope.watch.mailflow import attempts
from mailscope.watch.seen import Seen
from mailscope.watch.waiting import PULSE_S, Level, Waiting

ALL: Final = "*"
# Where one domain has so much of what waits, it is told of by itself.
OWN_SHARE: Final = 0.6
MOST_DOMAINS: Final = 3
LEVELS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "time": pl.Datetime("us"),
    "key": pl.String,
    "n": pl.Float64,
}
PULSES_AN_HOUR: Final = 3_600 // PULSE_S


class QueueSize:
    """Compares what waits every five minutes with the mean of such hours."""

    about: ClassVar[About] = About(
        name="queue_size",
        sees="Far more messages than usual wait in the queue, in all or for one domain, and half of them "
        "have waited for a while. Counted from the queue itself where the daemon may read it, otherwise "
        "from the log: messages taken in and not yet gone.",
        why="Mail is late, and the disk fills. A destination is down, DNS fails, a filter hangs, or this "
        "host sends spam.",
        false_positives="A large mailing to slow destinations. Where the queue cannot be read, missing "
        "lines: of a message whose end was not logged, it is believed for seven days that it waits.",
        advice="Look what the replies say and who sent what waits. Mail for a destination that is down "
        "leaves by itself when it is back; spam should be held or deleted; a filter or DNS that fails must "
        "be mended.",
        commands=("mailscope queue causes", "mailscope report"),
    )
    needs = FIELDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._waiting = Waiting(settings.messages_domain)
        self._alone = True
        self._all = self._usually(settings.messages)
        self._domains = self._usually(settings.messages_domain)

    def _usually(self, least: float) -> Hourly:
        settings = self.settings
        return Hourly(least / 4, least, least * settings.gross, settings.times, settings.history_h)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = attempts(seen, self.site)
        deferred = rows.filter(pl.col("status") == "deferred") if len(rows) else rows
        # The queue itself is surer than what lines say of it.
        levels = list(self._waiting.levels(seen, deferred))
        if self._is_whole(seen):
            levels = [self.site.queue.near(level) for level in levels]
        everything = [(level.time - timedelta(seconds=PULSE_S), ALL, level.messages) for level in levels]
        single = [
            (level.time - timedelta(seconds=PULSE_S), name, count)
            for level in levels
            for name, count in level.by_domain.items()
        ]
        self._all.add(seen, _counted(everything))
        self._domains.add(seen, _counted(single))
        for level in levels:
            yield from self._judge(level)

    def _is_whole(self, seen: Seen) -> bool:
        """Whether the queue that is looked at is all there is: no messages of other hosts come by."""
        if self._alone and self.site.queue.host and len(seen.messages):
            hosts = seen.messages["host"].drop_nulls().unique().to_list()
            self._alone = all(host.partition(".")[0].lower() == self.site.queue.host for host in hosts)
        return self._alone

    def _judge(self, level: Level) -> Iterator[Signal]:
        apart = max(level.by_domain.values(), default=0) >= OWN_SHARE * level.messages
        if level.messages >= self.settings.messages and not apart:
            limit = self._all.limit(ALL, level.time)
            if level.messages >= limit.value:
                yield from self._signal(level, None, level.rows(), limit)
        for name, count in level.by_domain.items():
            limit = self._domains.limit(name, level.time)
            if count >= limit.value:
                yield from self._signal(level, name, level.rows(name), limit)

    def _signal(self, level: Level, domain: str | None, rows: pl.DataFrame, limit: Limit) -> Iterator[Signal]:
        middle, oldest = rows["begin"].median(), rows["begin"].min()
        assert isinstance(middle, datetime)
        assert isinstance(oldest, datetime)
        if (level.time - middle).total_seconds() < self.settings.oldest_s:
            return
        age = (level.time - oldest).total_seconds()
        title = (
            Phrase(
                "{count} messages wait, the oldest for {hours} hours",
                count=len(rows),
                hours=round(age / 3_600, 1),
            )
            if domain is None
            else Phrase(
                "{count} messages to {domain} wait, the oldest for {hours} hours",
                count=len(rows),
                domain=domain,
                hours=round(age / 3_600, 1),
            )
        )
        most = (
            rows["domain"].drop_nulls().value_counts(sort=True).head(MOST_DOMAINS) if domain is None else None
        )
        reasons = (
            []
            if most is None
            else [Phrase("{domain}: {count}", domain=each, count=n) for each, n in most.iter_rows()]
        )
        yield Signal(
            subject={} if domain is None else {"domain": domain},
            time=level.time,
            since=middle,
            severity="critical" if len(rows) >= 5 * limit.value else "warning",
            title=title,
            figures={
                "waiting": len(rows),
                "oldest_s": round(age),
                "limit": round(limit.value),
                "usual": limit.median,
            },
            reasons=(*reasons, *limit.reasons),
        )

    def state(self) -> Frames:
        """What it remembers."""
        return {**self._waiting.state(), **self._all.state("all"), **self._domains.state("domains")}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._waiting.resume(state)
        self._all.resume(state, "all")
        self._domains.resume(state, "domains")


def _counted(levels: list[tuple[datetime, str, int]]) -> pl.DataFrame:
    """Levels as parts of their hour's mean."""
    rows = [(time, key, count / PULSES_AN_HOUR) for time, key, count in levels]
    return pl.DataFrame(rows, schema=LEVELS, orient="row")
