"""Which line belongs to which trail: the tracker of every report, asked line by line.

In: batches of events.  Out: steps with the number of their trail; what the tracker knows of each trail and
of its recipients.  Lines that the tracker does not look at (a warning, a milter's word, what a mailbox
program did) join their message by what they name (``joins``), or by whom they tell of (``tied``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl

from mailscope.intake.envelopes.header import QUALITIES
from mailscope.recognise.events import Events
from mailscope.recognise.replies import with_replies
from mailscope.trails.identity import Assignment
from mailscope.trails.narrative.joins import UNRECOGNISED, Line, join_others
from mailscope.trails.narrative.tied import join_tied
from mailscope.trails.narrative.trail import Step
from mailscope.trails.search.spans import Position
from mailscope.trails.sessions.tracker import SessionTracker
from mailscope.trails.steps import FIELDS, Steps
from mailscope.trails.tracker import Outcome, Tracker

ATTEMPT: Final = "delivery_attempted"
# What the start of a qmail delivery tells of its end.
FROM_START: Final = ("queue_id", "recipient", "relay_host", "delay_transmit_s")


class Follower(Tracker):
    """A tracker that remembers the trail of each line of the batch it was fed last."""

    def feed(self, batch: list[Events]) -> Outcome:
        """Follow the messages of one batch."""
        self.trail_of: dict[int, int] = {}
        self.from_start: dict[int, dict[str, Any]] = {}
        return super().feed(batch)

    def _placed(self, found: Steps, slots: Assignment, touched: pl.DataFrame) -> None:
        for kind, slot in slots.rows.items():
            if kind not in FIELDS:
                continue  # made of lines of another kind, perhaps for the sake of another message
            trails = touched["trail"].gather(slot)
            self.trail_of.update(zip(found[kind]["order"], trails, strict=True))
        frame = found[ATTEMPT]
        for row in frame.filter(pl.col("delivery_id").is_not_null()).iter_rows(named=True):
            self.from_start[row["order"]] = {
                name: row[name] for name in FROM_START if row.get(name) is not None
            }


@dataclass
class Followed:
    """All lines with their trails and sessions; messages, recipients and sessions as the trackers tell."""

    lines: list[Line] = field(default_factory=list)
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    recipients: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    sessions: dict[int, dict[str, Any]] = field(default_factory=dict)

    def take(self, outcome: Outcome) -> None:
        """Enter the messages that are certain now."""
        for row in outcome.messages.iter_rows(named=True):
            self.messages[row["trail"]] = row
        for row in outcome.recipients.iter_rows(named=True):
            self.recipients[row["trail"]].append(row)

    def take_sessions(self, sessions: pl.DataFrame) -> None:
        """Enter the sessions that are over."""
        for row in sessions.iter_rows(named=True):
            self.sessions[row["session"]] = row


def follow(batches: Iterator[list[Events]], positions: dict[str, list[Position]]) -> Followed:
    """Follow the messages of an excerpt."""
    follower, tracker, followed = Follower(), SessionTracker(), Followed()
    for number, batch in enumerate(batches):
        outcome = follower.feed(batch)
        followed.take_sessions(tracker.feed(batch))
        session_of = dict(tracker.placed.iter_rows())
        for events in batch:
            for line in _lines(events, number, positions[events.source]):
                order = line.step.order[1]
                line.trail = follower.trail_of.get(order)
                line.session = session_of.get(order)
                line.step.fields.update(follower.from_start.get(order, {}))
                followed.lines.append(line)
        followed.take(outcome)
    followed.take(follower.finish())
    followed.take_sessions(tracker.finish())
    followed.lines.sort(key=lambda line: line.step.order)
    join_others(followed.lines, followed.messages)
    join_tied(followed.lines, followed.messages)
    return followed


def _lines(events: Events, batch: int, positions: list[Position]) -> Iterator[Line]:
    rows = events.recognised.tags.to_dicts()
    tags = [rows[code] for code in events.recognised.tag_code]
    for part in events.parts:
        # A line that stands for several is shown once, as it is.
        frame = part.frame.unique("row", maintain_order=True) if part.copied else part.frame
        if part.pattern.event == ATTEMPT and "reason" in frame.columns:
            frame = with_replies(frame)
        for fields in frame.iter_rows(named=True):
            row = fields.pop("row")
            fields = dict(part.pattern.constants) | {
                name: value for name, value in fields.items() if value is not None
            }
            yield _line(
                events,
                batch,
                row,
                tags[row],
                positions,
                part.pattern.event,
                fields,
                part.pattern.meaning,
                part.service,
            )
    for row in events.unrecognised:
        yield _line(events, batch, row, tags[row], positions, UNRECOGNISED, {}, "", None)


def _line(
    events: Events,
    batch: int,
    row: int,
    tag: dict[str, Any],
    positions: list[Position],
    event: str,
    fields: dict[str, Any],
    meaning: str,
    service: str | None,
) -> Line:
    quality = events.quality if isinstance(events.quality, int) else events.quality[row]
    time = events.time[row]
    step = Step(
        time=time if isinstance(time, datetime) else None,
        event=event,
        host=events.host[row] if isinstance(events.host, pl.Series) else events.host,
        program=tag["program"] or None,
        service=tag["service"] or service,
        instance=tag["instance"],
        pid=tag["pid"],
        fields=fields,
        text=events.text[row],
        source=events.source,
        line_number=None,
        raw=events.raw[row],
        meaning=meaning,
        time_quality=QUALITIES[quality],
        order=(batch, row if events.order is None else events.order[row]),
    )
    return Line(step, positions[int(events.number[row])])
