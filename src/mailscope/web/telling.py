"""What the web page shows and scripts ask for: the JSON that the commands give (``docs/json.md``)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request, Response

from mailscope.vocabulary.instants import asked_naive
from mailscope.web import questions
from mailscope.web.documents import AboutAnswer, CoverageAnswer, LoginsAnswer, ReportAnswer, Trail
from mailscope.web.people.viewer import Viewer
from mailscope.web.served import Served

JSON: Final = "application/json"
MORE: Final = "Mailscope-More"
Since = Annotated[datetime | None, Query(description="From this instant on (UTC where it has no offset).")]
Until = Annotated[datetime | None, Query(description="Before this instant.")]
Hosts = Annotated[list[str], Query(description="Lines of this host only (repeatable).", max_length=100)]
Top = Annotated[int, Query(ge=1, le=1000, description="Rows of a table at most.")]
Sections = Annotated[
    list[str], Query(description="Only this section (repeatable); see docs/report.md.", max_length=100)
]
Language = Annotated[Literal["en", "it", "sv", "zh"], Query(description="Of texts for people.")]


def hours(since: Since = None, until: Until = None) -> questions.Span:
    """The hours that are asked for."""
    return questions.Span(asked_naive(since), asked_naive(until))


def lines(since: Since = None, until: Until = None, host: Hosts = []) -> questions.Span:  # noqa: B006
    """Of when and of which hosts."""
    return questions.Span(asked_naive(since), asked_naive(until), tuple(host))


Hours = Annotated[questions.Span, Depends(hours)]
Lines = Annotated[questions.Span, Depends(lines)]
Asking = Callable[[Request], Viewer]
Answers = Callable[[Any], dict[int | str, dict[str, Any]]]


def add_telling(
    app: FastAPI,
    service: Served,
    asking: Asking,
    refused: dict[int | str, dict[str, Any]],
) -> None:
    """The questions."""

    def answers(model: Any) -> dict[int | str, dict[str, Any]]:
        return {200: {"model": model}, **refused}

    _add_figures(app, service, answers)
    _add_trace(app, service, asking, answers)
    _add_about(app, service, asking, answers)
    _add_coverage(app, service, asking, answers)


def _add_figures(app: FastAPI, service: Served, answers: Answers) -> None:
    @app.get("/v1/report", summary="The report of whole hours.", responses=answers(ReportAnswer))
    def report(
        span: Hours,
        top: Top = 10,
        section: Sections = [],  # noqa: B006
        lang: Language = "en",
    ) -> Response:
        return _json(questions.report(service.reader(), service.lock, span, top, section, lang))

    @app.get("/v1/logins", summary="Who logged in, and who failed.", responses=answers(LoginsAnswer))
    def logins(
        span: Hours,
        top: Top = 10,
        section: Sections = [],  # noqa: B006
        lang: Language = "en",
    ) -> Response:
        return _json(questions.logins(service.reader(), service.lock, span, top, section, lang))


def _add_trace(app: FastAPI, service: Served, asking: Asking, answers: Answers) -> None:
    @app.get("/v1/trace", summary="Messages from arrival to final fate.", responses=answers(list[Trail]))
    def trace(
        request: Request,
        span: Lines,
        query: Annotated[
            str, Query(description="A queue id, a Message-ID, an address, a domain, an IP.", max_length=998)
        ],
        kind: Annotated[
            Literal["queue-id", "message-id", "address", "domain", "ip", "delivery"] | None,
            Query(description="What it is, where its look does not tell."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="Stories at most.")] = 100,
    ) -> Response:
        service.audit(asking(request).signature, "trace", query)
        trails, more = questions.trace(service.reader(), span, query, kind, limit, asking(request).only)
        # How many more messages match, as the command says on standard error.
        return _json(_ascii(trails), {MORE: str(more)})


def _add_about(app: FastAPI, service: Served, asking: Asking, answers: Answers) -> None:
    @app.get("/v1/about", summary="Everything about one thing.", responses=answers(AboutAnswer))
    def about(
        request: Request,
        span: Lines,
        subject: Annotated[
            str, Query(description="An IP, a network, an address, a user, a domain.", max_length=998)
        ],
        kind: Annotated[
            Literal["ip", "network", "address", "user", "domain"] | None,
            Query(description="What it is, where its look does not tell."),
        ] = None,
        top: Top = 10,
    ) -> Response:
        service.audit(asking(request).signature, "about", subject)
        told = questions.about(service.reader(), span, subject, kind, top, asking(request).only)
        return _json(_ascii(told))


def _add_coverage(app: FastAPI, service: Served, asking: Asking, answers: Answers) -> None:
    @app.get("/v1/coverage", summary="Which lines are recognised.", responses=answers(CoverageAnswer))
    def coverage(request: Request, span: Lines, top: Top = 20) -> Response:
        service.audit(asking(request).signature, "coverage", _span(span))
        return _json(_ascii(questions.coverage(service.reader(), span, top)))


def _json(told: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(told, media_type=JSON, headers=headers)


def _ascii(told: Any) -> bytes:
    """As the commands write it: nothing in it that a terminal acts on."""
    return (json.dumps(told, indent=1).replace("\x7f", "\\u007f") + "\n").encode("ascii")


def _span(span: questions.Span) -> str:
    told = [
        f"{name} {edge.isoformat()}" for name, edge in (("since", span.since), ("until", span.until)) if edge
    ]
    return " ".join([*told, *span.hosts]) or "everything"
