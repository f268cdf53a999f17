"""What became of the recipients, as one bar cut into its parts."""

from __future__ import annotations

from typing import Any

from mailscope.language.translator import Translator
from mailscope.reports import figures
from mailscope.reports.charts.chart import COLOURS, OTHER, Chart, colours, values
from mailscope.reports.document import Document


def chart(page: Document, report: dict[str, Any], tr: Translator) -> Chart | None:
    """One bar; None where the section is not shown or there are no recipients."""
    table = next((table for table in page.tables if table.name == "fates"), None)
    fates = report.get("recipients", {})
    told = {name: n for name, n in fates.items() if name not in ("total", "deferred") and n}
    if table is None or not told:
        return None
    import altair as alt

    rows = [
        {"fate": name, "count": count, "order": order} for order, (name, count) in enumerate(told.items())
    ]
    drawn = (
        alt.Chart(values(rows))
        .mark_bar()
        .encode(
            x=alt.X("count:Q", stack="normalize", title=None, axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color("fate:N", scale=colours(tuple(told)), legend=None),
            order=alt.Order("order:Q"),
        )
        .properties(height=36)
    )
    whole = sum(told.values())
    legend = [
        (COLOURS.get(name, OTHER), tr(name), f"{figures.count(n)} ({figures.share(n, whole)})")
        for name, n in told.items()
    ]
    return Chart(
        "fates",
        "fates",
        "",
        tr("Shares of the recipients by fate; the table below has the figures."),
        drawn,
        legend,
    )
