"""Which lines of an id belong to the message that is wanted, although the id is used again.

An acceptance line always begins a new message (``trails.identity``), so the lines of an id can be cut
there before anything is understood.  This is only to hold few lines: whose line it really is, the
identification decides later on all that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# A place in what is searched: number of the file in reading order, byte offset in its text.
Position = tuple[int, int]

LOOSE_SPANS: Final = 50


@dataclass
class Span:
    """The lines of an id from one acceptance to the next, on one host, in one set of files."""

    first: Position
    begun: bool = False
    hot: bool = False
    lines: dict[Position, bytes] = field(default_factory=dict)

    @property
    def last(self) -> Position:
        """Position of the last line."""
        return max(self.lines, default=self.first)


@dataclass
class Holder:
    """All that is found of one id.

    ``anchors``: lines that hold the id and belong to wanted messages; None: every message is wanted, but
    only the lines of the first ``limit`` are kept, ``more`` counts the others.
    """

    anchors: set[Position] | None
    limit: int
    more: int = 0
    begun: int = 0
    mentions: dict[Position, bytes] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    _open: dict[bytes, Span] = field(default_factory=dict)
    _met: set[Position] = field(default_factory=set)

    def take(self, position: Position, line: bytes, place: bytes, *, begins: bool) -> Span:
        """Take in a line of the id; gives the span that it belongs to."""
        span = self._open.get(place)
        if span is None or begins:
            if span is not None:
                self._close(span)
            span = self._open[place] = Span(position, begins)
            self.begun += begins
        span.lines[position] = line
        if self.anchors is None or position in self.anchors:
            span.hot = True
            self._met.add(position)
        return span

    def mention(self, position: Position, line: bytes) -> None:
        """Take in a line of another message that names the id."""
        self.mentions[position] = line
        if self.anchors is not None and position in self.anchors and self._open:
            for span in self._open.values():
                span.hot = True
            self._met.add(position)

    def beside(self, position: Position, line: bytes, place: bytes) -> None:
        """Take in a line of another program that holds the id."""
        span = self._open.get(place) or next(iter(self._open.values()), None)
        if span is None:
            span = self._open[place] = Span(position)
        span.lines[position] = line
        if self.anchors is None or position in self.anchors:
            span.hot = True

    def end_set(self) -> None:
        """The next file belongs to another log: what is open ends here."""
        for span in self._open.values():
            self._close(span)
        self._open.clear()

    def finish(self) -> list[Span]:
        """The wanted spans, at the end of the search."""
        self.end_set()
        if self.complete:
            return self.spans
        if self.anchors is not None and self.anchors - self._met:
            # A line in another log names the id; by position alone it cannot be told which message.
            return self.spans[:LOOSE_SPANS]
        return [span for span in self.spans if span.hot]

    @property
    def complete(self) -> bool:
        """Whether all that there is of the id is wanted."""
        return self.anchors is None or self.begun <= 1

    def covers(self, position: Position) -> bool:
        """Whether a line at this position would name a message whose lines are kept."""
        return self.complete or any(span.hot and span.first <= position <= span.last for span in self.spans)

    def _close(self, span: Span) -> None:
        if self.anchors is None and len(self.spans) >= self.limit:
            self.more += 1
            return
        self.spans.append(span)
