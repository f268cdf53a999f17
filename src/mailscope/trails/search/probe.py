"""One look around the lines that name other messages: are these here, and under which id?"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Final

from mailscope.trails.search import marks, ties
from mailscope.trails.search.spans import Position
from mailscope.trails.search.wants import Wants

# A post to a list shares its Message-ID with what each subscriber gets, on each host; but a broken program
# may give all its mail the same.
MOST_PER_MESSAGE_ID: Final = 200
# So many lines of policy services before and after a line of the message are looked at, and so many of
# its other sessions and messages; in another file, which may be of another host, so many in all.
MOST_TIED: Final = 100
MOST_RIVALS: Final = 50
MOST_ELSEWHERE: Final = 2_000


class Probe:
    """In: lines that hold something wanted.  Out: the ids to fetch, and what to look for next."""

    def __init__(self, wants: Wants) -> None:
        self.wants = wants
        self.upcoming = Wants()
        # Lines of programs that are told no queue id: position, and the line.
        self.beside: dict[Position, bytes] = {}
        # Lines of other messages that what is beside may be of as well.
        self.rivals: dict[Position, bytes] = {}
        self._tied: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._others: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._qps: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._answers: dict[Position, bytes] = {}
        self._starts: dict[bytes, dict[Position, bytes]] = defaultdict(dict)
        self._met: dict[bytes, int] = defaultdict(int)

    def take(self, position: Position, line: bytes) -> None:
        """A line that holds something wanted."""
        if self.wants.tied:  # looked for by itself
            self._take_tied(position, line)
            return
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
        for name, lines in self._tied.items():
            for anchor in self.wants.tied[name]:
                self.beside.update(_around(lines, anchor, MOST_TIED, MOST_ELSEWHERE))
                self.rivals.update(_around(self._others[name], anchor, MOST_RIVALS, 0))
        return self.upcoming

    def _take_tied(self, position: Position, line: bytes) -> None:
        """A policy service's word of a client that is wanted, or what that client did besides."""
        names = [name for name in ties.named(line) if name in self.wants.tied]
        if names:
            if marks.own_id(line) is None:  # else all lines of the id tell whose it is
                for name in names:
                    self._tied[name][position] = line
            return
        did = [name for _, name in ties.told(line)] + ties.connected(line)
        for name in did:
            if name in self.wants.tied and position not in self.wants.tied[name]:
                self._others[name][position] = line

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


def _around(
    lines: dict[Position, bytes], anchor: Position, most: int, elsewhere: int
) -> dict[Position, bytes]:
    """The lines nearest to a position, in its file; of those in other files the first ones."""
    here = sorted(position for position in lines if position[0] == anchor[0])
    others = sorted(position for position in lines if position[0] != anchor[0])
    at = bisect_left(here, anchor)
    return {
        position: lines[position] for position in [*here[max(at - most, 0) : at + most], *others[:elsewhere]]
    }
