"""What a search looks for next, and what it has found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mailscope.intake.reader import ReadReport, Source
from mailscope.trails.search.find import Range
from mailscope.trails.search.spans import Position

# How far from the line that names a message its own lines are looked for: an hour and a half of a day's
# log, and a few minutes of a month's.
LEAST_REACH_BYTES: Final = 16 << 20
REACH_SHARE: Final = 16
# Policy services answer while the client waits; a client may have very many lines.
TIED_REACH_BYTES: Final = 1 << 20
Anchors = dict[bytes, set[Position]]


def _anchors() -> Anchors:
    return defaultdict(set)


@dataclass
class Wants:
    """What the next passes look for, each with the lines that make it wanted.

    ``ids``: queue ids whose lines are to be fetched (None: of all their messages).  The others are looked
    for near these lines only: ``maybe`` ids that a line names (most are a remote server's),
    ``message_ids``, ``sessions`` (Dovecot's), ``answers`` (Sieve's), ``qps`` (qmail-queue's pid),
    ``starts`` (qmail's deliveries), ``tied`` (what policy services are told, ``ties``).
    """

    ids: dict[bytes, set[Position] | None] = field(default_factory=dict)
    maybe: Anchors = field(default_factory=_anchors)
    message_ids: Anchors = field(default_factory=_anchors)
    sessions: Anchors = field(default_factory=_anchors)
    answers: Anchors = field(default_factory=_anchors)
    qps: Anchors = field(default_factory=_anchors)
    starts: Anchors = field(default_factory=_anchors)
    tied: Anchors = field(default_factory=_anchors)

    def id(self, name: bytes, anchor: Position) -> None:
        """Want the message that has this id at a line."""
        anchors = self.ids.setdefault(name, set())
        if anchors is not None:
            anchors.add(anchor)

    @property
    def near(self) -> dict[str, Anchors]:
        """What is looked for near the lines that name it."""
        return {
            "id": self.maybe,
            "message_id": self.message_ids,
            "session": self.sessions,
            "answer": self.answers,
            "qp": self.qps,
            "start": self.starts,
            "tied": self.tied,
        }

    def parts(self) -> list[Wants]:
        """What is to be looked for far and what near by, each if there is any."""
        both = replace(self, tied=_anchors()), Wants(tied=self.tied)
        return [part for part in both if any(part.near.values())]

    def near_needles(self) -> list[bytes]:
        """One of these stands in every line that tells of it."""
        out = [*self.maybe, *self.message_ids, *self.sessions, *self.answers, *self.tied]
        for qp in self.qps:
            out += [b"qp " + qp, b"qp_" + qp, b"qp-" + qp]
        return out + [b"starting delivery %s: " % number.partition(b" ")[0] for number in self.starts]

    def ranges(self, number: int, files: Sequence[Source]) -> list[Range] | None:
        """Where in a file to look: around the lines that name it; None: everywhere (another log)."""
        source = files[number]
        size = source.size_bytes or 0
        only_tied = [kind for kind, group in self.near.items() if group] == ["tied"]
        reach = TIED_REACH_BYTES if only_tied else max(LEAST_REACH_BYTES, size // REACH_SHARE)
        positions = {
            position for anchors in self.near.values() for group in anchors.values() for position in group
        }
        if not any(files[file].set_id == source.set_id for file, _ in positions):
            return None
        out: list[Range] = []
        for begin, end in sorted(_around(position, number, files, reach) for position in positions):
            begin, end = max(begin, 0), min(end, size)
            if begin >= end:
                continue
            if out and begin <= out[-1][1]:
                out[-1] = (out[-1][0], max(end, out[-1][1]))
            else:
                out.append((begin, end))
        return out


def _around(position: Position, number: int, files: Sequence[Source], reach: int) -> Range:
    """The surroundings of a line, in the numbering of a file that may be a neighbour of the line's."""
    file, offset = position
    if files[file].set_id != files[number].set_id or abs(file - number) > 1:
        return (0, 0)
    size = files[number].size_bytes or 0
    if file < number:  # what is left of the reach beyond the end of the older file
        return (0, reach - max((files[file].size_bytes or 0) - offset, 0))
    if file > number:
        return (size - max(reach - offset, 0), size)
    return (offset - reach, offset + reach)


@dataclass
class Found:
    """The lines of the stories, by position.

    ``matched``: those that match the query themselves.  ``loose``: matching lines that belong to no
    message.  ``sessions``: for a line, those of the client's session around it.  ``samples``: other lines,
    for their stamps.  ``numbers``: line numbers, if they were asked for.  ``more``: messages that match
    beyond the limit.  ``other``: matching lines that tell of no message and no refusal, only counted.
    ``shared``: Message-IDs that too many lines have for all of them to be followed.  ``rivals``: lines of
    other sessions, messages and refusals that a policy service's word may be of as well.  ``unowned``: lines
    that match and may turn out to be of a message; ``other`` does not count them.
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
    shared: set[bytes] = field(default_factory=set)
    rivals: dict[Position, bytes] = field(default_factory=dict)
    unowned: set[Position] = field(default_factory=set)

    @property
    def bytes_searched(self) -> int:
        """How much text was looked through."""
        return sum(report.bytes_text for report in self.reports.values())
