"""Following messages in the second part of a log, before the first part is known.

A part can be followed by itself but for the messages that began in the part before it.  What belongs
to a message that did not provably begin here is set aside, and the tracker of the first part follows
it as if it came next: the rule of ``identity.py`` looks only at the lines of one id, so that the result
is the same as that of following the whole log.

A message provably began here if its first line here is an acceptance, or if a line here ended the id's
message before it.  A Message-ID line is an arrival too (notifications, forwarded mail) unless an acceptance
came before it in the other part; that is held to be impossible after an hour, and checked when the
parts are joined.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.trails.identity import Assignment
from mailscope.trails.steps import Steps, empty_steps
from mailscope.trails.tracker import Outcome, Tracker
from mailscope.vocabulary.columns import own, take

# No SMTP client needs longer from MAIL to the end of DATA (RFC 5321 section 4.5.3.2 sums up to less).
ARRIVAL: Final = timedelta(hours=1)


class PartsDoNotJoin(Exception):
    """The parts depend on each other in a way that only following the whole log can tell."""


@dataclass
class PartialTracker(Tracker):
    """A tracker for the second part.  ``aside`` is what the first part's tracker has to follow.

    ``trusted`` are keys of messages that were taken to have begun here with their Message-ID line.
    """

    aside: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    unresolved: list[pl.DataFrame] = field(default_factory=list)
    trusted: list[pl.Series] = field(default_factory=list)
    strangers: pl.Series = field(default_factory=lambda: pl.Series("trail", [], dtype=pl.UInt64))
    begin: datetime | None = None
    lines: int = 0

    def feed(self, batch: list[Events]) -> Outcome:
        """Follow the messages of one batch that began in this part."""
        if self.begin is None:
            first = batch[0].time.min() if batch else None
            self.begin = first if isinstance(first, datetime) else None
        outcome = super().feed(batch)
        # Orders start anew with each batch; set aside, they go on.
        self.lines += sum(len(events.raw) for events in batch)
        return outcome

    def prepare(self, found: Steps) -> Steps:
        """The same as for a whole log; deliveries that started in the other part are remembered."""
        prepared = super().prepare(found)
        ends = found["delivery_attempted"]
        if "delivery_key" in ends.columns:
            # A delivery that ends here and started in the other part has no message yet.
            resolved = prepared["delivery_attempted"]["order"]
            lost = ends.filter(pl.col("queue_id").is_null() & ~pl.col("order").is_in(resolved.implode()))
            if len(lost):
                self.unresolved.append(self._onward(lost))
        return prepared

    def _own(
        self,
        found: Steps,
        slots: Assignment,
        touched: pl.DataFrame,
        deliveries: pl.DataFrame,
        links: pl.DataFrame,
    ) -> tuple[Steps, Assignment, pl.DataFrame]:
        stranger = self._strangers(found, slots, touched)
        if not stranger.any():
            return found, slots, deliveries
        frames, rows = dict(found.frames), dict(slots.rows)
        for kind, slot in slots.rows.items():
            theirs = take(stranger, slot)
            if not theirs.any():
                continue
            frame = found[kind]
            if kind == "delivery_attempted":
                frame = frame.hstack([self._linked(deliveries, links)])
                deliveries = deliveries.filter(~theirs)
            self.aside.setdefault(kind, []).append(self._onward(frame.filter(theirs)))
            frames[kind] = found[kind].filter(~theirs)
            rows[kind] = slot.filter(~theirs)
        return replace(found, frames=frames), replace(slots, rows=rows), deliveries

    def _linked(self, deliveries: pl.DataFrame, links: pl.DataFrame) -> pl.Series:
        """Which deliveries led to a message of this part, so that the other part must not look for it."""
        here = links.filter(~pl.col("trail_to").is_in(self.strangers.implode()))
        hit = deliveries.select(
            pl.struct("trail", "time").is_in(here.select(pl.struct("trail", "time")).to_series().implode())
        )
        return hit.to_series().alias("linked")

    def _onward(self, frame: pl.DataFrame) -> pl.DataFrame:
        return own(frame.with_columns(pl.col("order").cast(pl.Int64) + self.lines))

    def _strangers(self, found: Steps, slots: Assignment, touched: pl.DataFrame) -> pl.Series:
        """Which slots may have begun in the part before; remembers their trails."""
        stranger = pl.Series([True]).new_from_index(0, slots.count)
        if "accepted" in slots.rows:
            stranger = stranger.scatter(slots.rows["accepted"], False)
        # Slots beyond the distinct ids are later messages of an id, parted from the first one here.
        later = slots.key.is_duplicated() & ~slots.key.is_first_distinct()
        stranger &= ~later
        stranger = self._arrived(found, slots, stranger)
        if len(slots.carried):
            known = take(touched["trail"], slots.carried["slot"]).is_in(self.strangers.implode())
            # A carried slot goes on as what it was.
            stranger = stranger.scatter(slots.carried["slot"], known)
        fresh = touched["trail"].filter(stranger)
        self.strangers = pl.concat([self.strangers, fresh]).unique()
        return stranger

    def _arrived(self, found: Steps, slots: Assignment, stranger: pl.Series) -> pl.Series:
        """Take messages whose first line is their Message-ID, well within this part, for its own."""
        if "identified" not in slots.rows or self.begin is None:
            return stranger
        slot, frame = slots.rows["identified"], found["identified"]
        first = pl.Series([None], dtype=pl.UInt32).new_from_index(0, slots.count)
        for kind, other in slots.rows.items():
            if kind != "identified":
                blank = pl.Series([None], dtype=pl.UInt32).new_from_index(0, slots.count)
                order = found[kind]["order"]
                first = pl.select(
                    pl.min_horizontal(first, blank.scatter(other.reverse(), order.reverse()))
                ).to_series()
        leads = (frame["order"] < take(first, slot)).fill_null(True)
        late = frame["time"] > self.begin + ARRIVAL
        arrived = slot.filter(leads & late & take(stranger, slot))
        if len(arrived):
            carried = slots.carried["slot"] if len(slots.carried) else None
            fresh = arrived if carried is None else arrived.filter(~arrived.is_in(carried.implode()))
            self.trusted.append(take(slots.key, fresh))
            return stranger.scatter(arrived, False)
        return stranger

    def _told(self, closed: pl.DataFrame) -> pl.DataFrame:
        theirs = closed["trail"].is_in(self.strangers.implode())
        if not theirs.any():
            return closed
        gone = closed["trail"].filter(theirs)
        self.strangers = self.strangers.filter(~self.strangers.is_in(gone.implode()))
        return closed.filter(~theirs)


def join(first: Tracker, second: PartialTracker) -> Outcome:
    """Let the first part's tracker follow what the second set aside, and take over its messages.

    Raises PartsDoNotJoin where a message taken to have begun in the second part may have begun in the
    first.
    """
    if second.trusted:
        under_way = first.open.filter(pl.col("ended").is_null() & ~pl.col("superseded"))["key"]
        if pl.concat(second.trusted).is_in(under_way.implode()).any():
            raise PartsDoNotJoin
    outcome = first.follow(_aside(first, second))
    own = second.open.filter(~second.open["trail"].is_in(second.strangers.implode()))
    first.open = pl.concat([first.open, own])
    first.recipients.open = pl.concat([first.recipients.open, second.recipients.open])
    starts = [frame for frame in (first.deliveries.open, second.deliveries.open) if len(frame)]
    if starts:
        first.deliveries.open = pl.concat(starts).unique("delivery_key", keep="last", maintain_order=True)
    first.now = second.now if first.now is None or second.now is None else max(first.now, second.now)
    return outcome


def _aside(first: Tracker, second: PartialTracker) -> Steps:
    """What was set aside, as the steps of one batch."""
    frames = dict(first.prepare(empty_steps()).frames)
    for kind, pieces in second.aside.items():
        frames[kind] = pl.concat(pieces, how="diagonal_relaxed")
    if second.unresolved:
        lost = pl.concat(second.unresolved, how="diagonal_relaxed")
        lost = lost.with_columns(pl.col("order").cast(pl.UInt32))
        found = first.deliveries.resolve(empty_steps()["delivery_started"], lost)
        found = found.filter(pl.col("queue_id").is_not_null())
        if len(found):
            frames["delivery_attempted"] = pl.concat(
                [frames["delivery_attempted"], found], how="diagonal_relaxed"
            ).sort("order", maintain_order=True)
            frames["deferred"] = frames["delivery_attempted"].filter(pl.col("status") == "deferred")
    kinds = list(frames)
    orders = pl.concat([frames[kind]["order"].cast(pl.Int64) for kind in kinds])
    ranks = (orders.rank("dense") - 1).cast(pl.UInt32) if len(orders) else orders.cast(pl.UInt32)
    at = 0
    for kind in kinds:
        length = len(frames[kind])
        frames[kind] = frames[kind].with_columns(ranks.slice(at, length).alias("order"))
        at += length
    times = [frame["time"].max() for frame in frames.values() if len(frame)]
    return Steps(frames, max((time for time in times if isinstance(time, datetime)), default=None))
