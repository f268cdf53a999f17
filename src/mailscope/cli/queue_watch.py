"""``mailscope queue watch``: the queue on the whole screen, as it is now and how it goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.queue_options import Asked, asked, filtered, selected, spooled
from mailscope.queues.counts import Count
from mailscope.queues.entry import CANCELED, DONE

if TYPE_CHECKING:
    from mailscope.queues.entry import QueueEntry
    from mailscope.queues.waits import Wait

BARS: Final = "▁▂▃▄▅▆▇█"
# Counts that are kept for the curve.
KEPT: Final = 60
# A look that takes long is not begun again at once.
SPARING: Final = 4
ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
REST_OF_LINE: Final = "\x1b[K"
REST_OF_SCREEN: Final = "\x1b[J"


@dataclass
class Picture:
    """One look: what is in each queue, why it waits, and which messages there are."""

    queues: dict[str, Count] = field(default_factory=dict)
    waits: list[Wait] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, entries: Iterable[QueueEntry], names: Iterable[str]) -> Picture:
        """Look at entries; ``names``: queues that are shown even if they are empty."""
        from mailscope.queues.waits import waits

        found = cls({name: Count() for name in names})
        found.waits = waits(found._counted(entries))
        return found

    def _counted(self, entries: Iterable[QueueEntry]) -> Iterator[QueueEntry]:
        for entry in entries:
            waiting = sum(each.status not in (DONE, CANCELED) for each in entry.recipients)
            self.queues.setdefault(entry.queue, Count()).add(entry, waiting)
            self.ids.add(entry.queue_id)
            yield entry


@dataclass
class Course:
    """How it went: what came and what left since the look before, and the curve of how many waited."""

    before: set[str] | None = None
    came: int = 0
    left: int = 0
    curve: list[int] = field(default_factory=list)

    def go_on(self, picture: Picture) -> None:
        """Take a look into account."""
        if self.before is not None:
            self.came = len(picture.ids - self.before)
            self.left = len(self.before - picture.ids)
        self.before = picture.ids
        self.curve = [*self.curve, len(picture.ids)][-KEPT:]

    def bars(self) -> str:
        """The curve in characters, from nothing to the most."""
        most = max(self.curve, default=0) or 1
        return "".join(BARS[round((len(BARS) - 1) * count / most)] for count in self.curve)


@click.command("watch")
@filtered
@spooled
@click.option(
    "--every",
    "interval_s",
    type=click.FloatRange(min=0.5),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How often it is looked at.",
)
@click.option("--once", is_flag=True, help="Print one picture, and end.")
def command(
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    queues: tuple[str, ...],
    interval_s: float,
    once: bool,
    **filters: Any,
) -> None:
    """Show the queue on the whole screen: what waits, for how long and why, what comes and what leaves.

    Ctrl-C ends it.  A long queue is looked at less often.

    \b
    mailscope queue watch
    mailscope queue watch --domain example.org --every 2
    """
    from mailscope.cli.interrupts import on_interrupt
    from mailscope.vocabulary.errors import UsageError

    selection = selected(**filters)
    if not once and not sys.stdout.isatty():
        raise UsageError("it fills a terminal, and there is none", "", "give --once for one picture")
    course = Course()

    def look() -> list[str]:
        queue = asked(place, mta, config, now, tz, queues, asking=True)
        picture = Picture.of(queue.entries(selection, causes=True), queue.mta.queues)
        course.go_on(picture)
        return list(lines(picture, course, queue))

    if once:
        for line in look():
            click.echo(line)
        return
    with on_interrupt(_left):
        sys.stdout.write(ENTER)
        while True:
            begun = time.monotonic()
            _draw(look())
            spent = time.monotonic() - begun
            time.sleep(max(interval_s - spent, spent * SPARING if spent > 1 else 0.0, 0.1))


def _draw(found: list[str]) -> None:
    """Put lines on the screen, over those before; no more than it has."""
    import shutil

    from mailscope.cli.queue_text import shown

    wide, high = shutil.get_terminal_size()
    text = "".join(f"{shown(line, wide)}{REST_OF_LINE}\r\n" for line in found[: high - 1])
    sys.stdout.write(HOME + text + REST_OF_SCREEN)
    sys.stdout.flush()


def _left() -> str:
    sys.stdout.write(LEAVE)
    sys.stdout.flush()
    return ""


def lines(picture: Picture, course: Course, queue: Asked) -> Iterator[str]:
    """The picture, line by line, safe for a terminal."""
    from datetime import datetime

    from mailscope.cli.queue_text import bytes_of, cell, span
    from mailscope.cli.terminal import safe

    at = queue.spool.now
    instant = datetime.fromtimestamp(at, queue.spool.zone).strftime("%Y-%m-%d %H:%M:%S")
    total = sum(each.messages for each in picture.queues.values())
    yield f"{queue.mta.name} {safe(str(queue.spool.place))}  {instant}  {total:,} messages"
    yield f"came {course.came:,}, left {course.left:,}  {course.bars()}"
    yield ""
    yield f"{'QUEUE':<10}{'MESSAGES':>9}{'RECIPIENTS':>12}{'SIZE':>7}{'OLDEST':>8}"
    for name, each in picture.queues.items():
        age = span(None if each.oldest is None else at - each.oldest)
        sizes = f"{each.recipients:>12,}{bytes_of(each.size_bytes):>7}{age:>8}"
        damaged = f"  {each.damaged:,} damaged" if each.damaged else ""
        yield f"{name:<10}{each.messages:>9,}{sizes}{damaged}"
    yield ""
    yield f"{'WHY':<26}{'RECIPIENTS':>10}  MOST FOR"
    for wait in picture.waits:
        most = ", ".join(f"{safe(name) or '-'} {each.recipients:,}" for name, each in wait.most()[:3])
        yield f"{cell(wait.cause, 26)}{wait.recipients:>10,}  {most}"
    for words in queue.troubles[:3]:
        yield f"not read: {safe(words)}"
