"""Templates: every text of the log that reaches one is escaped, and shown as what it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mailscope import __version__
from mailscope.reports import figures
from mailscope.vocabulary.shown import safe
from mailscope.web.pages.grid import cut
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.span import NAMES
from mailscope.web.pages.visit import Visit

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
HTML_LANGUAGES: Final = {"zh": "zh-Hans"}


def rendered(visit: Visit, page: Page, context: Context, menu: list[tuple[Page, str]]) -> str:
    """The page as a document."""
    return _made(page.template, visit, {"page": page, "shown": context, "menu": menu})


def failed(visit: Visit, menu: list[tuple[Page, str]], error: Mapping[str, str], status: int) -> str:
    """A page that says why there is none."""
    return _made("error.html", visit, {"page": None, "error": error, "status": status, "menu": menu})


def _made(template: str, visit: Visit, more: dict[str, Any]) -> str:
    made: str = (
        environment()
        .get_template(template)
        .render(
            visit=visit,
            tr=visit.tr,
            link=visit.link,
            span_names=NAMES,
            html_language=HTML_LANGUAGES.get(visit.tr.language, visit.tr.language),
            version=__version__,
            **more,
        )
    )
    return made


@cache
def environment() -> Environment:
    """The templates of the live page."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"safe_text": safe_text, "count": figures.count, "seconds": figures.seconds}
    return made


def safe_text(text: Any) -> Markup:
    """Text of strangers in a place of its own, whose direction does not reach beyond it."""
    return Markup("<bdi>{}</bdi>").format(cut(safe(str(text)), 4_000))
