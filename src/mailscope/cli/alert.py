"""``mailscope alert``: how people are told of findings."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailscope.vocabulary.instants import naive, naive_now

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.alerting import Route
    from mailscope.vocabulary.settings.settings import Settings
    from mailscope.watch.alerts.message import Message
    from mailscope.watch.alerts.wording import Wording
    from mailscope.watch.detection import About

    Abouts = dict[str, About]

CONFIG = click.option(
    "--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="The settings; else the usual."
)
STORE = click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="The store to ask.")


@click.group()
def alert() -> None:
    """Try how people are told of findings; show messages; say nothing for a while.

    \b
    mailscope alert test
    mailscope alert test phone
    mailscope alert show 8c5b099b
    mailscope alert list
    mailscope alert silence --until +2hours --why "upgrade of the mail server"
    """


@alert.command()
@click.argument("names", metavar="[ROUTE]...", nargs=-1)
@CONFIG
def test(names: tuple[str, ...], file: Path | None) -> None:
    """Send a test on each route, or those named, and say what happened (exit code 1 where one failed).

    \b
    mailscope alert test
    mailscope alert test phone
    """
    from concurrent.futures import ThreadPoolExecutor

    settings, own = _in_force(file)
    routes = [_route(settings, name) for name in names] or list(settings.alerts.routes)
    if not routes:
        _no_route()
    # Side by side, as the daemon does: one that hangs holds up no other.
    with ThreadPoolExecutor(len(routes)) as pool:
        done = list(pool.map(lambda route: _tested(settings, own, route), routes))
    for line, _ in done:
        click.echo(line)
    sys.exit(0 if all(good for _, good in done) else 1)


@alert.command()
@click.argument("name", metavar="ID")
@click.option("--route", metavar="ROUTE", help="As on this route; else the first of the settings.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@CONFIG
@STORE
def show(name: str, route: str | None, form: str, file: Path | None, store: Path | None) -> None:
    """Show the message that tells of a finding, as it would be sent; json: as a webhook gets it.

    \b
    mailscope alert show 8c5b099b
    mailscope alert show 8c5b099b --format json
    """
    from mailscope.watch.alerts.senders.webhook import content

    settings, own = _in_force(file)
    routes = settings.alerts.routes
    found = _route(settings, route) if route else routes[0] if routes else None
    message = _message(_wording(settings, own, found), found, name, store)
    if form == "json":
        click.echo(json.dumps(content(message), indent=1))
        return
    click.echo(f"{message.title}\n\n{message.text}", nl=False)


@alert.command("list")
@click.option(
    "--state", type=click.Choice(["open", "sent", "failed", "all"]), default="all", show_default=True
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@STORE
@click.option("--tz", metavar="ZONE", help="Show times of this zone.")
def listed(state: str, limit: int, store: Path | None, tz: str | None) -> None:
    """List what was told, what waits and what was not taken, the newest first.

    \b
    mailscope alert list
    """
    from datetime import UTC, datetime

    from mailscope.cli.findings import _asked, _rows
    from mailscope.cli.terminal import safe

    asked = _asked(store, tz)
    where = {"open": "not closed", "all": "true"}.get(state, f"state = '{state}'")
    columns = "time, route, kind, severity, state, finding_id, attempts, due_time, sent_time, error"
    statement = f"select {columns} from alerts where {where} order by time desc, id limit {limit:d}"

    def when(instant: datetime) -> str:
        return instant.replace(tzinfo=UTC).astimezone(asked.zone).strftime("%Y-%m-%d %H:%M:%S")

    for row in _rows(asked, statement, "alerts"):
        told = f"sent {when(row['sent_time'])}" if row["sent_time"] else row["state"]
        if row["state"] in ("waiting", "trying"):
            told += f", due {when(row['due_time'])}"
        error = f": {safe(row['error'])}" if row["error"] else ""
        click.echo(
            f"{when(row['time'])}  {row['route']:<10} {row['severity']:<8} {row['kind']:<5} "
            f"[{row['finding_id']}] {told}{error}"
        )


@alert.command()
@click.option("--until", metavar="TIME", help='Until then, such as +2hours or "tomorrow 8:00".')
@click.option("--end", is_flag=True, help="End a silence now.")
@click.option("--detection", metavar="NAME", help="Only findings of this detection.")
@click.option("--why", "words", default="", metavar="WORDS", help="A reason, for the others.")
@STORE
def silence(until: str | None, end: bool, detection: str | None, words: str, store: Path | None) -> None:
    """Tell nobody of anything until then, as while the mail server is upgraded.

    What is still going on then is told; what was over by then is not.

    \b
    mailscope alert silence --until +2hours --why "upgrade of the mail server"
    mailscope alert silence --end
    """
    from datetime import UTC, datetime

    from mailscope.cli.detections import in_force
    from mailscope.cli.findings import _asked, _door, added
    from mailscope.cli.inputs import say
    from mailscope.cli.when import parse_when
    from mailscope.store import findings as kept
    from mailscope.store.remote import Remote
    from mailscope.vocabulary.errors import UsageError
    from mailscope.watch.own.detection import about_of
    from mailscope.watch.registry import known

    if end == (until is not None):
        raise UsageError("it needs one of --until and --end", "alert silence", "such as --until +2hours")
    if detection is not None:
        own = (about_of(each).name for each in in_force(None, None)[1])
        known([detection], own, "--detection")
    asked, now = _asked(store, None), datetime.now(UTC)
    instant = naive(parse_when(until, now, asked.zone)) if until else None
    if instant is not None and instant <= now.replace(tzinfo=None):
        raise UsageError("that is over", "--until", "give an instant to come, such as +2hours")
    door = _door(asked)
    if isinstance(door, Remote):
        door.silence(detection, words, instant)
    else:
        added(asked, door, kept.silence(detection), "unmuted" if end else "muted", words, instant, now)
    say("alerts are told again" if end else f"no alerts until {instant:%Y-%m-%d %H:%M} UTC")


def _in_force(file: Path | None) -> tuple[Settings, Abouts]:
    """The settings, and what is told of each detection, an admin's own too."""
    from mailscope.cli.detections import in_force
    from mailscope.watch.registry import abouts

    settings, own = in_force(None if file is None else str(file), None)
    return settings, {each.name: each for each in abouts(own)}


def _route(settings: Settings, name: str) -> Route:
    from mailscope.vocabulary.errors import UsageError

    found = {each.name: each for each in settings.alerts.routes}
    if name not in found:
        there = f"there are {', '.join(found)}" if found else "there is no [[alerts.routes]] in the settings"
        raise UsageError(f"there is no route '{name}'", "", there)
    return found[name]


def _no_route() -> None:
    from mailscope.vocabulary.errors import UsageError

    raise UsageError("there is no route", "", "give an [[alerts.routes]] in the settings: see docs/alerts.md")


def _wording(settings: Settings, own: Abouts, route: Route | None) -> Wording:
    import socket
    from zoneinfo import ZoneInfo

    from mailscope.cli.inputs import Inputs
    from mailscope.language.translator import translator
    from mailscope.watch.alerts.wording import Wording

    named = settings.time_zone
    zone = ZoneInfo(named) if named else Inputs((), None, None, (), None, None).zone
    host = settings.alerts.host or socket.gethostname()
    if route is None:
        return Wording(translator("en"), zone, host, 5, about=own.get)
    return Wording(translator(route.language), zone, host, route.lines, route.name, own.get)


def _tested(settings: Settings, own: Abouts, route: Route) -> tuple[str, bool]:
    """Send a test; what happened, and whether it was taken."""
    import time
    from secrets import token_hex

    from mailscope.cli.terminal import safe
    from mailscope.vocabulary.errors import MailscopeError
    from mailscope.watch.alerts.senders import sender

    wording = _wording(settings, own, route)
    message = wording.test(token_hex(10), naive_now())
    way, begun = sender(route, wording.host), time.monotonic()
    try:
        way.send(message)
    except MailscopeError as error:
        return f"{route.name}: NOT TAKEN: {safe(str(error))}", False
    return f"{route.name}: taken by {safe(way.where)} ({time.monotonic() - begun:.1f} s)", True


def _message(wording: Wording, route: Route | None, name: str, store: Path | None) -> Message:
    import polars as pl

    from mailscope.cli.findings import _asked, _one, _rows
    from mailscope.store.connecting import quoted
    from mailscope.watch.alerts.notice import shown
    from mailscope.watch.rows import from_row

    asked = _asked(store, None)
    identity = _one(asked, name)["id"]
    rows = _rows(asked, f"select * from findings where id = {quoted(identity)}", identity)
    finding = from_row(pl.DataFrame(rows).to_dicts()[0])
    notice = shown(finding, route.name if route is not None else "")
    return wording.one(notice, finding, notice.time)
