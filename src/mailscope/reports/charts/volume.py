"""Volume over time: delivery attempts by outcome and refusals, one on top of the other."""

from __future__ import annotations

from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports import figures
from mailscope.reports.charts.chart import COLOURS, Chart, colours, values
from mailscope.reports.document import Document

OUTCOMES: Final = ("delivered", "deferred", "bounced", "rejected")
TABLES: Final = ("by_hour", "by_day")


def chart(page: Document, report: dict[str, Any], tr: Translator) -> Chart | None:
    """A bar for each hour or day; None where there is but one."""
    table = next((table for table in page.tables if table.name in TABLES), None)
    if table is None or len(table.rows) < 2:
        return None
    import altair as alt

    places = {number.name: place for place, number in enumerate(table.numbers) if number.name in OUTCOMES}
    times = [row.labels[0] for row in table.rows]
    if len({time[:10] for time in times}) == 1:
        times = [time[11:] for time in times]
    elif table.labels[0].unit == "hour":
        times = [time[5:] for time in times]
    rows = [
        {"time": time, "outcome": name, "count": row.values[place] or 0, "order": order}
        for time, row in zip(times, table.rows, strict=True)
        for order, (name, place) in enumerate(places.items())
    ]
    drawn = (
        alt.Chart(values(rows))
        .mark_bar()
        .encode(
            x=alt.X(
                "time:O",
                sort=None,
                title=None,
                axis=alt.Axis(labelAngle=0, labelOverlap="greedy", grid=False),
            ),
            y=alt.Y("count:Q", title=None, stack=True, axis=alt.Axis(format=",d", tickCount=4, domain=False)),
            color=alt.Color("outcome:N", scale=colours(tuple(places)), legend=None),
            order=alt.Order("order:Q"),
        )
        .properties(height=200)
    )
    sums = {name: sum(row.values[place] or 0 for row in table.rows) for name, place in places.items()}
    titles = {number.name: number.title for number in table.numbers}
    legend = [(COLOURS[name], titles[name], figures.count(total)) for name, total in sums.items()]
    return Chart(
        "volume",
        table.name,
        "",
        tr("Delivery attempts and refusals over time; the table below has the figures."),
        drawn,
        legend,
    )
