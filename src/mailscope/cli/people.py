"""``mailscope people``: who may use the live page and the API over TCP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mailscope.cli.inputs import say
from mailscope.cli.store import place_option
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from mailscope.web.people.accounts import Account
    from mailscope.web.people.book import Book

# On a command line, a role of two words is written as one.
ROLES: Final = ("admin", "operator", "auditor", "help-desk", "domain-owner")
name_argument = click.argument("name")
domain_option = click.option(
    "--domain", "domains", multiple=True, metavar="DOMAIN", help="Of a domain owner (repeatable)."
)
language_option = click.option("--lang", metavar="LANGUAGE", help="Of the pages: en, zh, it or sv.")
zone_option = click.option("--tz", metavar="ZONE", help="In which times are shown, such as Europe/Rome.")


@click.group()
def people() -> None:
    """Look after the accounts of the live page: who may enter, and what they may see.

    \b
    mailscope people add bob --role operator
    mailscope people add carol --role domain-owner --domain example.org

    A change counts from the next request on; the daemon need not be told.
    """


@people.command("list")
@place_option
def list_(place: Path | None) -> None:
    """List the accounts.

    \b
    mailscope people list
    """
    from mailscope.web.people import accounts

    with _book(place) as book:
        for each in accounts.accounts(book):
            click.echo(f"{each.name:<24} {each.role:<14} {_state(each)}")


@people.command()
@name_argument
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What they may see and do (docs/web.md)."
)
@domain_option
@language_option
@zone_option
@place_option
def add(
    name: str, role: str, domains: tuple[str, ...], lang: str | None, tz: str | None, place: Path | None
) -> None:
    """Make an account, and a link by which the person chooses a password.

    \b
    mailscope people add bob --role operator
    mailscope people add carol --role domain-owner --domain example.org
    """
    from mailscope.web.people import accounts, links

    with _book(place, f"{name} {role} {' '.join(domains)}".strip()) as book, book.change():
        accounts.add(book, name, _role(role), domains, lang or "", tz or "")
        link = links.make(book, name, _site())
    _tell_link(link)


@people.command()
@name_argument
@click.option("--role", type=click.Choice(ROLES), help="Another role.")
@domain_option
@language_option
@zone_option
@place_option
def change(
    name: str,
    role: str | None,
    domains: tuple[str, ...],
    lang: str | None,
    tz: str | None,
    place: Path | None,
) -> None:
    """Give an account another role, other domains, another language or zone.

    \b
    mailscope people change bob --role auditor --lang it --tz Europe/Rome
    """
    from mailscope.web.people import accounts
    from mailscope.web.people.roles import LIMITED

    with _book(place, f"{name} {role or ''} {' '.join(domains)}".strip()) as book:
        before = accounts.known(book, name)
        now = _role(role) if role else before.role
        kept = before.domains if now in LIMITED else ()
        accounts.change(
            book, name, now, domains or kept, before.language if lang is None else lang,
            before.zone if tz is None else tz,
        )  # fmt: skip


@people.command()
@name_argument
@place_option
def link(name: str, place: Path | None) -> None:
    """Make a link by which a person chooses a new password, once, within a day.

    \b
    mailscope people link bob
    """
    from mailscope.web.people import accounts, links

    with _book(place, name) as book:
        accounts.known(book, name)
        made = links.make(book, name, _site())
    _tell_link(made)


@people.command()
@name_argument
@place_option
def password(name: str, place: Path | None) -> None:
    """Set a password, asked for at the terminal or read from standard input (its first line).

    \b
    mailscope people password bob < password.txt
    """
    from mailscope.web.people import accounts, passwords

    with _book(place, name) as book:
        accounts.known(book, name)
        if sys.stdin.isatty():
            given = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        else:
            given = sys.stdin.readline().rstrip("\r\n")
        passwords.set_password(book, name, given)


@people.command()
@name_argument
@place_option
def disable(name: str, place: Path | None) -> None:
    """Let nobody in by an account; whoever is logged in by it is logged out.

    \b
    mailscope people disable bob
    """
    from mailscope.web.people import accounts

    with _book(place, name) as book:
        accounts.disable(book, name, True)


@people.command()
@name_argument
@place_option
def enable(name: str, place: Path | None) -> None:
    """Let them in again.

    \b
    mailscope people enable bob
    """
    from mailscope.web.people import accounts

    with _book(place, name) as book:
        accounts.disable(book, name, False)


@people.command()
@name_argument
@place_option
def remove(name: str, place: Path | None) -> None:
    """Remove an account with its sessions and tokens.

    \b
    mailscope people remove bob
    """
    from mailscope.web.people import accounts

    with _book(place, name) as book:
        accounts.remove(book, name)


@people.command("drop-codes")
@name_argument
@place_option
def drop_codes(name: str, place: Path | None) -> None:
    """Ask for no codes any more: of somebody who has lost the authenticator app.

    \b
    mailscope people drop-codes bob
    """
    from mailscope.web.people import accounts, second_factor

    with _book(place, name) as book:
        accounts.known(book, name)
        second_factor.end(book, name)


@people.command()
@name_argument
@click.argument("title")
@click.option(
    "--may", "scope", multiple=True, required=True, metavar="ACTION", help="What it may do (repeatable)."
)
@click.option("--days", default=90, show_default=True, help="How long it is good: 366 at most.")
@place_option
def token(name: str, title: str, scope: tuple[str, ...], days: int, place: Path | None) -> None:
    """Make a token for a program, which asks the API for an account with it.

    \b
    mailscope people token bob "graphs" --may look --may security
    """
    from mailscope.web.people import tokens

    with _book(place, f"{name} {title}") as book:
        made = tokens.make(book, name, title, scope, days)
    say("it is shown this once; the program sends it as 'Authorization: Bearer TOKEN'")
    click.echo(made)


@people.command("tokens")
@click.argument("name", required=False)
@place_option
def tokens_(name: str | None, place: Path | None) -> None:
    """List the tokens, of one account or of all.

    \b
    mailscope people tokens
    mailscope people tokens bob
    """
    from mailscope.cli.terminal import safe
    from mailscope.web.people import tokens

    with _book(place) as book:
        for each in tokens.of(book, name):
            until = "expired" if each.expires <= book.now else f"until {_day(each.expires)}"
            scope = ", ".join(sorted(each.scope))
            click.echo(f"{each.name}  {each.account:<20} {until:<17} {scope}: {safe(each.title)}")


@people.command()
@click.argument("token_name", metavar="TOKEN")
@place_option
def revoke(token_name: str, place: Path | None) -> None:
    """End a token, by its name in 'mailscope people tokens'.

    \b
    mailscope people revoke 3f2a9c41
    """
    from mailscope.web.people import tokens

    with _book(place, token_name) as book:
        tokens.revoke(book, token_name)


@contextmanager
def _book(place: Path | None, asked: str | None = None) -> Iterator[Book]:
    """The accounts beside the store; ``asked``: what is changed, which is entered in the audit first."""
    from mailscope.cli.stores import directory, enter
    from mailscope.web.people.book import Book

    where = directory(place)
    if not where.is_dir():
        raise InputError("there is no store", str(where), "start the daemon once, or name it by --store")
    if asked is not None:
        enter(where, asked)
    book = Book(where)
    try:
        yield book
    finally:
        book.close()


def _site() -> str:
    """How the live page is reached, as far as the settings tell."""
    from mailscope.cli.stores import settings

    web = settings().web
    if not web.enabled:
        say("the live page is not served: set 'enabled = true' in [web] of the settings")
    host = f"[{web.address}]" if ":" in web.address else web.address
    return web.url or f"{'https' if web.certificate else 'http'}://{host}:{web.port}"


def _tell_link(made: str) -> None:
    say("the password is chosen by this link, once, within a day; whoever has it can")
    click.echo(made)


def _role(given: str) -> str:
    return given.replace("-", " ")


def _state(each: Account) -> str:
    parts = [
        "disabled" if each.disabled else "" if each.open else "no password yet",
        "with codes" if each.second_factor else "", " ".join(each.domains),
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)


def _day(seconds: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
