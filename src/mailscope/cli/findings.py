"""``mailscope findings``: what the detections found, and what people do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailscope.vocabulary.instants import naive

if TYPE_CHECKING:
    from mailscope.cli.findings_text import Telling
    from mailscope.cli.inputs import Inputs
    from mailscope.store.asking import Door
    from mailscope.store.findings import Action
    from mailscope.watch.detection import About

STORE = click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="The store to ask.")
TZ = click.option("--tz", metavar="ZONE", help="Show and read times of this zone.")
FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
LANG = click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
WORDS = click.option("--why", "words", default="", metavar="WORDS", help="A reason, for the others.")


@click.group()
def findings() -> None:
    """Show what the detections found, acknowledge it, and mute it.

    \b
    mailscope findings list
    mailscope findings show 8c5b099b
    mailscope findings ack 8c5b099b --why "blocked at the firewall"
    """


@findings.command("list")
@click.option("--state", type=click.Choice(["open", "over", "all"]), default="open", show_default=True)
@click.option(
    "--severity",
    type=click.Choice(["info", "warning", "critical"]),
    default="info",
    help="At least so severe.",
)
@click.option("--detection", metavar="NAME", help="Only of this detection.")
@click.option("--since", metavar="TIME", help="Only what was seen since then.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@FORM
@STORE
@LANG
@TZ
def listed(
    state: str, severity: str, detection: str | None, since: str | None, limit: int, form: str,
    store: Path | None, lang: str | None, tz: str | None,
) -> None:  # fmt: skip
    """List findings, the newest first.

    \b
    mailscope findings list
    mailscope findings list --state all --since yesterday --format json
    """
    from mailscope.store import findings as kept

    asked = _asked(store, tz, since)
    statement = kept.listing(state, severity, detection, asked.since_utc, limit)
    telling = _telling(lang, asked)
    found = [_plain(row) for row in _rows(asked, statement, "findings")]
    _show(found, form, telling.rows(found))


@findings.command()
@click.argument("name", metavar="ID")
@FORM
@STORE
@LANG
@TZ
def show(name: str, form: str, store: Path | None, lang: str | None, tz: str | None) -> None:
    """Show one finding with its evidence, advice, commands, and what people did about it.

    ID may be the beginning of one.

    \b
    mailscope findings show 8c5b099b
    """
    from mailscope.cli.detections import in_force
    from mailscope.store import findings as kept
    from mailscope.watch.registry import abouts

    asked = _asked(store, tz)
    telling = _telling(lang, asked, abouts(in_force(None, None)[1]))
    told = _plain(_one(asked, name))
    done = _rows(asked, kept.history(told["id"]), name)
    _show([{**told, "handled": [kept.zoned(row) for row in done]}], form, telling.whole(told, done))


@findings.command()
@click.argument("name", metavar="ID")
@WORDS
@STORE
@LANG
def ack(name: str, words: str, store: Path | None, lang: str | None) -> None:
    """Acknowledge a finding: somebody looks after it, and nobody need be told again.

    \b
    mailscope findings ack 8c5b099b --why "blocked at the firewall"
    """
    _handle(store, lang, name, "acknowledged", words, None)


@findings.command()
@click.argument("name", metavar="ID")
@click.option("--until", metavar="TIME", help='Until then, such as "tomorrow 8:00"; otherwise for good.')
@WORDS
@STORE
@LANG
def mute(name: str, until: str | None, words: str, store: Path | None, lang: str | None) -> None:
    """Tell nothing more of a finding.

    \b
    mailscope findings mute 8c5b099b --until "tomorrow 8:00" --why "a test of ours"
    """
    _handle(store, lang, name, "muted", words, until)


@findings.command()
@click.argument("name", metavar="ID")
@WORDS
@STORE
@LANG
def unmute(name: str, words: str, store: Path | None, lang: str | None) -> None:
    """Tell of a muted finding again.

    \b
    mailscope findings unmute 8c5b099b
    """
    _handle(store, lang, name, "unmuted", words, None)


@findings.command()
@click.argument("name", metavar="ID")
@click.argument("words")
@STORE
@LANG
def note(name: str, words: str, store: Path | None, lang: str | None) -> None:
    """Put a note to a finding, for the others.

    \b
    mailscope findings note 8c5b099b "the customer was called"
    """
    _handle(store, lang, name, "noted", words, None)


def _handle(
    store: Path | None, lang: str | None, name: str, action: Action, words: str, until: str | None
) -> None:
    from datetime import UTC

    from mailscope.cli.inputs import say
    from mailscope.cli.when import parse_when
    from mailscope.store.remote import Remote

    asked = _asked(store, None)
    telling = _telling(lang, asked)
    now = datetime.now(UTC)
    end = naive(parse_when(until, now, asked.zone)) if until else None
    told = _one(asked, name)
    door = _door(asked)
    if isinstance(door, Remote):
        door.handle(told["id"], action, words, end)
    else:
        added(asked, door, told["id"], action, words, end, now)
    say(telling.action(action, _plain(told)))


def added(
    asked: Inputs, door: Door, name: str, action: Action, words: str, until: datetime | None, now: datetime
) -> None:
    """Note what is done in a store that no daemon has open."""
    from mailscope.recognise.library import Library
    from mailscope.store import audit
    from mailscope.store import findings as kept
    from mailscope.store.database import Database
    from mailscope.store.reader import Reader
    from mailscope.store.writer import Writer

    assert isinstance(door, Reader)
    place = door.database.directory
    door.close()
    database = Database(place)
    try:
        row = kept.handling(name, now.replace(tzinfo=None), action, audit.user(), words, until)
        Writer(database, Library(()), asked.zone).add("handled", row)
    finally:
        database.close()


def _asked(store: Path | None, tz: str | None, since: str | None = None) -> Inputs:
    from mailscope.cli.inputs import Inputs

    return Inputs((), since, None, (), tz, None, store=store)


def _telling(lang: str | None, asked: Inputs, abouts: Sequence[About] = ()) -> Telling:
    from mailscope.cli.findings_text import Telling
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator

    return Telling(translator(choose(lang)), asked.zone, abouts)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored finding as JSON holds it, with texts that can be told in any language."""
    from mailscope.store import findings as kept
    from mailscope.watch.rows import phrases

    title, reasons = phrases(row)
    return {**kept.plain(row), "title": title, "reasons": list(reasons)}


def _door(asked: Inputs) -> Door:
    from mailscope.vocabulary.errors import InputError

    if asked.door is None:
        raise InputError("there is no store", "", "start 'mailscope serve', or see 'mailscope detect FILES'")
    return asked.door


def _one(asked: Inputs, name: str) -> dict[str, Any]:
    import polars as pl

    from mailscope.store import findings as kept

    return kept.only(pl.DataFrame(_rows(asked, kept.one(name), name)), name)


def _rows(asked: Inputs, statement: str, what: str) -> list[dict[str, Any]]:
    from mailscope.cli.stores import entered

    door = _door(asked)
    entered(door, what)
    return [row for frame in door.sql(statement) for row in frame.iter_rows(named=True)]


def _show(found: list[dict[str, Any]], form: str, text: Iterator[str]) -> None:
    if form == "json":
        for each in found:
            click.echo(json.dumps(each, ensure_ascii=True).replace("\x7f", "\\u007f"))
        return
    for line in text:
        click.echo(line)
