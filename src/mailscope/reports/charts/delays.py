"""Where the time goes: for each stage the median, the slowest twentieth and the slowest delivery."""

from __future__ import annotations

from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports.charts.chart import COLOURS, Chart, values
from mailscope.reports.document import Document

# Seconds that are marked on the axis, and how.
MARKS: Final = {0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 86400: "1 d"}
SHORTEST: Final = 0.01


def chart(page: Document, report: dict[str, Any], tr: Translator) -> Chart | None:
    """A line for each stage on a logarithmic scale; None where no delivery tells a time."""
    table = next((table for table in page.tables if table.name == "delays"), None)
    if table is None or not table.rows:
        return None
    import altair as alt

    place = {number.name: place for place, number in enumerate(table.numbers)}
    rows = [
        {
            "stage": row.labels[0],
            **{name: max(SHORTEST, row.values[place[name]]) for name in ("median_s", "p95_s", "max_s")},
        }
        for row in table.rows
    ]
    slowest = max(row["max_s"] for row in rows)
    marks = [second for second in MARKS if second <= slowest * 3]
    labels = " : ".join(f"datum.value == {second} ? '{MARKS[second]}'" for second in marks)
    scale = alt.Scale(type="log", domain=[SHORTEST, max(1.0, slowest * 1.2)], nice=False)
    axis = alt.Axis(values=marks, labelExpr=f"{labels} : ''", domain=False)
    data = alt.Chart(values(rows))
    y = alt.Y("stage:N", sort=None, title=None, axis=alt.Axis(domain=False, grid=False, minExtent=110))
    x = alt.X("median_s:Q", title=None, scale=scale, axis=axis)
    lines = [
        data.mark_bar(height=3, color=COLOURS["received"], opacity=0.35).encode(x=x, x2="max_s:Q", y=y),
        data.mark_bar(height=9, color=COLOURS["received"]).encode(x=x, x2="p95_s:Q", y=y),
        data.mark_point(shape="circle", filled=True, size=90, opacity=1, color=COLOURS["delivered"]).encode(
            x=x, y=y
        ),
        data.mark_point(shape="diamond", filled=True, size=70, opacity=1, color=COLOURS["bounced"]).encode(
            x=alt.X("max_s:Q", scale=scale, axis=axis, title=None), y=y
        ),
    ]
    titles = {number.name: number.title for number in table.numbers}
    legend = [
        (COLOURS["delivered"], titles["median_s"], ""),
        (COLOURS["received"], titles["p95_s"], ""),
        (COLOURS["bounced"], titles["max_s"], ""),
    ]
    return Chart(
        "delays",
        "delays",
        "",
        tr(
            "Median, 95 % and slowest time of each stage on a logarithmic scale; the table below has figures."
        ),
        alt.layer(*lines).properties(height=36 * len(rows)),
        legend,
    )
