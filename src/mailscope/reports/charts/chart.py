"""A chart: its definition, what its colours mean, and how it looks on light and dark paper.

Colours are of middle brightness, so that one palette reads on both; everything else is drawn in
``currentColor``, which is the colour of the text around it.  Words are kept out of the picture as far as
possible: the legend is text beside it, so it can be translated, enlarged and read aloud.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import altair as alt

COLOURS: Final = {
    "received": "#4a86c5",
    "delivered": "#3f9c6c",
    "sent": "#3f9c6c",
    "deferred": "#d9952b",
    "queued": "#d9952b",
    "bounced": "#d0564c",
    "expired": "#a8453d",
    "rejected": "#8e6cb8",
    "deleted": "#7f8c8d",
    "discarded": "#7f8c8d",
    "probed": "#4aa3b5",
    "unknown": "#b0a18f",
}
OTHER: Final = "#7f8c8d"
WIDTH: Final = 720
# In a mail the picture is a PNG on white, for readers that show no SVG; finer than most screens.
INK: Final = "#333333"
FINENESS: Final = 1.5
_SIZE: Final = re.compile(r'<svg ([^>]*?)width="([0-9.]+)" height="([0-9.]+)"')
_ID: Final = re.compile(r'(id="|url\(#|href="#)([A-Za-z_][\w-]*)')


@dataclass(frozen=True)
class Chart:
    """A chart that can be drawn.

    ``section``: the table that it belongs to; ``title``: "" where that table's says it.  ``told``: what the
    picture shows, for those who do not see it.  ``legend``: colour, meaning and figure.
    """

    name: str
    section: str
    title: str
    told: str
    definition: alt.TopLevelMixin
    legend: Sequence[tuple[str, str, str]] = field(default=())

    def svg(self) -> str:
        """The picture for a page: as wide as there is room, in the colours of the text around it."""
        import vl_convert

        drawn = vl_convert.vegalite_to_svg(self._specification("currentColor"))
        # Several pictures stand in one page: what one of them names must be its own.
        drawn = _ID.sub(rf"\g<1>{self.name}-\g<2>", drawn)
        return _SIZE.sub(rf'<svg \g<1>role="img" aria-labelledby="chart-{self.name}-told"', drawn, count=1)

    def png(self) -> bytes:
        """The picture for a mail."""
        import vl_convert

        drawn: bytes = vl_convert.vegalite_to_png(self._specification(INK, "white"), scale=FINENESS)
        return drawn

    def _specification(self, ink: str, background: str = "transparent") -> dict[str, Any]:
        made = self.definition.to_dict()
        made |= {"background": background, "width": WIDTH}
        made["autosize"] = {"type": "fit-x", "contains": "padding"}
        made["padding"] = {"left": 12, "right": 2, "top": 4, "bottom": 2}
        made["config"] = {
            "aria": False,
            "font": "sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": ink,
                "gridColor": ink,
                "gridOpacity": 0.13,
                "domainColor": ink,
                "domainOpacity": 0.35,
                "ticks": False,
                "labelFontSize": 12,
                "labelPadding": 6,
                "labelLimit": 300,
            },
            "text": {"color": ink, "fontSize": 12},
            "bar": {"cornerRadius": 1},
            "rule": {"color": ink},
            "tick": {"color": ink},
        }
        return made


def values(rows: Sequence[dict[str, Any]]) -> alt.Data:
    """Rows as the data of a chart."""
    import altair as alt

    # Altair's schema classes are not typed.
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]


def colours(names: Sequence[str]) -> alt.Scale:
    """The colour of each name."""
    import altair as alt

    return alt.Scale(domain=list(names), range=[COLOURS.get(name, OTHER) for name in names])
