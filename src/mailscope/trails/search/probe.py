"""One look around the lines that name other messages: are these here, and under which id?"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Final

from mailscope.trails.search import marks
from mailscope.trails.search.spans import Position
from mailscope.trails.search.wants import Wants

# A post to a list shares its Message-ID with what each subscriber gets, on each host; but a broken program
# may give all its mail the same.
MOST_PER_MESSAGE_ID: Final = 200


class Probe:
    """In: lines that hold something wanted.  Out: the ids to fetch, and what to look for next."""

    def __init__(self, wants: Wants) -> None:
        self.wants = wants
        self.upcoming = Wants()
        # Lines of programs that are told no queue id: position, and the line.
        self.beside: dict[Position, bytes] = {}
        self._qps: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._answers: dict[Position, bytes] = {}
        self._starts: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._met: dict[bytes, int] = defaultdict(int)

    def take(self, position: Position, line: bytes) -> None:
        """A line that holds something wanted."""
        own = marks.own_id(line, self.wants.maybe)
        if own is not None:
            if own in self.wants.maybe:
                for anchor in self.wants.maybe[own]:
                    self.upcoming.id(own, anchor)
            if self.wants.answers and marks.ANSWER_NEEDLE in line:
                self._answers[position] = own
            message_id = marks.message_id(line) if self.wants.message_ids else None
            if message_id is not None and message_id in self.wants.message_ids:
                self._met[message_id] += 1
                if self._met[message_id] <= MOST_PER_MESSAGE_ID:
                    self.upcoming.id(own, position)
        elif self.wants.sessions and marks.session_own(line) in self.wants.sessions:
            self.beside[position] = line
        elif self.wants.message_ids:
            message_id = marks.mentioned(line)
            if message_id is not None and message_id in self.wants.message_ids:
                self._met[message_id] += 1
                if self._met[message_id] <= MOST_PER_MESSAGE_ID:
                    self.beside[position] = line
        if self.wants.qps:
            for mark, target in marks.named(line):
                if mark.names == "qp" and target in self.wants.qps:
                    self._qps[target][position] = line
            info = marks.info_qp(line)
            if info is not None and info[1] in self.wants.qps:
                self._qps[info[1]][position] = line
        start = marks.started(line) if self.wants.starts else None
        if start is not None and start[0] in self.wants.starts:
            self._starts[start[0]][position] = start[1]

    def shared(self) -> set[bytes]:
        """Message-IDs of which there is more than was taken."""
        return {name for name, count in self._met.items() if count > MOST_PER_MESSAGE_ID}

    def finish(self) -> Wants:
        """What is wanted now."""
        for anchors in self.wants.answers.values():
            for anchor in anchors:
                # Answers are told in the file of the MTA that stands beside the mailbox program.
                here = {place: own for place, own in self._answers.items() if place[0] == anchor[0]}
                for position in _nearest(here, anchor):
                    self.upcoming.id(here[position], position)
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
