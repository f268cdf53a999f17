"""The reasons that cost most: deferrals, bounces and refusals together, the longest bar first."""

from __future__ import annotations

from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports import figures
from mailscope.reports.charts.chart import COLOURS, Chart, colours, values
from mailscope.reports.document import Document

# Section -> what its bars are called and coloured by.
SECTIONS: Final = {"deferrals": "deferred", "bounces": "bounced", "rejects": "rejected"}
MOST: Final = 10
LONGEST: Final = 100


def chart(page: Document, report: dict[str, Any], tr: Translator) -> Chart | None:
    """A bar for each of the most frequent reasons; None where nothing was put off, returned or refused."""
    rows: list[dict[str, Any]] = []
    sums: dict[str, int] = {}
    for table in page.tables:
        kind = SECTIONS.get(table.name)
        if kind is None:
            continue
        sums[kind] = report[table.name]["totals"][table.numbers[0].name]
        for row in table.rows:
            reason = row.labels[-1]
            short = reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "\u2026"
            rows.append({"reason": short, "count": row.values[0], "kind": kind})
    if not rows:
        return None
    import altair as alt

    rows = sorted(rows, key=lambda row: -row["count"])[:MOST]
    # The words stand above their bar, where there is room for them however long they are.
    data = alt.Chart(values([{**row, "place": place} for place, row in enumerate(rows)]))
    y = alt.Y("place:O", sort=None, title=None, axis=None)
    x = alt.X(
        "count:Q", title=None, axis=None, scale=alt.Scale(domain=[0, rows[0]["count"] * 1.12], nice=False)
    )
    bars = data.mark_bar(height=9, yOffset=9).encode(
        x=x, y=y, color=alt.Color("kind:N", scale=colours(tuple(sums)), legend=None)
    )
    counts = data.mark_text(align="left", dx=6, dy=9, fontWeight="bold").encode(
        x=x, y=y, text=alt.Text("count:Q", format=",")
    )
    words = data.mark_text(align="left", dx=0, dy=-5).encode(x=alt.value(0), y=y, text="reason:N")
    legend = [(COLOURS[kind], tr(kind), figures.count(total)) for kind, total in sums.items()]
    return Chart(
        "reasons",
        next(name for name in SECTIONS if any(table.name == name for table in page.tables)),
        tr("Most frequent reasons"),
        tr("The most frequent reasons why mail was put off, returned or refused; the tables below have all."),
        alt.layer(bars, counts, words).properties(height=36 * len(rows)),
        legend,
    )
