"""Ways as SVG sequence diagrams: one picture, light or dark as the reader's screen is, without script.

In: ways, the zone of their times, a translator.  Out: the text of an SVG file.  Left stands when, and in
which queue the file is; then a line for each program, arrows for what one hands to another.  What strangers
wrote is shown with its control characters as escapes and can be no markup.  The whole story stands in
``<desc>``, for those who hear it read.

Source: SVG 1.1; WAI-ARIA 1.2 (role ``img`` with title and description); XML 1.0, 2.2 (characters).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from mailscope.language.translator import TELL_ENGLISH, Translator
from mailscope.steps.times import day, is_fine, lasted, shown
from mailscope.steps.way import Act, Lane, Way
from mailscope.vocabulary.shown import columns, fit, safe

LEFT, LANE, TOP, LINE, GAP = 262, 136, 74, 15, 16
# Of the font below, for room: a wide character takes two.
COLUMN: Final = 7.3
LONGEST_NAME: Final = 18
WRAP: Final = 64
# A picture of more acts than this is no picture any more; the text form tells them all.
MOST_ACTS: Final = 400
# Plain colours, as many viewers know no variables.
STYLE: Final = """\
text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1b1b1f; }
.paper { fill: #ffffff; } .head { font-weight: bold; } .dim { fill: #5c5f66; } .queue { fill: #4d6290; }
.words { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
.life { stroke: #b9bcc4; stroke-dasharray: 2 3; } .box { fill: #ffffff; stroke: #5c5f66; }
.arrow { stroke: #1f5fbf; stroke-width: 1.5; fill: none; } .tip, .self { fill: #1f5fbf; }
.unsure { stroke-dasharray: 5 4; } .good .words { fill: #1a7f37; } .bad .words { fill: #c62828; }
@media (prefers-color-scheme: dark) {
  text { fill: #e8e8ea; } .paper, .box { fill: #17181c; } .dim { fill: #a2a6ae; } .queue { fill: #8ea4d2; }
  .words { stroke: #17181c; } .life { stroke: #4a4d55; } .box { stroke: #a2a6ae; }
  .arrow { stroke: #7db1ff; } .tip, .self { fill: #7db1ff; }
  .good .words { fill: #57c271; } .bad .words { fill: #ff7b72; } }
"""


def drawn(ways: Sequence[Way], zone: ZoneInfo, tr: Translator = TELL_ENGLISH) -> str:
    """All ways, one under the other."""
    pictures, top, width = [], 0.0, 0.0
    for way in ways:
        picture = _Picture(way, zone, tr)
        lines = list(picture.draw())
        pictures.append(f'<g transform="translate(0 {top:g})">\n' + "\n".join(lines) + "\n</g>")
        top, width = top + picture.height + GAP, max(width, picture.width)
    title = "; ".join(_title(way, tr) for way in ways) or tr("no way")
    described = "\n".join(line for way in ways for line in _told(way, zone, tr))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" lang="{tr.language}" role="img" '
        f'aria-labelledby="title desc" width="{width:g}" height="{top:g}" viewBox="0 0 {width:g} {top:g}">',
        f'<title id="title">{_text(title)}</title>',
        f'<desc id="desc">{_text(described, lines=True)}</desc>',
        f"<style>{STYLE}</style>",
        '<rect class="paper" width="100%" height="100%"/>',
        *pictures,
        "</svg>\n",
    ])  # fmt: skip


def _title(way: Way, tr: Translator) -> str:
    ids = ", ".join(way.queue_ids)
    return tr("the way of message {queue_id}", queue_id=ids) if ids else tr("the way of a message")


def _told(way: Way, zone: ZoneInfo, tr: Translator) -> Iterator[str]:
    yield _title(way, tr) + ":"
    for act in way.acts[:MOST_ACTS]:
        time = shown(act.time, way.clock, zone, fine=True)
        who = f"{act.by} > {act.to}" if act.to is not None else str(act.by)
        yield f"{time} {who}: {tr(act.words)}".strip()


def _text(text: str, *, lines: bool = False) -> str:
    """Text for XML: nothing in it is markup, and no character is one that XML has not."""
    shown_lines = [safe(line) for line in text.split("\n")] if lines else [safe(text)]
    kept = "\n".join(shown_lines).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    return escape(kept, {'"': "&quot;", "'": "&#39;"})


class _Picture:
    """One way, drawn from the top; ``width`` and ``height`` are known afterwards."""

    def __init__(self, way: Way, zone: ZoneInfo, tr: Translator) -> None:
        self.way, self.zone, self.tr = way, zone, tr
        self.acts = way.acts[:MOST_ACTS]
        self.lanes = way.lanes
        self.fine = is_fine([act.time for act in way.acts if act.time is not None])
        self.width = LEFT + LANE * len(self.lanes) + 24.0
        self.height = 0.0

    def x(self, lane: Lane) -> float:
        """The middle of a lane."""
        return LEFT + LANE * (self.lanes.index(lane) + 0.5)

    def draw(self) -> Iterator[str]:
        rows: list[str] = []
        y = float(TOP)
        before: float | None = None
        for act in self.acts:
            words = textwrap.wrap(self._words(act), WRAP) or [""]
            y += GAP + LINE * len(words)
            rows += self._row(act, words, y, before)
            before = act.time if act.time is not None else before
        left_out = len(self.way.acts) - len(self.acts)
        if left_out:
            y += 2 * GAP
            told = self.tr("{n} more are not drawn", n=left_out)
            rows.append(f'<text class="dim" x="{LEFT}" y="{y:g}">{_text(told)}</text>')
        bottom = y + GAP
        yield f'<text class="head" x="12" y="22">{_text(fit(_title(self.way, self.tr), 120))}</text>'
        began = day(self.way.began, self.way.clock, self.zone)
        under = "  ".join(part for part in (self.way.origin, began) if part)
        yield f'<text class="dim" x="12" y="40">{_text(fit(under, 140))}</text>'
        for lane in self.lanes:
            yield from self._lane(lane, bottom)
        yield from rows
        y = bottom
        for line in self._sums():
            y += LINE + 3
            yield f'<text class="dim" x="12" y="{y:g}">{_text(fit(line, 160))}</text>'
        self.height = y + GAP

    def _lane(self, lane: Lane, bottom: float) -> Iterator[str]:
        x, name = self.x(lane), fit(str(lane), LONGEST_NAME)
        left, wide = x - LANE / 2 + 3, LANE - 6
        yield f'<line class="life" x1="{x:g}" y1="{TOP - 4}" x2="{x:g}" y2="{bottom:g}"/>'
        yield (
            f"<g><title>{_text(str(lane))}</title>"
            f'<rect class="box" x="{left:g}" y="{TOP - 24}" rx="4" width="{wide}" height="20"/>'
            f'<text x="{x:g}" y="{TOP - 10}" text-anchor="middle">{_text(name)}</text></g>'
        )

    def _words(self, act: Act) -> str:
        took = f" ({lasted(act.took_s)})" if act.took_s is not None else ""
        return fit(self.tr(act.words) + took, 400)

    def _row(self, act: Act, words: list[str], y: float, before: float | None) -> list[str]:
        mood = "" if act.good is None else " good" if act.good else " bad"
        out = [f'<g class="act{mood}">']
        if time := shown(act.time, self.way.clock, self.zone, fine=self.fine):
            since = "" if before is None or act.time is None else "+" + lasted(max(act.time - before, 0))
            out.append(f'<text class="dim" x="12" y="{y:g}">{time} {since}</text>')
        if act.queue:
            x, queue = LEFT - 12, _text(act.queue)
            out.append(f'<text class="queue" x="{x}" y="{y:g}" text-anchor="end">{queue}</text>')
        start = self.x(act.by)
        end = self.x(act.to) if act.to is not None else start
        dashed = "" if act.sure else " unsure"
        if end == start:
            out.append(f'<circle class="self" cx="{start:g}" cy="{y - 4:g}" r="4"/>')
            at, base = start + 10, y
        else:
            tip = 8 if end > start else -8
            out.append(f'<path class="arrow{dashed}" d="M{start:g} {y:g} H{end - tip:g}"/>')
            out.append(f'<path class="tip" d="M{end:g} {y:g} l{-tip} -4 v8 z"/>')
            at, base = min(start, end) + 8, y - 5
        first = base - LINE * (len(words) - 1)
        for number, line in enumerate(words):
            out.append(f'<text class="words" x="{at:g}" y="{first + LINE * number:g}">{_text(line)}</text>')
            self.width = max(self.width, at + columns(line) * COLUMN + 24)
        return [*out, "</g>"]

    def _sums(self) -> Iterator[str]:
        """What took how long, under the picture."""
        spans = [f"{lane} {lasted(seconds)}" for lane, seconds in self.way.spans() if seconds > 0]
        timed = [(stay.queue, stay.seconds) for stay in self.way.stays if stay.seconds is not None]
        stays = [f"{queue} {lasted(seconds)}" for queue, seconds in timed]
        if stays:
            yield self.tr("in the queues: {spans}", spans=", ".join(stays))
        if spans:
            yield self.tr("at work: {spans}", spans=", ".join(spans))
        for note in self.way.notes:
            yield self.tr(note)
