"""Charts of pages as SVG, in which every bar is a link to the list behind it.

They are drawn here, not by the engine that draws those of the report: a page must be there in half a second,
work without scripts, and be allowed nothing by its content security policy but files of ours
(``docs/decisions/0012-charts-of-the-live-page.md``).  Colours are classes, which the style sheet knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from mailscope.vocabulary.shown import safe

WIDTH: Final = 960
LEFT, BOTTOM, TOP = 48, 22, 8
STEPS: Final = (1, 2, 2.5, 5, 10)
MOST_LABELS: Final = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: its figure, the class of its colour, what it is in words, where it leads."""

    value: float
    kind: str
    told: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of stacked parts, the lowest first; ``mark``: a note on the time line that belongs here."""

    label: str
    parts: Sequence[Part]
    mark: str = ""
    mark_href: str = ""


def bars(name: str, told: str, found: Sequence[Bar], height: int = 200, unit: str = "") -> Markup:
    """A chart of bars side by side; empty where nothing has a figure."""
    most = max((sum(part.value for part in bar.parts) for bar in found), default=0)
    if not most:
        return Markup("")
    top, step = _scale(most)
    room = WIDTH - LEFT - 4
    wide = room / len(found)
    floor = height - BOTTOM
    tall = floor - TOP
    pieces = [_axis(top, step, floor, tall, unit)]
    every = max(1, -(-len(found) // MOST_LABELS))
    for place, bar in enumerate(found):
        left = LEFT + place * wide
        pieces.append(_bar(bar, left, wide, floor, tall / top))
        if place % every == 0:
            pieces.append(
                Markup('<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    left + wide / 2, height - 6, bar.label
                )
            )
    return _svg(name, told, height, pieces)


def line(
    name: str, told: str, values: Sequence[tuple[str, float | None]], kind: str, height: int = 120
) -> Markup:
    """A line through figures at even distances; gaps where there is none."""
    most = max((value for _, value in values if value is not None), default=0)
    if not most:
        return Markup("")
    top, step = _scale(most)
    floor = height - BOTTOM
    tall = floor - TOP
    wide = (WIDTH - LEFT - 4) / max(1, len(values) - 1)
    pieces = [_axis(top, step, floor, tall, "")]
    path, pen = [], "M"
    for place, (_, value) in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{LEFT + place * wide:.1f} {floor - value / top * tall:.1f}")
        pen = "L"
    pieces.append(Markup('<path class="line {}" d="{}"/>').format(kind, "".join(path)))
    every = max(1, -(-len(values) // MOST_LABELS))
    pieces += [
        Markup('<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            LEFT + place * wide, height - 6, label
        )
        for place, (label, _) in enumerate(values)
        if place % every == 0 and place < len(values) - every // 2
    ]
    return _svg(name, told, height, pieces)


def _svg(name: str, told: str, height: int, pieces: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="group" aria-labelledby="chart-{}">'
        '<title id="chart-{}">{}</title>{}</svg>'
    ).format(WIDTH, height, name, name, told, Markup("").join(pieces))


def _axis(top: float, step: float, floor: float, tall: float, unit: str) -> Markup:
    lines = []
    value = 0.0
    while value <= top * 1.0001:
        y = floor - value / top * tall
        lines.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(LEFT, WIDTH - 4, y, y, LEFT - 6, y + 4, f"{_short(value)}{unit}")
        )
        value += step
    return Markup("").join(lines)


def _bar(bar: Bar, left: float, wide: float, floor: float, scale: float) -> Markup:
    pieces: list[Markup] = []
    base = floor
    gap = min(2.0, wide * 0.15)
    for part in bar.parts:
        if not part.value:
            continue
        tall = max(part.value * scale, 1.0)
        base -= tall
        shape = Markup(
            '<rect class="part {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
            "<title>{}</title></rect>"
        ).format(part.kind, left + gap / 2, base, max(wide - gap, 0.8), tall, safe(part.told))
        if part.href:
            shape = Markup('<a href="{}" aria-label="{}">{}</a>').format(part.href, safe(part.told), shape)
        pieces.append(shape)
    if bar.mark:
        flag = Markup('<path class="mark" d="M{:.1f} {}V{}l6 4l-6 4"><title>{}</title></path>').format(
            left + wide / 2, floor, TOP - 6, safe(bar.mark)
        )
        if bar.mark_href:
            flag = Markup('<a href="{}" aria-label="{}">{}</a>').format(bar.mark_href, safe(bar.mark), flag)
        pieces.append(flag)
    return Markup("").join(pieces)


def _scale(most: float) -> tuple[float, float]:
    """The upper end of an axis, and the step of its lines: about four of them, at round figures."""
    step = 1.0
    while step * 40 < most:
        step *= 10
    while step * 4 > most and step > 0.001:
        step /= 10
    step *= next((each for each in STEPS if step * each * 4 >= most), 10)
    top = step
    while top < most:
        top += step
    return top, step


def _short(value: float) -> str:
    for size, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:.3g}"
