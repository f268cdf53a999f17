"""Accounts: who they are, their role, and how they prove who they are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args
from zoneinfo import ZoneInfo

from mailscope.language.choice import LANGUAGES
from mailscope.vocabulary.errors import InputError, UsageError
from mailscope.web.people.book import Book
from mailscope.web.people.roles import LIMITED, Role

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
DOMAIN: Final = re.compile(r"[^\s@/\\\"'<>()\[\]%]{1,253}")
NAMES: Final = "give small letters, digits and . _ @ + -, 64 at most"


@dataclass(frozen=True)
class Account:
    """One person.  ``second_factor``: whether codes are asked for; ``open``: a password is set."""

    name: str
    role: Role
    domains: tuple[str, ...]
    language: str
    zone: str
    second_factor: bool
    open: bool
    disabled: bool
    created: int


def account(book: Book, name: str) -> Account | None:
    """The account of a name, if there is one."""
    row = book.row("select * from accounts where name = ?", name)
    return _account(row) if row is not None else None


def known(book: Book, name: str) -> Account:
    """The same; raises InputError where there is none."""
    found = account(book, name)
    if found is None:
        raise InputError("there is no such account", name, "see 'mailscope people list'")
    return found


def accounts(book: Book) -> list[Account]:
    """All of them, by name."""
    return [_account(row) for row in book.rows("select * from accounts order by name")]


def add(
    book: Book, name: str, role: str, domains: Sequence[str] = (), language: str = "", zone: str = ""
) -> Account:
    """A new account, which nobody can use before it has a password.  Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError("it cannot be the name of an account", name, NAMES)
    checked = _checked(role, domains, language, zone)
    try:
        book.run("insert into accounts values (?, ?, ?, ?, ?, '', '', 0, 0, ?)", name, *checked, book.now)
    except sqlite3.IntegrityError as error:
        raise UsageError("there is such an account already", name, "see 'mailscope people list'") from error
    return known(book, name)


def change(book: Book, name: str, role: str, domains: Sequence[str], language: str, zone: str) -> Account:
    """Another role, other domains, another language or zone.  Raises UsageError."""
    with book.change():
        known(book, name)
        checked = _checked(role, domains, language, zone)
        book.run(
            "update accounts set role = ?, domains = ?, language = ?, zone = ? where name = ?", *checked, name
        )
        _keep_an_admin(book)
    return known(book, name)


def disable(book: Book, name: str, disabled: bool) -> None:
    """Let nobody in by this account (or let them in again); what is logged in is logged out."""
    with book.change():
        known(book, name)
        book.run("update accounts set disabled = ? where name = ?", int(disabled), name)
        if disabled:
            book.run("delete from sessions where account = ?", name)
        _keep_an_admin(book)


def remove(book: Book, name: str) -> None:
    """Remove it, with its sessions and tokens."""
    with book.change():
        known(book, name)
        book.run("delete from accounts where name = ?", name)
        _keep_an_admin(book)


def _keep_an_admin(book: Book) -> None:
    if not book.row("select 1 from accounts where role = 'admin' and not disabled"):
        raise UsageError("nobody would be left who may do everything", "", "make another admin first")


def _checked(role: str, domains: Sequence[str], language: str, zone: str) -> tuple[str, str, str, str]:
    if role not in get_args(Role):
        raise UsageError("there is no such role", role, f"give one of: {', '.join(get_args(Role))}")
    plain = tuple(domain.strip().rstrip(".").lower() for domain in domains)
    for domain in plain:
        if not DOMAIN.fullmatch(domain):
            raise UsageError("it is no domain", domain, "give one such as example.org")
    if (role in LIMITED) != bool(plain):
        raise UsageError(
            "a domain owner needs domains" if role in LIMITED else f"{role} sees all domains", "domains",
            "name them" if role in LIMITED else "name none",
        )  # fmt: skip
    if language and language not in LANGUAGES:
        raise UsageError("there is no such language", language, f"give one of: {', '.join(LANGUAGES)}")
    try:
        if zone:
            ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:
        raise UsageError("there is no such time zone", zone, "give one such as Europe/Rome") from error
    return role, " ".join(plain), language, zone


def _account(row: sqlite3.Row) -> Account:
    return Account(
        row["name"], cast(Role, row["role"]), tuple(row["domains"].split()), row["language"], row["zone"],
        bool(row["second_factor"]), bool(row["password"]), bool(row["disabled"]), row["created"],
    )  # fmt: skip
