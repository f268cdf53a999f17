"""One pass over the files for all lines of some queue ids.

qmail's ``delivery 15: success`` names no message: it is taken as the next line of that number after the
``starting delivery 15: msg M`` that was found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mailscope.intake.continued import rest_of
from mailscope.trails.search import marks
from mailscope.trails.search.find import Block
from mailscope.trails.search.lines import line_at
from mailscope.trails.search.spans import Holder, Position, Span

_TOKEN: Final = re.compile(rb"[0-9A-Za-z]{5,}")


class Fetch:
    """What one pass gathers.

    In: ids with their anchors (``spans.Holder``), then the lines that hold one of them, in order.
    """

    def __init__(self, ids: Mapping[bytes, set[Position] | None], limit: int) -> None:
        self.holders = {name: Holder(anchors, limit) for name, anchors in ids.items()}
        self._awaited: dict[tuple[bytes, bytes], Span] = {}

    def take(self, position: Position, line: bytes, block: Block) -> None:
        """A line that holds one of the ids."""
        own = marks.own_id(line, self.holders)
        place = marks.place(line)
        if own is not None and own in self.holders:
            span = self.holders[own].take(position, line, place, begins=marks.begins(line))
            start = marks.started(line)
            if start is not None:
                self._await(start[0], place, span, position[0], block, position[1] - block.offset + len(line))
        elif own is None:
            # Another program that says which message it deals with.
            for token in _TOKEN.findall(line):
                if token in self.holders and not token.isdigit():
                    self.holders[token].beside(position, line, place)
        for mark, target in marks.named(line):
            if mark.names == "queue_id" and target in self.holders and target != own:
                self.holders[target].mention(position, line)

    def begin_block(self, number: int, block: Block) -> None:
        """A new block: deliveries that had started before may end in it."""
        awaited, self._awaited = self._awaited, {}
        for (delivery, place), span in awaited.items():
            self._await(delivery, place, span, number, block, 0)

    def end_set(self) -> None:
        """The next file belongs to another log."""
        self._awaited.clear()
        for holder in self.holders.values():
            holder.end_set()

    def _await(
        self, delivery: bytes, place: bytes, span: Span, number: int, block: Block, after: int
    ) -> None:
        """Look for the end of a delivery that has started, from here on."""
        needle = b"delivery %s: " % delivery.partition(b" ")[0]
        at = block.data.find(needle, after)
        while at >= 0:
            begin = block.data.rfind(b"\n", 0, at) + 1
            line = line_at(block.data, begin)
            if marks.place(line) == place:
                ended = marks.ended(line) == delivery
                if ended:
                    span.lines[(number, block.offset + begin)] = line
                    for start, rest in rest_of(block.data, begin, line):
                        span.lines[(number, block.offset + start)] = rest
                again = marks.started(line)
                if ended or (again is not None and again[0] == delivery):
                    return
            at = block.data.find(needle, begin + len(line))
        self._awaited[(delivery, place)] = span
