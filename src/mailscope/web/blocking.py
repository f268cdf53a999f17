"""The blocklist over HTTP, for those that fetch it; who asks again gets 304 while it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import FastAPI, Request, Response

from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.web.refusals import REFUSED, told
from mailscope.web.served import Served

PATH: Final = "/v1/blocklist"
# From the parameters of a request: the text, what names its contents, and its content type.
Make = Callable[[Mapping[str, list[str]]], tuple[bytes, str, str]]


def blocklists(make: Make) -> Callable[[FastAPI, Served, Callable[[Request], str]], None]:
    """What adds it to an application."""

    def add(app: FastAPI, service: Served, caller: Callable[[Request], str]) -> None:
        @app.get(
            PATH,
            summary="Attackers to be blocked: format, severity, since, spare (docs/blocking.md).",
            response_class=Response,
            responses={200: {"content": {"text/plain": {}, "application/x-ndjson": {}}}, **REFUSED},
        )
        def blocklist(request: Request) -> Response:
            service.audit(caller(request), "blocklist", request.url.query)
            return answer(make, request)

    return add


def answer(make: Make, request: Request) -> Response:
    """The list as a request asks for it."""
    query = request.query_params
    body, name, kind = make({each: query.getlist(each) for each in query})
    headers = {"etag": f'"{name}"', "cache-control": "no-cache"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if headers["etag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "content-type": kind})


def fed(make: Make) -> Callable[[Request], Response]:
    """The same where no application turns errors into answers."""

    def feed(request: Request) -> Response:
        try:
            return answer(make, request)
        except MailscopeError as error:
            body = told(error).model_dump_json()
            return Response(
                body, 400 if isinstance(error, UsageError) else 503, media_type="application/json"
            )

    return feed
