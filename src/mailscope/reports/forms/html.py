"""The report as one HTML page: nothing is fetched, nothing runs, and log text is text.

It reads on light and dark screens, on a telephone and on paper.  In a mail, whose readers often show no SVG,
the same page has pictures that the mail carries along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mailscope import __version__
from mailscope.language.translator import Translator
from mailscope.reports import figures
from mailscope.reports.document import document
from mailscope.reports.layout import Paper

if TYPE_CHECKING:
    from mailscope.reports.charts.chart import Chart

TEMPLATES: Final = Path(__file__).parent / "templates"
# Characters of one cell at most; an ellipsis says that some are missing.  JSON has all.
LONGEST: Final = 400
HTML_LANGUAGES: Final = {"zh": "zh-Hans"}


def written(report: dict[str, Any], tr: Translator, paper: Paper) -> bytes:
    """The page, with its charts."""
    return page(report, tr, paper, lambda chart: Markup(chart.svg())).encode()


def page(
    report: dict[str, Any],
    tr: Translator,
    paper: Paper,
    draw: Callable[[Chart], Markup],
    *,
    mail: bool = False,
) -> str:
    """The page with its charts as ``draw`` puts them there."""
    from mailscope.reports.charts import charts

    shown = document(report, tr, lambda text: cut(paper.safe(text)))
    rendered: str = _template().render(
        page=shown,
        charts=_placed((chart, draw(chart)) for chart in charts(shown, report, tr)),
        tr=tr,
        count=figures.count,
        titles={table.name: table.title for table in shown.tables},
        html_language=HTML_LANGUAGES.get(tr.language, tr.language),
        version=__version__,
        mail=mail,
    )
    return rendered


def _placed(drawn: Iterable[tuple[Chart, Markup]]) -> dict[str, list[tuple[Chart, Markup]]]:
    """Charts by the section that they belong to."""
    placed: dict[str, list[tuple[Chart, Markup]]] = {}
    for chart, picture in drawn:
        placed.setdefault(chart.section, []).append((chart, picture))
    return placed


def cut(text: str) -> str:
    """A text of a bearable length."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


__all__: Sequence[str] = ("cut", "page", "written")
