"""What people with a browser are told by the guard and at the door: small pages in their language."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mailscope.language.choice import ENGLISH, LANGUAGES
from mailscope.language.translator import Translator, translator
from mailscope.vocabulary.shown import safe
from mailscope.web.answers import Refused
from mailscope.web.people.viewer import CSRF, NOBODY, VIEWER

TEMPLATES: Final = Path(__file__).parent.parent / "templates" / "people"
HTML_LANGUAGES: Final = {"zh": "zh-Hans"}
LONGEST: Final = 1_000


def page(request: Request, status: int, words: Refused) -> HTMLResponse:
    """Why something is not answered."""
    return shown(request, "refused.html", status, words=words)


def shown(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page made of a template."""
    tr = language(request)
    text = _environment().get_template(template).render(
        tr=tr,
        html_language=HTML_LANGUAGES.get(tr.language, tr.language),
        csrf=getattr(request.state, CSRF, ""),
        viewer=getattr(request.state, VIEWER, NOBODY),
        nobody=NOBODY,
        **values,
    )  # fmt: skip
    return HTMLResponse(text, status)


def language(request: Request) -> Translator:
    """The viewer's language, or the first of the browser's that we have."""
    wanted = getattr(request.state, VIEWER, NOBODY).language
    for each in [wanted, *request.headers.get("accept-language", "").split(",")]:
        name = each.partition(";")[0].strip().partition("-")[0].lower()
        if name in LANGUAGES:
            return translator(name)
    return translator(ENGLISH)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"safe_text": _safe_text, "instant": _instant}
    return made


def _safe_text(text: Any) -> Markup:
    """Text of strangers in a place of its own, whose direction does not reach beyond it."""
    return Markup("<bdi>{}</bdi>").format(safe(str(text))[:LONGEST])


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
