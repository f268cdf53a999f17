"""One-time links by which a person chooses a password: of a new account, or after it was forgotten."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Final

from mailscope.web.people import accounts, passwords
from mailscope.web.people.book import Book, proof

PATH: Final = "/welcome"
LASTS_S: Final = 24 * 3600
FIRST: Final = "admin"


def make(book: Book, account: str, site: str) -> str:
    """A link for an account; earlier ones end.  ``site``: how the page is reached."""
    secret = token_urlsafe(32)
    with book.change():
        book.run("delete from links where account = ? or expires <= ?", account, book.now)
        book.run("insert into links values (?, ?, ?)", proof(secret), account, book.now + LASTS_S)
    return f"{site.rstrip('/')}{PATH}?key={secret}"


def whose(book: Book, secret: str) -> str | None:
    """The account of a link that is good still."""
    row = book.row(
        "select account from links join accounts on name = account "
        "where proof = ? and expires > ? and not disabled", proof(secret), book.now,
    )  # fmt: skip
    return str(row["account"]) if row is not None else None


def use(book: Book, secret: str, password: str) -> str | None:
    """Choose the password; gives the account, None where the link is not good.  Raises UsageError."""
    with book.change():
        name = whose(book, secret)
        if name is not None:
            # All links to the account end with it.
            passwords.set_password(book, name, password)
        return name


def first(book: Book, site: str) -> str | None:
    """Where nobody could log in as an admin yet: a link for the first one, whose account is made."""
    with book.change():
        if book.row("select 1 from accounts where role = 'admin' and password <> ''"):
            return None
        if accounts.account(book, FIRST) is None:
            accounts.add(book, FIRST, "admin")
        return make(book, FIRST, site)
