"""The guard before the live page and the API over TCP: every request passes it, and every answer.

In: a request.  It finds out who asks, what the path needs (``rules.py``), and whether a form was sent from a
page of ours; what has no rule is not answered.  Out: the answer with headers that keep a browser from doing
what the page did not ask for and, for people who see some domains only, without the addresses of others.

Sources: OWASP, "Cross-Site Request Forgery Prevention" (token, Origin, Sec-Fetch-Site); RFC 6750 (tokens).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import MailscopeError
from mailscope.web.answers import Refused
from mailscope.web.people.covering import Covering
from mailscope.web.people.desk import Came, Desk, Seat
from mailscope.web.people.headers import PRIVATE, SECURITY, TRANSPORT
from mailscope.web.people.refusing import page
from mailscope.web.people.rules import Rule, Rules
from mailscope.web.people.viewer import CSRF, NOBODY, VIEWER

SAFE: Final = ("GET", "HEAD", "OPTIONS")
FORM: Final = "application/x-www-form-urlencoded"
TOKEN_HEADER: Final = "x-csrf-token"
MOST_FORM: Final = 64 << 10
LOGIN: Final = Refused(
    what=Phrase("you have not logged in"), where="",
    what_to_do=Phrase("log in, or show a token that is valid"),
)  # fmt: skip
FORGED: Final = Refused(
    what=Phrase("this was not sent from a page of this site, or its session has ended"), where="",
    what_to_do=Phrase("open the page anew and send it again"),
)  # fmt: skip
NOT_FOR_ROLE: Final = Phrase("your role may not do this")
NOT_FOR_TOKEN: Final = Phrase("this token may not do this")
UNKNOWN: Final = Refused(what=Phrase("there is nothing here"), where="", what_to_do="")
IN_THE_CLEAR: Final = Refused(
    what=Phrase("this connection is not encrypted"),
    where="",
    what_to_do=Phrase("come through the proxy, or by https"),
)


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, desk: Desk, rules: Rules) -> None:
        self._app, self._desk, self._rules = app, desk, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        came = self._desk.came(request)
        out = _Headers(send, came)
        rule = self._rules.rule(request.method, request.scope["path"])
        seat = await run_in_threadpool(self._desk.seat, request, came)
        body = _Body(receive)
        refusal = await self._refusal(request, came, rule, seat, body)
        if refusal is not None:
            await refusal(scope, receive, out)
            return
        assert rule is not None
        state = scope.setdefault("state", {})
        state["came"], state["seat"] = came, seat
        state[VIEWER], state[CSRF] = (seat.viewer, seat.csrf) if seat is not None else (NOBODY, "")
        if rule.public or seat is None or not seat.viewer.limited:
            await self._app(scope, body, out)
            return
        await self._app(scope, body, Covering(out, seat.viewer.masking))

    async def _refusal(
        self, request: Request, came: Came, rule: Rule | None, seat: Seat | None, body: _Body
    ) -> Response | None:
        """Why it is not answered; None: it is."""
        if self._in_the_clear(request, came):
            return _refused(request, 403, IN_THE_CLEAR)
        if request.method not in SAFE and (seat is None or seat.csrf) and not self._same_site(request):
            return _refused(request, 403, FORGED)
        if rule is not None and rule.public:
            return None
        if seat is None:
            return _login(request)
        if rule is None:
            return self._without_rule(request)
        viewer = seat.viewer
        if (
            (rule.action is not None and not viewer.may(rule.action))
            or (viewer.limited and not rule.limited)
            or (rule.in_person and not seat.csrf)
        ):
            if request.scope["path"] == "/" and viewer.may("domains") and _page(request):
                # Who may not see figures of the whole host begins there.
                return RedirectResponse("/domains", 303)
            words = Refused(
                what=NOT_FOR_ROLE if viewer.scope is None else NOT_FOR_TOKEN,
                where=request.scope["path"], what_to_do=Phrase("ask an admin of Mailscope"),
            )  # fmt: skip
            return _refused(request, 403, words)
        if request.method not in SAFE and seat.csrf:
            shown = await _shown(request, body)
            if not compare_digest(shown.encode("utf-8", "replace"), seat.csrf.encode()):
                return _refused(request, 403, FORGED)
        if rule.audited:
            asked = request.url.query or "everything"
            try:
                await run_in_threadpool(self._desk.audit, viewer.signature, rule.audited, asked)
            except MailscopeError as error:
                return _refused(
                    request, 503, Refused(what=error.what, where=error.where, what_to_do=error.what_to_do)
                )
        return None

    def _same_site(self, request: Request) -> bool:
        """Whether the browser, if it tells, says that a page of ours sends this."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        # A proxy may ask by another name than people do.
        ours = (request.headers.get("host", ""), urlsplit(self._desk.settings().url).netloc)
        return urlsplit(origin).netloc.lower() in {each.lower() for each in ours if each}

    def _in_the_clear(self, request: Request, came: Came) -> bool:
        """Whether somebody beyond this host asks without TLS, whatever the settings were when they began."""
        return not (came.secure or came.by_proxy or _loopback(came.address))

    def _without_rule(self, request: Request) -> Response:
        others = self._rules.methods(request.scope["path"])
        if not others:
            return _refused(request, 404, UNKNOWN)
        words = Refused(
            what=Phrase("this method is not answered here"), where=request.method[:20], what_to_do=""
        )
        answer = _refused(request, 405, words)
        answer.headers["allow"] = ", ".join(others)
        return answer


class _Body:
    """What a request brings, which may be looked at before it is answered."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._seen: list[Message] = []

    async def __call__(self) -> Message:
        return self._seen.pop(0) if self._seen else await self._receive()

    async def peek(self, most: int) -> bytes:
        """All of it, or its beginning; it can be read again."""
        read = bytearray()
        seen = []
        while len(read) <= most:
            message = await self._receive()
            seen.append(message)
            read += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
        self._seen = seen
        return bytes(read)


class _Headers:
    """Sends an answer with the headers that each has."""

    def __init__(self, send: Send, came: Came) -> None:
        self._send, self._came = send, came

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY.items():
                headers[name] = value
            headers.setdefault("cache-control", PRIVATE)
            if self._came.secure:
                headers["strict-transport-security"] = TRANSPORT
        await self._send(message)


async def _shown(request: Request, body: _Body) -> str:
    """The token that a form or a script brought back."""
    if header := request.headers.get(TOKEN_HEADER):
        return header
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        return ""
    text = (await body.peek(MOST_FORM)).decode("latin-1")
    return next((value for name, value in parse_qsl(text, keep_blank_values=True) if name == CSRF), "")


def _login(request: Request) -> Response:
    if _page(request) and request.method in SAFE:
        asked = request.scope["path"] + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(asked, safe='')}" if asked != "/" else "/login", 303)
    answer = _refused(request, 401, LOGIN)
    answer.headers["www-authenticate"] = 'Bearer realm="mailscope"'
    return answer


def _refused(request: Request, status: int, words: Refused) -> Response:
    if _page(request):
        return page(request, status, words)
    return JSONResponse(words.model_dump(), status)


def _page(request: Request) -> bool:
    """Whether a person asks with a browser, and not a program."""
    return not request.scope["path"].startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def _loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
