"""``mailscope privacy``: what the store holds of one person, given out or erased."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailscope.cli.inputs import Inputs, say
from mailscope.cli.store import place_option
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from mailscope.privacy.person import Person
    from mailscope.store.holding import Held

names_argument = click.argument("names", nargs=-1, required=True, metavar="ADDRESS...")


@click.group()
def privacy() -> None:
    """Give out or erase what the store holds of a person.

    ADDRESS is a mail address or a login name; give all that the person has.  Case does not matter.

    \b
    mailscope privacy export alice@example.org -o alice.zip
    mailscope privacy erase alice@example.org --dry-run
    """


@privacy.command()
@names_argument
@place_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="person.zip", show_default=True,
    metavar="FILE", help="Write to this file.",
)  # fmt: skip
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
def export(names: tuple[str, ...], place: Path | None, output: Path, lang: str | None) -> None:
    """Write all that the store holds of a person into a ZIP file, to be given to that person.

    \b
    mailscope privacy export alice@example.org alice -o alice.zip
    """
    from mailscope.cli.output import writable
    from mailscope.cli.privacy_export import entries, write
    from mailscope.cli.stores import entered
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator
    from mailscope.privacy.person import Person

    person, tr = Person.of(names), translator(choose(lang))
    writable(output)
    _store(place)
    door = Inputs((), None, None, (), "UTC", None, store=place).door
    assert door is not None
    try:
        entered(door, " ".join(names))
        count = write(entries(door.person(names), person, tr), output)
    finally:
        door.close()
    say(f"{count:,} rows written to {output}")


@privacy.command()
@names_argument
@place_option
@click.option("--dry-run", is_flag=True, help="Only tell what would be changed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the receipt to this file too.",
)
def erase(
    names: tuple[str, ...], place: Path | None, output: Path | None, *, dry_run: bool, yes: bool
) -> None:
    """Put a random name in the place of a person's, everywhere in the store, for good.

    Numbers stay true, and so do the rows of others.  While the daemon runs it does the work; what comes
    meanwhile waits.  What was begun and broken off is finished when it is run again.

    \b
    mailscope privacy erase alice@example.org --dry-run
    mailscope privacy erase alice@example.org alice -o receipt.json
    """
    from mailscope.cli.output import writable, write
    from mailscope.cli.stores import either
    from mailscope.privacy.person import Person
    from mailscope.store import audit
    from mailscope.store.erasing import erase as erased
    from mailscope.store.receipts import DIRECTORY

    person = Person.of(names)
    writable(output)
    where = _store(place)
    _tell(either(where, lambda: _held(where, person), lambda daemon: daemon.held(names)))
    if dry_run:
        return
    if not yes:
        click.confirm("Erase this person? It cannot be undone", abort=True, err=True)
    receipt = either(where, lambda: erased(where, person, audit.user()), lambda daemon: daemon.erase(names))
    told = json.dumps(receipt, indent=1) + "\n"
    write([told], output)
    say(f"the person is erased; the receipt is kept in {where / DIRECTORY}")
    _tell_account(where, person)
    for name in receipt["other_files"]:
        say(f"{where / name}: it is none of the store's files, and names the person: remove it")
    if receipt["other_files"]:
        sys.exit(1)


def _tell_account(where: Path, person: Person) -> None:
    """An account of the live page is no data of mail: it stays, and that is said."""
    from mailscope.store.places import PEOPLE

    if not (where / PEOPLE).exists():
        return
    from mailscope.web.people.accounts import account
    from mailscope.web.people.book import Book

    book = Book(where)
    try:
        for name in person.names:
            if account(book, name.lower()) is not None:
                say(f"{name} has an account of the live page: 'mailscope people remove' removes it")
    finally:
        book.close()


def _held(where: Path, person: Person) -> Held:
    """What names the person in a store that no daemon has."""
    from mailscope.cli.stores import enter
    from mailscope.store.database import Database
    from mailscope.store.holding import find

    database = Database(where, read_only=True)
    try:
        enter(where, " ".join(person.names))
        return find(database, person)
    finally:
        database.close()


def _tell(held: Held) -> None:
    """What is found."""
    for name, count in sorted(held.counts.items()):
        click.echo(f"{name:<12}{count:>12,} rows", err=True)
    if not held.counts:
        click.echo("no row names the person; what was deleted before may still stand in free space", err=True)
    if held.alone:
        say(
            f"{held.alone:,} more rows have the local part alone, as a login name; nothing tells that the "
            "person is meant: where it is, give the login name as well"
        )


@privacy.command("verify-receipt")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[ADDRESS]...")
@place_option
def verify_receipt(file: Path, names: tuple[str, ...], place: Path | None) -> None:
    """Say whether a receipt is genuine, and about ADDRESS where one is given (exit code 1 where not).

    \b
    mailscope privacy verify-receipt receipt.json alice@example.org
    """

    receipt = _receipt(file)
    _store(place)
    door = Inputs((), None, None, (), "UTC", None, store=place).door
    assert door is not None
    try:
        verdict = door.verdict(receipt, names)
    finally:
        door.close()
    if verdict == "genuine":
        click.echo(f"{file}: it is genuine; made {receipt['time']} by {receipt['who']}")
        return
    click.echo(
        f"{file}: it is genuine, but of another person"
        if verdict == "another person"
        else f"{file}: it is no receipt of this store, or it was changed"
    )
    sys.exit(1)


def _receipt(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError.from_os_error(error, file) from error
    except ValueError as error:
        raise InputError("it is no JSON", str(file), "name a receipt of 'mailscope privacy erase'") from error
    if not isinstance(found, dict):
        raise InputError("it is no receipt", str(file), "name a receipt of 'mailscope privacy erase'")
    return found


def _store(place: Path | None) -> Path:
    from mailscope.cli.stores import directory, exists

    where = directory(place)
    if not exists(where):
        raise InputError("there is no store", str(where), "load logs with 'mailscope ingest FILES'")
    return where
