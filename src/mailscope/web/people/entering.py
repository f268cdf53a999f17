"""The door: logging in and out, and the one-time link by which a password is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.web.answers import Refused
from mailscope.web.people import links, passwords, second_factor, sessions, tries
from mailscope.web.people.accounts import account
from mailscope.web.people.desk import Came, Desk, Seat
from mailscope.web.people.refusing import page, shown

MOST_BYTES: Final = 64 << 10
WRONG: Final = Phrase("This name, password and code do not belong together.")
SPENT: Final = Refused(
    what=Phrase("this link is not good any more"), where="",
    what_to_do=Phrase("ask an admin of Mailscope for a new one: 'mailscope people link'"),
)  # fmt: skip
Form = Mapping[str, list[str]]
Handle = Callable[[Request, Form], Response]


def add_door(app: FastAPI, desk: Desk) -> None:
    """Logging in and out."""

    def entrance(request: Request) -> Response:
        target = _target(request.query_params.get("next", ""))
        if seat_of(request) is not None:
            return RedirectResponse(target, 303)
        return shown(request, "login.html", name="", target=target, wrong="")

    def enter(request: Request, form: Form) -> Response:
        came, name = came_of(request), one(form, "name").strip().lower()
        target = _target(one(form, "next"))
        if wait := tries.wait_s(desk.book, name, came.address):
            words = Phrase("That was wrong too often. Try again in {n} minutes.", n=-(-wait // 60))
            answer = shown(request, "login.html", 429, name=name, target=target, wrong=words)
            answer.headers["retry-after"] = str(wait)
            return answer
        tries.begun(desk.book, name, came.address)
        known = passwords.right(desk.book, name, one(form, "password"))
        if not (known and second_factor.right(desk.book, name, one(form, "code"))):
            desk.audit(f"{name[:64] or '-'} (web)", "login refused", came.address)
            return shown(request, "login.html", 403, name=name, target=target, wrong=WRONG)
        tries.succeeded(desk.book, name, came.address)
        return admitted(desk, request, name, target)

    def leave(request: Request, form: Form) -> Response:
        seat = cast(Seat, seat_of(request))
        sessions.end(desk.book, seat.viewer.name, seat.session)
        desk.audit(seat.viewer.signature, "logout", came_of(request).address)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(
            came_of(request).cookie, secure=came_of(request).secure, httponly=True, samesite="lax"
        )
        return answer

    app.add_route("/login", looked(entrance), methods=["GET"])
    app.add_route("/login", posted(enter), methods=["POST"])
    app.add_route("/logout", posted(leave), methods=["POST"])
    _add_welcome(app, desk)


def _add_welcome(app: FastAPI, desk: Desk) -> None:
    """The one-time link."""

    def welcome(request: Request) -> Response:
        key = request.query_params.get("key", "")
        name = links.whose(desk.book, key)
        if name is None:
            return page(request, 410, SPENT)
        return shown(request, "welcome.html", name=name, key=key, wrong="")

    def choose(request: Request, form: Form) -> Response:
        key, chosen = one(form, "key"), one(form, "password")
        name = links.whose(desk.book, key)
        try:
            check_twice(form)
            name = links.use(desk.book, key, chosen)
        except UsageError as error:
            if name is not None:
                return shown(request, "welcome.html", 422, name=name, key=key, wrong=error)
        if name is None:
            return page(request, 410, SPENT)
        desk.audit(f"{name} (web)", "password chosen", came_of(request).address)
        known = account(desk.book, name)
        if known is None or known.second_factor:
            # The link stands for the password only.
            return RedirectResponse("/login", 303)
        return admitted(desk, request, name, "/")

    app.add_route("/welcome", looked(welcome), methods=["GET"])
    app.add_route("/welcome", posted(choose), methods=["POST"])


def admitted(desk: Desk, request: Request, name: str, target: str) -> Response:
    """Begin a session, and go on."""
    came = came_of(request)
    desk.audit(f"{name} (web)", "login", came.address)
    secret = sessions.start(desk.book, name, came.address, desk.lasting)
    answer = RedirectResponse(target, 303)
    answer.set_cookie(came.cookie, secret, path="/", secure=came.secure, httponly=True, samesite="lax")
    return answer


def check_twice(form: Form) -> None:
    """Raise UsageError where a new password was mistyped."""
    if one(form, "password") != one(form, "again"):
        raise UsageError(Phrase("the two passwords differ"), "password", Phrase("type the same one twice"))


def looked(handle: Callable[[Request], Response]) -> Any:
    """An endpoint that shows something."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(handle, request)

    return answer


def posted(handle: Handle) -> Any:
    """An endpoint that takes a form."""

    async def answer(request: Request) -> Response:
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > MOST_BYTES:
                return page(request, 413, TOO_LONG)
        form: dict[str, list[str]] = {}
        for name, value in parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True):
            form.setdefault(name, []).append(value)
        try:
            return await run_in_threadpool(handle, request, form)
        except MailscopeError as error:
            words = Refused(what=error.what, where=error.where, what_to_do=error.what_to_do)
            return page(request, 400 if isinstance(error, UsageError) else 503, words)

    return answer


TOO_LONG: Final = Refused(what=Phrase("the form is too long"), where="", what_to_do=Phrase("send less"))


def one(form: Form, name: str) -> str:
    """A field's first value."""
    return form.get(name, [""])[0]


def seat_of(request: Request) -> Seat | None:
    """Who asks, as the guard has found."""
    found: Seat | None = request.state.seat
    return found


def came_of(request: Request) -> Came:
    """From where it comes, as the guard has found."""
    found: Came = request.state.came
    return found


def _target(asked: str) -> str:
    """A page of ours to go to; nothing else is believed."""
    good = asked.startswith("/") and asked[1:2] not in ("/", "\\") and asked.isprintable()
    return asked if good else "/"
