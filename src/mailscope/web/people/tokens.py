"""Tokens for programs that ask the API: of one account, for some of what it may do, until a day."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final, cast

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import InputError, UsageError
from mailscope.web.people.accounts import known
from mailscope.web.people.book import Book, proof
from mailscope.web.people.roles import ACTIONS, ROLES, Action, Role

# So that a token that was published by mistake is found by those who look for them.
PREFIX: Final = "mailscope_"
DAY_S: Final = 86_400
MOST_DAYS: Final = 366
SHOWN: Final = 8


@dataclass(frozen=True)
class Token:
    """``name`` tells it apart from others; ``used``: when it was shown last (0: never)."""

    name: str
    account: str
    title: str
    scope: frozenset[Action]
    created: int
    expires: int
    used: int


def make(book: Book, account: str, title: str, scope: Collection[str], days: int) -> str:
    """A new one; gives what the program is to show: it is told only now.  Raises UsageError."""
    owner = known(book, account)
    if not scope:
        raise UsageError(
            Phrase("it would be good for nothing"),
            "scope",
            Phrase("give some of: {names}", names=", ".join(ACTIONS)),
        )
    for each in scope:
        if each not in ROLES[owner.role]:
            raise UsageError(
                Phrase("your role may not do that"),
                each,
                Phrase("give some of: {names}", names=_may(owner.role)),
            )
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(Phrase("a token lasts from 1 to 366 days"), "days", Phrase("give such a number"))
    if not title.strip() or len(title) > 100:
        raise UsageError(
            Phrase("a token needs a title"), "title", Phrase("say in a few words what it is for")
        )
    secret = PREFIX + token_urlsafe(32)
    now = book.now
    book.run(
        "insert into tokens values (?, ?, ?, ?, ?, ?, 0)",
        proof(secret), account, title.strip(), ",".join(sorted(scope)), now, now + days * DAY_S,
    )  # fmt: skip
    return secret


def _may(role: Role) -> str:
    return ", ".join(sorted(ROLES[role]))


def found(book: Book, secret: str) -> Token | None:
    """The token that a program shows, if it is good still."""
    row = book.row("select * from tokens where proof = ? and expires > ?", proof(secret), book.now)
    if row is None:
        return None
    if row["used"] < book.now - 60:
        book.run("update tokens set used = ? where proof = ?", book.now, row["proof"])
    return _token(row)


def of(book: Book, account: str | None = None) -> list[Token]:
    """Those of an account, or all, the oldest first; also those that have expired."""
    rows = book.rows("select * from tokens where coalesce(?, account) = account order by created", account)
    return [_token(row) for row in rows]


def revoke(book: Book, name: str, account: str | None = None) -> Token:
    """End one.  Raises InputError where there is none of that name."""
    for token in of(book, account):
        if token.name == name:
            book.run("delete from tokens where substr(proof, 1, ?) = ?", SHOWN, name)
            return token
    raise InputError("there is no such token", name, "see 'mailscope people tokens'")


def _token(row: sqlite3.Row) -> Token:
    scope = frozenset(cast(Action, each) for each in row["scope"].split(",") if each in ACTIONS)
    return Token(
        row["proof"][:SHOWN], row["account"], row["title"], scope, row["created"], row["expires"], row["used"]
    )
