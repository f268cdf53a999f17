"""Which line belongs to which trail: the tracker of every report, asked line by line.

In: batches of events.  Out: steps with the number of their trail; what the tracker knows of each trail and
of its recipients.  Lines that the tracker does not look at (a warning, a milter's word, another program's
line with the queue id in it) join the message that has their queue id at that time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
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
from mailscope.trails.narrative.trail import Step
from mailscope.trails.search.spans import Position
from mailscope.trails.steps import FIELDS, Steps
from mailscope.trails.tracker import Outcome, Tracker

ATTEMPT: Final = "delivery_attempted"
UNRECOGNISED: Final = "unrecognised"
IDENTIFIED: Final = "identified"
# Events of patterns that know no more than the kind of a line.
LOOSE: Final = frozenset({"noted", "warned", "failed", "debugged"})
# What the start of a qmail delivery tells of its end.
FROM_START: Final = ("queue_id", "recipient", "relay_host", "delay_transmit_s")
TOKEN: Final = re.compile(r"[0-9A-Za-z]{5,}")
# What splogger writes instead of a space behind the stamp of a record that goes on with the one before.
CONTINUED: Final = "+"
OrderOf = tuple[int, int]
# Who has a name from which line on.
Reigns = list[tuple[OrderOf, int]]


@dataclass
class Line:
    """One line that counts: its step, where it stands, and its trail (None: none that is known)."""

    step: Step
    position: Position
    trail: int | None = None


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
    """All lines with their trails; ``messages`` and ``recipients`` as the tracker gives them."""

    lines: list[Line] = field(default_factory=list)
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    recipients: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, outcome: Outcome) -> None:
        """Enter the messages that are certain now."""
        for row in outcome.messages.iter_rows(named=True):
            self.messages[row["trail"]] = row
        for row in outcome.recipients.iter_rows(named=True):
            self.recipients[row["trail"]].append(row)


def follow(batches: Iterator[list[Events]], positions: dict[str, list[Position]]) -> Followed:
    """Follow the messages of an excerpt."""
    follower, followed = Follower(), Followed()
    for number, batch in enumerate(batches):
        outcome = follower.feed(batch)
        for events in batch:
            for line in _lines(events, number, positions[events.source]):
                order = line.step.order[1]
                line.trail = follower.trail_of.get(order)
                line.step.fields.update(follower.from_start.get(order, {}))
                followed.lines.append(line)
        followed.take(outcome)
    followed.take(follower.finish())
    followed.lines.sort(key=lambda line: line.step.order)
    _join_others(followed)
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


def _join_others(followed: Followed) -> None:
    """Lines without a trail join the message that has their queue id, on their host, at that time.

    A log file of the filter's own names no host; then any host's message of that id will do.  A filter that
    is not told the id (spamd) names the Message-ID.
    """
    reigns: dict[tuple[str | None, str], Reigns] = defaultdict(list)
    named: dict[tuple[str | None, str], Reigns] = defaultdict(list)
    for line in followed.lines:
        if line.trail is not None:
            message = followed.messages[line.trail]
            for host in {line.step.host, None}:
                _reign(reigns[(host, message["queue_id"])], line.step.order, line.trail)
                if message["message_id"]:
                    _reign(named[(host, message["message_id"])], line.step.order, line.trail)
    latest: dict[tuple[str | None, datetime | None], int] = {}
    for line in followed.lines:
        same_instant = line.step.host, line.step.time
        if line.trail is not None:
            latest[same_instant] = line.trail
            continue
        if line.step.text.startswith(CONTINUED) and same_instant in latest:
            line.trail = latest[same_instant]
            continue
        known = line.step.fields.get("queue_id")
        ids = [known] if known else _mentioned(line.step)
        for queue_id in ids:
            reign = reigns.get((line.step.host, queue_id), [])
            if reign:
                line.trail = _at(reign, line.step.order)
                break
        message_id = line.step.fields.get("message_id")
        if line.trail is None and message_id and line.step.event != IDENTIFIED:
            reign = named.get((line.step.host, message_id), [])
            line.trail = _at(reign, line.step.order) if reign else None


def _mentioned(step: Step) -> list[str]:
    """What may be a queue id in a line whose pattern does not say."""
    if step.event == UNRECOGNISED:
        return TOKEN.findall(step.text)
    # A number by itself is more often something else.
    tokens = TOKEN.findall(step.text) if step.event in LOOSE else []
    return [token for token in tokens if not token.isdigit()]


def _reign(reign: Reigns, order: OrderOf, trail: int) -> None:
    """Enter that a message has the name from here on."""
    if not reign or reign[-1][1] != trail:
        reign.append((order, trail))


def _at(reign: Reigns, order: OrderOf) -> int:
    """Who had the name at a place among the lines; the first one, if nobody had it yet."""
    at = bisect_right(reign, order, key=lambda entry: entry[0])
    return reign[max(at - 1, 0)][1]
