"""Sessions: who has logged in, until when.  What the browser keeps is random; the book keeps a hash of it."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final

from mailscope.web.people.book import Book, proof

# How often it is written down that somebody is still there.
SEEN_EVERY_S: Final = 60


@dataclass(frozen=True)
class Lasting:
    """For how long: since logging in, and without doing anything (seconds)."""

    whole_s: int
    idle_s: int


@dataclass(frozen=True)
class Session:
    """``proof`` tells it apart from others of the account."""

    proof: str
    account: str
    begun: int
    seen: int
    address: str


def start(book: Book, account: str, address: str, lasting: Lasting) -> str:
    """A new one; gives what the browser is to keep."""
    secret, now = token_urlsafe(32), book.now
    with book.change():
        forget_old(book, lasting)
        book.run("insert into sessions values (?, ?, ?, ?, ?)", proof(secret), account, now, now, address)
    return secret


def found(book: Book, secret: str, lasting: Lasting) -> Session | None:
    """The session that a browser shows, if it lasts still."""
    now = book.now
    row = book.row(
        "select * from sessions where proof = ? and begun > ? and seen > ?",
        proof(secret), now - lasting.whole_s, now - lasting.idle_s,
    )  # fmt: skip
    if row is None:
        return None
    if row["seen"] <= now - min(SEEN_EVERY_S, lasting.idle_s // 2):
        book.run("update sessions set seen = ? where proof = ?", now, row["proof"])
    return Session(*row)


def of(book: Book, account: str) -> list[Session]:
    """Those of an account, the newest first."""
    return [
        Session(*row)
        for row in book.rows("select * from sessions where account = ? order by begun desc", account)
    ]


def end(book: Book, account: str, named: str = "") -> None:
    """End one of an account's sessions (its proof), or all of them."""
    book.run("delete from sessions where account = ? and ? in ('', proof)", account, named)


def forget_old(book: Book, lasting: Lasting) -> None:
    """Forget those that are over."""
    book.run(
        "delete from sessions where begun <= ? or seen <= ?",
        book.now - lasting.whole_s,
        book.now - lasting.idle_s,
    )
