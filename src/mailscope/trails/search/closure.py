"""From the lines that match a query to all lines of their messages, and of the messages linked with those.

    round 0   the query's own lines                 -> ids (or: the id's own lines)
    round 1   all lines of these ids                -> Message-IDs, ids they name, ids that name them
    round 2   ... until nothing new is found

Each round is one pass over the files.  qmail's ``delivery 15: success`` names no message: it is taken as
the next line of that number after the ``starting delivery 15: msg M`` that was found.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mailscope.intake.reader import Chunk, ReadReport, Source
from mailscope.trails.search import marks
from mailscope.trails.search.find import find
from mailscope.trails.search.query import Query
from mailscope.trails.search.samples import Samples
from mailscope.trails.search.spans import Holder, Position, Span

ROUNDS: Final = 8
# Bounds for what one round may ask for; beyond them links are left out rather than the log swallowed.
MOST_IDS: Final = 4_000
MOST_PER_MESSAGE_ID: Final = 20
LOOSE_PER_STORY: Final = 5
# Lines without a message that still tell what became of mail: refusals.
_REFUSAL: Final = re.compile(rb"(?i)NOQUEUE: |reject|\bden[yi]|refus|block|login failed|authentication fail|discard|rbl")


@dataclass
class Wants:
    """What the next pass looks for."""

    ids: dict[bytes, set[Position] | None] = field(default_factory=dict)
    message_ids: set[bytes] = field(default_factory=set)
    qps: dict[bytes, set[Position]] = field(default_factory=lambda: defaultdict(set))
    starts: dict[bytes, set[Position]] = field(default_factory=lambda: defaultdict(set))

    def id(self, name: bytes, anchor: Position) -> None:
        """Want the message that has this id at a line."""
        anchors = self.ids.setdefault(name, set())
        if anchors is not None:
            anchors.add(anchor)

    def needles(self) -> list[bytes]:
        """One of these stands in every line that is wanted."""
        out = [*self.ids, *self.message_ids]
        for qp in self.qps:
            out += [b"qp " + qp, b"qp_" + qp, b"qp-" + qp]
        out += [b"starting delivery %s: " % number for number in self.starts]
        return out


@dataclass
class Found:
    """The lines of the stories, by position.

    ``matched``: those that match the query themselves.  ``loose``: matching lines that belong to no
    message.  ``more``: messages that match beyond the limit.  ``other``: matching lines that tell of no
    message and no refusal (connections ...), which are only counted.
    """

    lines: dict[Position, bytes] = field(default_factory=dict)
    matched: set[Position] = field(default_factory=set)
    loose: dict[Position, bytes] = field(default_factory=dict)
    sessions: dict[Position, list[Position]] = field(default_factory=dict)
    samples: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    numbers: dict[Position, int] = field(default_factory=dict)
    reports: dict[int, ReadReport] = field(default_factory=dict)
    more: int = 0
    other: int = 0

    @property
    def bytes_searched(self) -> int:
        """How much text was looked through."""
        return sum(report.bytes_text for report in self.reports.values())


class Closure:
    """One search.  ``limit``: how many messages that match are followed."""

    def __init__(self, query: Query, files: Sequence[Source], limit: int) -> None:
        self.query = query
        self.files = files
        self.limit = limit
        self.found = Found(reports={number: ReadReport() for number in range(len(files))})
        self.samples = Samples()
        self._holders: dict[bytes, Holder] = {}
        self._asked: dict[str, set[bytes]] = {"message_id": set()}
        self._tried: set[tuple[str, bytes, Position]] = set()

    def run(self) -> Found:
        """Search until nothing new is found."""
        wants = self._begin()
        for _ in range(ROUNDS):
            if not wants.needles():
                break
            wants = self._fetch(wants)
        self.found.samples = self.samples.kept
        for position in self.found.loose.keys() & self.found.lines.keys():
            del self.found.loose[position]
        self.found.more += sum(holder.more for holder in self._holders.values())
        return self.found

    # The first round

    def _begin(self) -> Wants:
        wants = Wants()
        if self.query.id is not None:
            wants.ids[self.query.id] = None
            return wants
        beyond: set[bytes] = set()
        for position, line, _ in self._hits(self.query.needles, any_case=self.query.any_case):
            if not self.query.matches(line):
                continue
            own = marks.own_id(line)
            if own is None:
                self._take_loose(position, line, wants)
            elif own in wants.ids or len(wants.ids) < self.limit:
                wants.id(own, position)
                self.found.matched.add(position)
            else:
                beyond.add(own)
        self.found.more = len(beyond)
        return wants

    def _take_loose(self, position: Position, line: bytes, wants: Wants) -> None:
        number = marks.ended(line)
        if number is None and not _REFUSAL.search(line):
            self.found.other += 1
            return
        if len(self.found.loose) >= self.limit * LOOSE_PER_STORY:
            self.found.more += 1
            return
        self.found.loose[position] = line
        self.found.matched.add(position)
        if number is not None and self.query.kinds != ("delivery",):
            wants.starts[number].add(position)

    def _hits(self, needles: Sequence[bytes], *, any_case: bool) -> Iterator[tuple[Position, bytes, Chunk]]:
        """Each line that holds a needle, once, in order."""
        for number, source in enumerate(self.files):
            first_time = number not in self.samples.kept
            for chunk, places in find(source, needles, any_case=any_case, report=self.found.reports[number]):
                if first_time:
                    self.samples.look(number, source, chunk)
                yield from _lines_at(number, chunk, places)

    # The other rounds

    def _fetch(self, wants: Wants) -> Wants:
        """One pass: the lines of the wanted ids, and what is wanted next."""
        sweep = _Sweep(self, wants)
        for number, source in enumerate(self.files):
            first_time = number not in self.samples.kept
            if number and source.set_id != self.files[number - 1].set_id:
                sweep.end_set()
            report = self.found.reports[number]
            for chunk, places in find(source, wants.needles(), any_case=False, report=report):
                if first_time:
                    self.samples.look(number, source, chunk)
                sweep.resume(number, chunk)
                for position, line, _ in _lines_at(number, chunk, places):
                    sweep.take(position, line, number, chunk)
        upcoming = sweep.finish()
        return self._new_only(upcoming)

    def keep(self, name: bytes, holder: Holder, spans: list[Span], upcoming: Wants) -> None:
        """Enter what was found of an id, and want what its lines name."""
        known = self._holders.get(name)
        if known is not None:
            holder.spans = known.spans + [span for span in holder.spans if span.first not in {s.first for s in known.spans}]
        for span in spans:
            span.hot = True
        self._holders[name] = holder
        is_query = name == self.query.id
        for span in spans:
            for position, line in span.lines.items():
                if is_query:
                    self.found.matched.add(position)
                if position not in self.found.lines:
                    self.found.lines[position] = line
                    self._discover(position, line, upcoming)
        for position, line in holder.mentions.items():
            own = marks.own_id(line)
            if is_query:
                self.found.matched.add(position)
            if holder.complete or holder.covers(position):
                number = marks.ended(line)
                if own is not None:
                    upcoming.id(own, position)
                elif number is not None:
                    upcoming.starts[number].add(position)

    def _discover(self, position: Position, line: bytes, upcoming: Wants) -> None:
        for mark, target in marks.named(line):
            if mark.names == "queue_id":
                upcoming.id(target, position)
            else:
                upcoming.qps[target].add(position)
        info = marks.info_qp(line)
        if info is not None:
            upcoming.qps[info[1]].add(position)
        message_id = marks.message_id(line)
        if message_id is not None:
            upcoming.message_ids.add(message_id)

    def _new_only(self, wants: Wants) -> Wants:
        """The same wants without what was asked for before."""
        out = Wants(message_ids=wants.message_ids - self._asked["message_id"])
        self._asked["message_id"] |= wants.message_ids
        for name, anchors in wants.ids.items():
            holder = self._holders.get(name)
            for anchor in anchors or ():
                if len(out.ids) < MOST_IDS and not (holder is not None and holder.covers(anchor)):
                    if self._is_new("id", name, anchor):
                        out.id(name, anchor)
        for kind, old, new in (("qp", wants.qps, out.qps), ("start", wants.starts, out.starts)):
            for name, anchors in old.items():
                fresh = {anchor for anchor in anchors if self._is_new(kind, name, anchor)}
                if fresh:
                    new[name] = fresh
        return out

    def _is_new(self, kind: str, name: bytes, anchor: Position) -> bool:
        size = len(self._tried)
        self._tried.add((kind, name, anchor))
        return len(self._tried) > size


class _Sweep:
    """What one pass gathers."""

    def __init__(self, closure: Closure, wants: Wants) -> None:
        self.closure = closure
        self.wants = wants
        self.holders = {name: Holder(anchors, closure.limit) for name, anchors in wants.ids.items()}
        self.upcoming = Wants()
        self._awaited: dict[tuple[bytes, bytes], Span] = {}
        self._qps: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._starts: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._met: dict[bytes, int] = defaultdict(int)

    def take(self, position: Position, line: bytes, number: int, chunk: Chunk) -> None:
        """A line that holds something wanted."""
        own = marks.own_id(line, self.holders)
        here = marks.place(line)
        start = marks.started(line)
        if own is not None and own in self.holders:
            span = self.holders[own].take(position, line, here, begins=marks.begins(line))
            if start is not None:
                self._await(start[0], here, span, number, chunk, position[1] - chunk.offset + len(line))
        elif own is None:
            for token in re.findall(rb"[0-9A-Za-z]{5,}", line):
                if token in self.holders and not token.isdigit():
                    self.holders[token].beside(position, line, here)
        for mark, target in marks.named(line):
            if mark.names == "queue_id" and target in self.holders and target != own:
                self.holders[target].mention(position, line)
            elif mark.names == "qp" and target in self.wants.qps:
                self._qps[target][position] = line
        self._take_other(position, line, own, start)

    def _take_other(
        self, position: Position, line: bytes, own: bytes | None, start: tuple[bytes, bytes] | None
    ) -> None:
        info = marks.info_qp(line)
        if info is not None and info[1] in self.wants.qps:
            self._qps[info[1]][position] = line
        if start is not None and start[0] in self.wants.starts:
            self._starts[start[0]][position] = start[1]
        message_id = marks.message_id(line) if self.wants.message_ids and own is not None else None
        if own is not None and message_id is not None and message_id in self.wants.message_ids:
            self._met[message_id] += 1
            if self._met[message_id] <= MOST_PER_MESSAGE_ID:
                self.upcoming.id(own, position)

    def _await(self, delivery: bytes, place: bytes, span: Span, number: int, chunk: Chunk, after: int) -> None:
        """Look for the end of a delivery that has started, from here on."""
        needle = b"delivery %s: " % delivery
        at = chunk.data.find(needle, after)
        while at >= 0:
            begin = chunk.data.rfind(b"\n", 0, at) + 1
            line = _line_at(chunk.data, begin)
            if marks.place(line) == place:
                if marks.ended(line) == delivery:
                    span.lines[(number, chunk.offset + begin)] = line
                if marks.ended(line) == delivery or marks.started(line):
                    return
            at = chunk.data.find(needle, begin + len(line))
        self._awaited[(delivery, place)] = span

    def resume(self, number: int, chunk: Chunk) -> None:
        """A new chunk: deliveries that had started before may end in it."""
        awaited, self._awaited = self._awaited, {}
        for (delivery, place), span in awaited.items():
            self._await(delivery, place, span, number, chunk, 0)

    def end_set(self) -> None:
        """The next file belongs to another log."""
        self._awaited.clear()
        for holder in self.holders.values():
            holder.end_set()

    def finish(self) -> Wants:
        """Hand what was found to the closure; gives what is wanted next."""
        for name, holder in self.holders.items():
            self.closure.keep(name, holder, holder.finish(), self.upcoming)
        for qp, anchors in self.wants.qps.items():
            for anchor in anchors:
                for position in _nearest(self._qps[qp], anchor):
                    self._take_qp(position, self._qps[qp][position])
        for delivery, anchors in self.wants.starts.items():
            for anchor in anchors:
                before = [position for position in self._starts[delivery] if position < anchor]
                if before:
                    self.upcoming.id(self._starts[delivery][max(before)], max(before))
        return self.upcoming

    def _take_qp(self, position: Position, line: bytes) -> None:
        own = marks.own_id(line)
        delivery = marks.ended(line)
        if own is not None:
            self.upcoming.id(own, position)
        elif delivery is not None:
            self.upcoming.starts[delivery].add(position)


def _nearest(candidates: dict[Position, bytes], anchor: Position) -> list[Position]:
    """The candidates right before and right after a position; times decide between them later."""
    ordered = sorted(position for position in candidates if position != anchor)
    at = bisect_left(ordered, anchor)
    return ordered[max(at - 1, 0) : at + 1]


def _line_at(data: bytes, begin: int) -> bytes:
    end = data.find(b"\n", begin)
    return data[begin:] if end < 0 else data[begin:end]


def _lines_at(number: int, chunk: Chunk, places: Sequence[int]) -> Iterator[tuple[Position, bytes, Chunk]]:
    """The lines in which positions lie, each once."""
    done = 0
    for at in places:
        if at < done:
            continue
        begin = chunk.data.rfind(b"\n", 0, at) + 1
        line = _line_at(chunk.data, begin)
        done = begin + len(line) + 1
        yield (number, chunk.offset + begin), line, chunk
