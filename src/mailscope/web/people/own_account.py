"""A person's own account: password, second factor, sessions, tokens."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import UsageError
from mailscope.web.people import passwords, second_factor, sessions, tokens, tries
from mailscope.web.people.accounts import Account, known
from mailscope.web.people.desk import Desk
from mailscope.web.people.entering import (
    Form,
    admitted,
    came_of,
    check_twice,
    looked,
    one,
    posted,
    seat_of,
)
from mailscope.web.people.refusing import shown
from mailscope.web.people.roles import ACTIONS, ROLES, TITLES

HERE: Final = "/account"


def add_account(app: FastAPI, desk: Desk) -> None:
    """The page, and what is posted to it."""

    def look(request: Request) -> Response:
        return _page(desk, request)

    def password(request: Request, form: Form) -> Response:
        owner = _owner(desk, request)
        try:
            _prove(desk, request, owner, one(form, "old"))
            check_twice(form)
            passwords.set_password(desk.book, owner.name, one(form, "password"))
        except UsageError as error:
            return _page(desk, request, wrong=error)
        _enter(desk, request, "password changed")
        return admitted(desk, request, owner.name, HERE)

    def factor(request: Request, form: Form) -> Response:
        owner, done = _owner(desk, request), one(form, "do")
        secret = one(form, "secret") or second_factor.new_secret()
        try:
            if done == "end":
                _prove(desk, request, owner, one(form, "old"))
                second_factor.end(desk.book, owner.name)
            elif done == "confirm" and not owner.second_factor:
                second_factor.begin(desk.book, owner.name, secret, one(form, "code"))
            elif not owner.second_factor:
                return _page(desk, request, secret=secret)
        except UsageError as error:
            return _page(desk, request, wrong=error, secret=secret if done == "confirm" else "")
        _enter(desk, request, f"second factor: {done}")
        return RedirectResponse(HERE, 303)

    def end_sessions(request: Request, form: Form) -> Response:
        owner, seat = _owner(desk, request), seat_of(request)
        mine = seat.session if seat is not None else ""
        for session in sessions.of(desk.book, owner.name):
            if session.proof != mine and one(form, "name") in ("", session.proof):
                sessions.end(desk.book, owner.name, session.proof)
        _enter(desk, request, "sessions ended")
        return RedirectResponse(HERE, 303)

    app.add_route(HERE, looked(look), methods=["GET"])
    app.add_route(f"{HERE}/password", posted(password), methods=["POST"])
    app.add_route(f"{HERE}/second-factor", posted(factor), methods=["POST"])
    app.add_route(f"{HERE}/sessions", posted(end_sessions), methods=["POST"])
    _add_tokens(app, desk)


def _add_tokens(app: FastAPI, desk: Desk) -> None:
    """Making and revoking tokens."""

    def change_tokens(request: Request, form: Form) -> Response:
        owner = _owner(desk, request)
        if name := one(form, "revoke"):
            tokens.revoke(desk.book, name, owner.name)
            _enter(desk, request, f"token revoked: {name}")
            return RedirectResponse(HERE, 303)
        try:
            days = int(one(form, "days")) if one(form, "days").isdecimal() else 0
            made = tokens.make(desk.book, owner.name, one(form, "title"), form.get("scope", []), days)
        except UsageError as error:
            return _page(desk, request, wrong=error)
        _enter(desk, request, f"token made: {one(form, 'title')}")
        return _page(desk, request, token=made)

    app.add_route(f"{HERE}/tokens", posted(change_tokens), methods=["POST"])


def _owner(desk: Desk, request: Request) -> Account:
    seat = seat_of(request)
    assert seat is not None
    return known(desk.book, seat.viewer.name)


def _page(
    desk: Desk, request: Request, wrong: UsageError | None = None, secret: str = "", token: str = ""
) -> Response:
    owner, seat = _owner(desk, request), seat_of(request)
    return shown(
        request,
        "account.html",
        200 if wrong is None else 422,
        owner=owner,
        role=TITLES[owner.role],
        wrong=wrong or "",
        secret=secret,
        uri=second_factor.address(secret, owner.name, request.url.hostname or "") if secret else "",
        token=token,
        tokens=tokens.of(desk.book, owner.name),
        sessions=sessions.of(desk.book, owner.name),
        mine=seat.session if seat is not None else "",
        scopes=[(name, ACTIONS[name]) for name in ACTIONS if name in ROLES[owner.role]],
        now=desk.book.now,
    )


def _prove(desk: Desk, request: Request, owner: Account, old: str) -> None:
    """Raise UsageError where somebody else sits at the screen; it can be tried as often as logging in."""
    address = came_of(request).address
    if tries.wait_s(desk.book, owner.name, address):
        raise UsageError(Phrase("that was wrong too often"), "password", Phrase("try again later"))
    tries.begun(desk.book, owner.name, address)
    if not passwords.right(desk.book, owner.name, old):
        raise UsageError(
            Phrase("the password is not right"), "password", Phrase("give the one you log in with")
        )
    tries.succeeded(desk.book, owner.name, address)


def _enter(desk: Desk, request: Request, what: str) -> None:
    seat = seat_of(request)
    assert seat is not None
    desk.audit(seat.viewer.signature, what, came_of(request).address)
