"""What waits in the queues, looked at now and then beside the logs.

In: the spools of this host's MTAs.  Out: rows of ``queue_snapshots``, and what waits as detections look at
it.  A queue is gone through a little at a time, as often as the settings say, but not so often that it takes
more than a small part of a processor: a hundred thousand messages are looked at every few minutes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from mailscope.daemon.load import DTYPES
from mailscope.queues.counts import Count
from mailscope.queues.entry import CANCELED, DEFERRED, DONE, QueueEntry, Spool
from mailscope.queues.registry import MTAS, Mta, choose
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.instants import naive
from mailscope.vocabulary.tables import QUEUE_SNAPSHOTS
from mailscope.watch.waiting import END, SCHEMA, Latest, Level

# Seconds that one step may take, so that lines do not wait for it.
STEP_S: Final = 0.05
# A look that took a second is not begun again for so many.
SPARING: Final = 50
MOST_DOMAINS: Final = 50
MOST_TOLD: Final = 5
# Messages whose arrival is kept for detections.
MOST_FOLLOWED: Final = 200_000


@dataclass
class Look:
    """One look at all queues, as far as it has come."""

    time: datetime
    places: Sequence[tuple[Mta, Path]]
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spent_s: float = 0.0
    queues: dict[tuple[str, str], Count] = field(default_factory=dict)
    domains: dict[tuple[str, str], Count] = field(default_factory=dict)
    followed: list[tuple[int, datetime, str | None, datetime | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._entries = self._all()

    def step(self, seconds: float) -> bool:
        """Go on for so long; whether it is at its end."""
        begun = time.monotonic()
        try:
            for mta, entry in self._entries:
                self._add(mta, entry)
                if time.monotonic() - begun > seconds:
                    return False
        finally:
            self.spent_s += time.monotonic() - begun
        return True

    def _all(self) -> Iterator[tuple[str, QueueEntry]]:
        """What is in all queues; of one that cannot be read, that is noted.  An empty queue is told, too."""
        instant = self.time.replace(tzinfo=UTC).timestamp()
        for mta, place in self.places:
            before = len(self.troubles)
            try:
                spool = Spool(place, instant, self.troubles.append, asking=True, note=self.notes.append)
                for entry in mta.read()(spool):
                    yield mta.name, entry
            except (MailscopeError, OSError) as error:
                self.troubles.append(f"the queue is not looked at: {error}")
            if len(self.troubles) == before:
                for name in mta.queues:
                    self.queues.setdefault((mta.name, name), Count())

    def _add(self, mta: str, entry: QueueEntry) -> None:
        waiting = [each for each in entry.recipients if each.status not in (DONE, CANCELED)]
        self.queues.setdefault((mta, entry.queue), Count()).add(entry, len(waiting))
        put_off = Counter(
            each.recipient.rpartition("@")[2].lower() for each in waiting if each.status == DEFERRED
        )
        for domain, recipients in put_off.items():
            self.domains.setdefault((mta, domain), Count()).add(entry, recipients)
        if entry.arrival_time is not None and len(self.followed) < MOST_FOLLOWED:
            came = _instant(entry.arrival_time)
            tried = _instant(entry.last_attempt_time) or came
            first = next(iter(put_off), None)
            # A number that tells messages apart, as a trail's does.
            trail = hash((mta, entry.queue_id)) & 0xFFFFFFFFFFFFFFFF
            assert came is not None
            self.followed.append((trail, came, first, tried if first is not None else None))

    def rows(self, host: str) -> pl.DataFrame:
        """The rows: one of each queue, and of the domains with most messages."""
        most = sorted(self.domains.items(), key=lambda item: (-item[1].messages, item[0]))[:MOST_DOMAINS]
        found = [self._row(host, mta, count, queue_name=name) for (mta, name), count in self.queues.items()]
        found += [self._row(host, mta, count, domain=name) for (mta, name), count in most]
        schema = {column.name: DTYPES[column.kind] for column in QUEUE_SNAPSHOTS.columns}
        return pl.DataFrame(
            [[row.get(name) for name in schema] for row in found], schema=schema, orient="row"
        )

    def _row(self, host: str, mta: str, count: Count, **names: str) -> dict[str, Any]:
        return {
            "time": self.time,
            "host": host,
            "mta": mta,
            **{name: shown.encode("utf-8", "replace").decode() for name, shown in names.items()},
            "messages": count.messages,
            "recipients": count.recipients,
            "size_bytes": count.size_bytes,
            "oldest_time": _instant(count.oldest),
            "next_retry_time": _instant(count.next_retry),
            "damaged": count.damaged,
        }

    def level(self) -> Level:
        """What waits, as detections look at it."""
        by_domain: Counter[str] = Counter()
        for (_, domain), count in self.domains.items():
            by_domain[domain] += count.messages
        schema = {name: SCHEMA[name] for name in ("trail", "begin", "domain", "put_off")}
        frame = pl.DataFrame(self.followed, schema=schema, orient="row")
        messages = sum(count.messages for count in self.queues.values())
        return Level(
            self.time, messages, by_domain, frame.with_columns(pl.lit(None, SCHEMA["begin"]).alias(END))
        )


class QueueSampler:
    """Looks at the queues; ``problems``: what keeps it from seeing all, in words."""

    def __init__(self, host: str, named: Sequence[Path], interval_s: float, latest: Latest) -> None:
        """``named``: queue directories; none for those of the MTAs that are here."""
        self._host, self._latest = host, latest
        self._places, self._faults = _places(named)
        self._every = timedelta(seconds=interval_s)
        self._next: datetime | None = None
        self._look: Look | None = None
        self.problems: tuple[str, ...] = self._faults

    def sample(self, now: datetime) -> pl.DataFrame | None:
        """Rows, if a look has come to its end; ``now`` is naive UTC."""
        if self._look is None:
            if self._next is not None and now < self._next:
                return None
            self._look = Look(now, self._places)
        look = self._look
        if not look.step(STEP_S):
            return None
        self._look = None
        self._next = max(look.time + self._every, now + timedelta(seconds=look.spent_s * SPARING))
        self.problems = (*self._faults, *tuple(dict.fromkeys(look.troubles + look.notes))[:MOST_TOLD])
        if not look.queues and look.troubles:
            # Nothing could be read: that is no empty queue.
            self._latest.level = None
            return None
        self._latest.level, self._latest.host = look.level(), self._host.lower()
        return look.rows(self._host)


def _places(named: Sequence[Path]) -> tuple[list[tuple[Mta, Path]], tuple[str, ...]]:
    """The queues that are looked at, and what is wrong with those that were named."""
    found, faults = [], []
    for place in named:
        try:
            found.append(choose(place, None))
        except MailscopeError as error:
            faults.append(f"the queue is not looked at: {error}")
    if not named:
        for mta in MTAS:
            there = next((Path(place) for place in mta.places if Path(place).is_dir()), None)
            if there is not None:
                found.append((mta, there))
    return found, tuple(faults)


def _instant(seconds: float | None) -> datetime | None:
    """An instant as tables have it; None of what is beyond all calendars."""
    if seconds is None:
        return None
    try:
        return naive(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None
