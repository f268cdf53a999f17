"""The report's charts, one file each; each is also a table of the report, which says the same in figures.

In: the report as a document.  Out: a chart defined with Altair (Vega-Lite), drawn as SVG and, for mail, as
PNG.  To add one, write a module with a ``chart`` function and name it here.  Altair and the drawing engine
are heavy: they are imported when a chart is made, and never else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports.charts import delays, fates, hours, reasons, volume
from mailscope.reports.charts.chart import Chart
from mailscope.reports.document import Document

CHARTS: Final[tuple[Callable[[Document, dict[str, Any], Translator], Chart | None], ...]] = (
    volume.chart,
    fates.chart,
    hours.chart,
    reasons.chart,
    delays.chart,
)


def charts(page: Document, report: dict[str, Any], tr: Translator) -> list[Chart]:
    """The charts that the report has figures for."""
    return [drawn for chart in CHARTS if (drawn := chart(page, report, tr)) is not None]
