"""Ways for a terminal: a line for each program, arrows between them, and beside it what was done.

In: ways, the zone to show times in, the width.  Out: lines, safe to print.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import click

from mailscope.cli.terminal import columns, fit, safe
from mailscope.language.translator import TELL_ENGLISH, Translator
from mailscope.steps.times import day, is_fine, lasted, shown
from mailscope.steps.way import Act, Lane, Process, Way

NARROWEST: Final = 80
INDENT: Final = "  "
# Room for words at least; lanes get nearer to each other before words get less.
FOR_WORDS: Final = 34
COLOURS: Final = {True: "green", False: "red"}


def render(ways: Sequence[Way], zone: ZoneInfo, width: int, tr: Translator = TELL_ENGLISH) -> Iterator[str]:
    """All ways, one after the other."""
    for number, way in enumerate(ways):
        if number:
            yield ""
        yield from _Drawing(way, zone, max(width, NARROWEST), tr).lines()


def tree(processes: Sequence[Process], width: int, tr: Translator = TELL_ENGLISH) -> Iterator[str]:
    """The processes, each under the one that started it."""
    width = max(width, NARROWEST)
    yield click.style(tr("processes"), bold=True)
    known = {each.lane.pid for each in processes}
    under: dict[int | None, list[Process]] = {}
    for each in processes:
        parent = each.parent if each.parent in known and each.parent != each.lane.pid else None
        under.setdefault(parent, []).append(each)
    stack = [(each, 1) for each in reversed(under.get(None, []))]
    told: set[Lane] = set()
    while stack:
        process, depth = stack.pop()
        if process.lane in told:
            continue
        told.add(process.lane)
        facts = [tr(process.duty)] if process.duty else []
        if process.ended:
            facts.append(process.ended)
        line = f"{INDENT * min(depth, 12)}{process.lane}" + (f": {', '.join(facts)}" if facts else "")
        yield fit(line, width)
        if process.lane.pid is not None:
            stack += [(each, depth + 1) for each in reversed(under.get(process.lane.pid, []))]


class _Drawing:
    """One way."""

    def __init__(self, way: Way, zone: ZoneInfo, width: int, tr: Translator) -> None:
        self.way, self.zone, self.width, self.tr = way, zone, width, tr
        self.numbers = {lane: number for number, lane in enumerate(way.lanes)}
        times = [act.time for act in way.acts if act.time is not None]
        self.fine = is_fine(times)
        self.lead = 24 if times else 2
        room = width - self.lead - FOR_WORDS
        self.step = max(min(room // max(len(self.numbers), 1), 5), 3)

    def lines(self) -> Iterator[str]:
        """The head, the lanes, the acts, what took how long."""
        ids = ", ".join(self.way.queue_ids)
        head = (
            self.tr("the way of message {queue_id}", queue_id=ids) if ids else self.tr("the way of a message")
        )
        if self.way.origin:
            head += f" ({self.way.origin})"
        yield click.style(fit(head, self.width), bold=True)
        if began := day(self.way.began, self.way.clock, self.zone):
            yield click.style(INDENT + began, dim=True)
        yield from self._wrapped([f"{number + 1} {lane}" for lane, number in self.numbers.items()])
        yield " " * self.lead + "".join(f"{number + 1:<{self.step}}" for number in self.numbers.values())
        before: float | None = None
        for act in self.way.acts:
            yield from self._act(act, before)
            before = act.time if act.time is not None else before
        yield from self._sums()

    def _act(self, act: Act, before: float | None) -> Iterator[str]:
        time = shown(act.time, self.way.clock, self.zone, fine=self.fine)
        since = "" if before is None or act.time is None else "+" + lasted(max(act.time - before, 0))
        lead = f"{INDENT}{time:<12} {since:>8} " if self.lead > 2 else INDENT
        took = f" ({lasted(act.took_s)})" if act.took_s is not None else ""
        doubt = f" ({self.tr('likely')})" if not act.sure else ""
        queue = f" [{act.queue}]" if act.queue else ""
        room = max(self.width - self.lead - self.step * len(self.numbers), FOR_WORDS)
        words = textwrap.wrap(safe(self.tr(act.words)).replace("\t", " ") + took + doubt + queue, room) or [
            ""
        ]
        colour = None if act.good is None else COLOURS[act.good]
        yield lead + self._lanes(act) + click.style(words[0], fg=colour)
        for line in words[1:]:
            yield " " * self.lead + self._lanes(None) + click.style(line, fg=colour)

    def _lanes(self, act: Act | None) -> str:
        """The lanes of a row: ``|`` where nothing is done, ``*`` who does something by itself, arrows."""
        cells = [["|", *" " * (self.step - 1)] for _ in self.numbers]
        if act is not None:
            start = self.numbers[act.by]
            end = self.numbers[act.to] if act.to is not None else start
            dash = "-" if act.sure else "."
            if start == end:
                cells[start][0] = "*"
            for number in range(min(start, end), max(start, end)):
                cells[number] = [cells[number][0], *dash * (self.step - 1)]
            if start < end:
                cells[end - 1][-1] = ">"
            elif end < start:
                cells[end][1] = "<"
        return "".join("".join(cell) for cell in cells)

    def _sums(self) -> Iterator[str]:
        stays = [
            f"{stay.queue} {lasted(stay.seconds) if stay.seconds is not None else '?'}"
            for stay in self.way.stays
        ]
        if stays:
            yield from self._wrapped([self.tr("in the queues: {spans}", spans=", ".join(stays))])
        spans = [f"{lane} {lasted(seconds)}" for lane, seconds in self.way.spans() if seconds > 0]
        if spans:
            yield from self._wrapped([self.tr("at work: {spans}", spans=", ".join(spans))])
        for note in self.way.notes:
            yield from self._wrapped([self.tr(note)])

    def _wrapped(self, parts: list[str]) -> Iterator[str]:
        """Parts side by side as far as they go, longer ones broken."""
        line = ""
        for part in map(safe, parts):
            if line and columns(line) + columns(part) + 2 > self.width:
                yield line
                line = ""
            line = f"{line}{INDENT}{part}"
        for number, piece in enumerate(textwrap.wrap(line.strip(), self.width - 4) or [""]):
            yield INDENT * (1 if number == 0 else 2) + piece
