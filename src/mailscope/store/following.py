"""The tracker of the store: which message each line belongs to, and what is known of each message so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.trails import singleline, story
from mailscope.trails.identity import Assignment, trail_ids
from mailscope.trails.recipients import settled
from mailscope.trails.sessions.tracker import TABLE, SessionTracker, session_lines
from mailscope.trails.steps import FIELDS, Steps, steps
from mailscope.trails.story import empty
from mailscope.trails.tracker import Outcome, Tracker

IDS: Final[dict[str, type[pl.DataType]]] = {"trail": pl.UInt64, "trail_id": pl.String}
PLACES: Final[dict[str, type[pl.DataType]]] = {"order": pl.UInt32, "trail": pl.UInt64}


@dataclass
class StoreTracker(Tracker):
    """A tracker that gives messages names that stay, and tells what each batch changed.

    ``ids``: number and name of the messages under way; a name is given when a message begins and stays, also
    where an earlier line of it comes late.  After ``feed``: ``touched``, the messages that the batch had
    lines of, and ``places``, which line (by its order) belongs to which.
    """

    ids: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=IDS))
    sessions: SessionTracker = field(default_factory=SessionTracker)
    ended_sessions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TABLE))
    touched: pl.DataFrame = field(default_factory=empty)
    places: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PLACES))

    def feed(self, batch: list[Events]) -> Outcome:
        """Follow the messages, and the sessions, of one batch."""
        return self.advance(steps(batch, detail=True), session_lines(batch))

    def advance(self, found: Steps, of_sessions: pl.DataFrame) -> Outcome:
        """The same for what was pulled out of a batch: its steps, and the lines that sessions are made of."""
        outcome = self.follow(self.prepare(found))
        self.ended_sessions = self.sessions.follow(of_sessions)
        new = self.touched.join(self.ids, on="trail", how="anti")
        if len(new):
            self.ids = pl.concat([self.ids, new.select("trail", trail_ids(new))])
        return outcome

    def finish(self) -> Outcome:
        """The log has ended: what is still open stays open."""
        self.touched = self.touched.clear()
        self.ended_sessions = self.sessions.finish()
        return super().finish()

    def as_if_ended(self) -> Outcome:
        """What ``finish`` would tell now; nothing changes by it."""
        messages = singleline.ended(self.open, self.recipients.open)
        mine = self.recipients.open["trail"].is_in(messages["trail"].implode())
        return replace(
            Outcome(**story.nothing()),
            messages=messages,
            recipients=settled(self.recipients.open.filter(mine), messages),
        )

    def named(self, frame: pl.DataFrame, number: str = "trail", name: str = "trail_id") -> pl.DataFrame:
        """A frame with the names of the messages whose numbers it has."""
        return frame.join(
            self.ids.rename({"trail": number, "trail_id": name}), on=number, how="left", maintain_order="left"
        )

    def forget(self, closed: pl.DataFrame) -> None:
        """Let go of the names of messages whose fate is certain."""
        if len(closed):
            self.ids = self.ids.join(closed.select("trail"), on="trail", how="anti")

    def _placed(self, found: Steps, slots: Assignment, touched: pl.DataFrame) -> None:
        self.touched = touched
        placed = [
            pl.DataFrame([found[kind]["order"], touched["trail"].gather(slot)])
            for kind, slot in slots.rows.items()
            # The others are made of lines of these kinds, perhaps for the sake of another message.
            if kind in FIELDS and len(slot)
        ]
        self.places = (
            pl.concat(placed).unique("order", keep="first") if placed else pl.DataFrame(schema=PLACES)
        )
