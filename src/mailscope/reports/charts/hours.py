"""When mail comes: the hours of the day against the days of the week, the darker the more."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports.charts.chart import COLOURS, Chart, values
from mailscope.reports.document import VOLUME, WEEKDAYS, Document
from mailscope.reports.grid import HEATMAP

# Fewer days of the week make no pattern.
FEWEST_DAYS: Final = 3
COUNTED: Final = ("received", "rejected")


def chart(page: Document, report: dict[str, Any], tr: Translator) -> Chart | None:
    """A square for each hour of each day of the week; None for a log of few days."""
    found, section = _counted(page, report)
    if section is None or len({day for day, _ in found}) < FEWEST_DAYS:
        return None
    import altair as alt

    rows = [
        {"day": tr(name), "hour": f"{hour:02}", "count": found[day, hour]}
        for day, name in enumerate(WEEKDAYS)
        for hour in range(24)
    ]
    drawn = (
        alt.Chart(values(rows))
        .mark_rect(color=COLOURS["received"])
        .encode(
            x=alt.X(
                "hour:O",
                sort=None,
                title=None,
                scale=alt.Scale(paddingInner=0.08),
                axis=alt.Axis(labelAngle=0, domain=False),
            ),
            y=alt.Y(
                "day:O",
                sort=None,
                title=None,
                scale=alt.Scale(paddingInner=0.12),
                axis=alt.Axis(domain=False),
            ),
            opacity=alt.Opacity("count:Q", scale=alt.Scale(type="sqrt", range=[0.06, 1]), legend=None),
        )
        .properties(height=170)
    )
    return Chart(
        "hours",
        section,
        tr("By hour and day of the week"),
        tr("Messages received and refused by hour and day of the week, the darker the more."),
        drawn,
    )


def _counted(page: Document, report: dict[str, Any]) -> tuple[Counter[tuple[int, int]], str | None]:
    """How much came in each hour (weekday from 0, hour), and the section to show it in, if any."""
    found: Counter[tuple[int, int]] = Counter()
    for table in page.tables:
        if table.kind == HEATMAP:
            for row in table.rows:
                for number, value in zip(table.numbers, row.values, strict=True):
                    found[row.known[0] - 1, int(number.name)] += value
            return found, table.name
    shown = [table.name for table in page.tables if table.name in VOLUME]
    if not shown or "by_hour" not in report:
        return found, None
    for row in report["by_hour"]["rows"]:
        at = datetime.fromisoformat(row["hour"])
        found[at.weekday(), at.hour] += sum(row[name] or 0 for name in COUNTED)
    return found, shown[-1]
