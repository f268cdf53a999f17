"""Passwords: which are good enough, and whether one is right (argon2id, RFC 9106).

What it costs to look at one is bounded: two at a time, as each takes 64 MiB; who would wait long is sent
away.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.web.people.book import Book

SHORTEST, LONGEST = 12, 1024
PATIENCE_S: Final = 5.0
_AT_ONCE: Final = threading.BoundedSemaphore(2)
# RFC 9106, section 4, the second recommended choice; argon2-cffi's defaults.
HASHER: Final = PasswordHasher()


def check(password: str, name: str) -> None:
    """Raise UsageError for a password that is easily guessed (NIST SP 800-63B, section 5.1.1.2)."""
    if len(password) < SHORTEST:
        raise UsageError(
            Phrase("the password is too short"), "password", Phrase("give {n} characters or more", n=SHORTEST)
        )
    if len(password) > LONGEST:
        raise UsageError(
            Phrase("the password is too long"), "password", Phrase("give {n} characters at most", n=LONGEST)
        )
    low = password.lower()
    if low.replace(name, "") in ("", "mailscope") or len(set(low)) < 5:
        raise UsageError(
            Phrase("the password is easily guessed"), "password", Phrase("give several words, say")
        )


def set_password(book: Book, name: str, password: str) -> None:
    """Give an account another password; whoever is logged in by it is logged out, links to it end."""
    check(password, name)
    with _turn():
        hashed = HASHER.hash(password)
    with book.change():
        book.run("update accounts set password = ? where name = ?", hashed, name)
        book.run("delete from sessions where account = ?", name)
        book.run("delete from links where account = ?", name)


def right(book: Book, name: str, password: str) -> bool:
    """Whether it is the password of an account; where there is none, the answer takes as long."""
    row = book.row("select password from accounts where name = ? and not disabled", name)
    hashed = row["password"] if row is not None else ""
    with _turn():
        good = _verified(hashed or _nobodys(), password[: LONGEST + 1]) and bool(hashed)
        renewed = HASHER.hash(password) if good and HASHER.check_needs_rehash(hashed) else ""
    if renewed:
        book.run("update accounts set password = ? where name = ? and password = ?", renewed, name, hashed)
    return good


@contextmanager
def _turn() -> Iterator[None]:
    """One's turn.  Raises MailscopeError where it does not come soon."""
    if not _AT_ONCE.acquire(timeout=PATIENCE_S):
        raise MailscopeError(Phrase("too many people log in just now"), "", Phrase("try again later"))
    try:
        yield
    finally:
        _AT_ONCE.release()


def _verified(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return HASHER.hash("nobody has this one")
