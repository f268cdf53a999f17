"""``mailscope store``: looking after the store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailscope.cli.inputs import Inputs, say
from mailscope.vocabulary.errors import InputError
from mailscope.vocabulary.instants import naive_now

if TYPE_CHECKING:
    from mailscope.store.rebuilding import Rebuilt
    from mailscope.store.upkeep import Damage, Step

place_option = click.option(
    "--store", "place", type=click.Path(path_type=Path), metavar="DIR", help="The store; else the settings'."
)


@click.group()
def store() -> None:
    """Look after the store: what it holds, whether it is whole, copies of it.

    \b
    mailscope store status
    mailscope store backup /srv/mailscope-backup
    """


@store.command()
@place_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(place: Path | None, form: str) -> None:
    """Say what the store holds, of when, and whether anything is wrong (exit code 1).

    \b
    mailscope store status
    mailscope store status --format json
    """
    door = Inputs((), None, None, (), "UTC", None, store=place).door
    if door is None:
        raise InputError("there is no store", str(place or ""), "load logs with 'mailscope ingest FILES'")
    told = door.status()
    door.close()
    if form == "json":
        click.echo(json.dumps(told, indent=1))
    else:
        for line in _status(told):
            click.echo(line)
    if told["damage"]:
        sys.exit(1)


def _status(told: dict[str, Any]) -> list[str]:
    from mailscope.cli.terminal import safe

    lines = [
        f"{safe(told['directory'])}: version {told['version']}, {told['bytes'] / 1e6:,.1f} MB",
        f"from {told['first'] or '-'} to {told['last'] or '-'} (UTC)",
        "",
        f"{'table':<12}{'rows':>14}{'not sealed':>14}{'files':>8}{'sealed MB':>12}",
    ]
    for name, table in told["tables"].items():
        lines.append(
            f"{name:<12}{table['rows']:>14,}{table['hot_rows']:>14,}{table['files']:>8,}"
            f"{table['sealed_bytes'] / 1e6:>12,.1f}"
        )
    if daemon := told.get("daemon"):
        last = str(daemon["last_batch"] or "never")[:19]
        lines += ["", f"daemon: {daemon['lines']:,} lines since {daemon['started'][:19]}, the last at {last}"]
        lines += [f"PROBLEM: {safe(problem)}" for problem in daemon["problems"]]
    lines += ["", "sources:"]
    lines += [f"  {safe(each['source'])}  {each['updated'][:19]}" for each in told["sources"]]
    lines += [f"PROBLEM: {safe(each)}" for each in told.get("daemon", {}).get("problems", [])]
    lines += [f"DAMAGED: {safe(each['place'])}: {each['what']}" for each in told["damage"]]
    return lines


@store.command()
@place_option
@click.option("--set-aside", is_flag=True, help="Leave damaged files out of what is read, from now on.")
def verify(place: Path | None, set_aside: bool) -> None:
    """Read all of the store and compare it with its checksums (exit code 1 where anything differs).

    \b
    mailscope store verify
    """
    from mailscope.cli.stores import directory, either

    where = directory(place)
    damages = either(
        where,
        lambda: _verified(where, set_aside=set_aside),
        lambda daemon: daemon.verify(set_aside=set_aside),
    )
    for damage in damages:
        click.echo(f"{damage.place}: {damage.what}")
    if damages and not set_aside:
        own = any(not each.place.endswith((".parquet", ".names")) for each in damages)
        if own:
            say("restore a backup, or run 'mailscope store rebuild' with the daemon stopped")
        if not own or len(damages) > 1:
            say("put the files back from a backup, or run it with --set-aside to read the rest")
    if not damages:
        click.echo("every file is as it was written")
    sys.exit(1 if damages else 0)


@store.command()
@place_option
def seal(place: Path | None) -> None:
    """Seal finished days now, as the daemon does each night, and make indexes that are missing.

    \b
    mailscope store seal
    """
    from mailscope.cli.stores import either

    where = _existing(place)
    count, indexed = either(where, lambda: _told(_sealed(where)), lambda daemon: _told(daemon.seal()))
    say(f"{count} file{'' if count == 1 else 's'} sealed")
    if indexed:
        say(f"{indexed} index{'' if indexed == 1 else 'es'} made anew")


@store.command()
@place_option
def compact(place: Path | None) -> None:
    """Make one file of the small files of each day.

    \b
    mailscope store compact
    """
    from mailscope.cli.stores import either

    where = _existing(place)
    count = either(
        where, lambda: sum(1 for _ in _compacted(where)), lambda daemon: sum(1 for _ in daemon.compact())
    )
    say(f"{count} day{'' if count == 1 else 's'} of tables made one file each")


@store.command()
@place_option
@click.argument("target", type=click.Path(path_type=Path))
def backup(place: Path | None, target: Path) -> None:
    """Copy the store to TARGET, a new directory; the store is not changed.

    \b
    mailscope store backup /srv/mailscope-backup
    """
    from mailscope.cli.stores import directory, either
    from mailscope.store import copies

    where = directory(place)
    size = either(where, lambda: copies.backup(where, target), lambda daemon: daemon.backup(target))
    say(f"{size / 1e6:,.1f} MB copied to {target}")


@store.command()
@place_option
@click.argument("source", type=click.Path(path_type=Path))
def restore(place: Path | None, source: Path) -> None:
    """Make the store anew from SOURCE, a backup; there must be no store yet.

    \b
    mailscope store restore /srv/mailscope-backup --store /srv/mailscope
    """
    from mailscope.cli.stores import directory
    from mailscope.store import copies

    size = copies.restore(source, directory(place))
    say(f"{size / 1e6:,.1f} MB restored")


@store.command()
@place_option
@click.option("--since", metavar="TIME", help="Only questions from this time on.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def audit(place: Path | None, since: str | None, form: str) -> None:
    """Show who looked at whose data: when (UTC), who, by which command, and what was asked.

    \b
    mailscope store audit --since yesterday
    """
    from dataclasses import asdict

    from mailscope.cli.stores import directory
    from mailscope.cli.terminal import safe
    from mailscope.store.audit import entries

    span = Inputs((), since, None, (), "UTC", None)
    for entry in entries(directory(place), span.since_utc):
        if form == "json":
            click.echo(json.dumps(asdict(entry)).replace("\x7f", "\\u007f"))
        else:
            click.echo(safe(f"{entry.time}  {entry.who}  {entry.what}: {entry.asked}"))


@store.command()
@place_option
def rebuild(place: Path | None) -> None:
    """Make the database file anew where it is damaged: from the sealed files, and what of it can be read.

    The damaged file is kept under another name.  What was lost, and what to do about it, is said.

    \b
    systemctl stop mailscope && runuser -u mailscope -- mailscope store rebuild
    """
    from mailscope.cli.stores import directory, settings
    from mailscope.cli.terminal import safe
    from mailscope.store.rebuilding import rebuild as make_anew

    inputs = Inputs((), None, None, (), settings().time_zone or None, None)
    done = make_anew(directory(place), inputs.library(), inputs.zone)
    for line in _rebuilt(done):
        click.echo(safe(line))
    if done.damages:
        sys.exit(1)


def _rebuilt(done: Rebuilt) -> list[str]:
    """What rebuilding came to."""
    if not done.made:
        return ["every part of the database can be read: nothing was changed"]
    lines = [f"could not be read: {table}: {why}" for table, why in sorted(done.lost.items())]
    lines += [f"rows of {name} that are gone: at most {count:,}" for name, count in done.rows.items()]
    if done.without_log:
        lines.append("the log beside the file (.wal) was damaged: what stood only in it is read again")
    if not done.logged:
        lines.append("there was no manifest.jsonl: all sealed files that lie in the store were taken")
    lines += [f"{each.place}: {each.what}; what it held is left out" for each in done.damages]
    if done.remade is not None:
        lines.append(f"made anew from {done.remade:,} stored lines: what follows from them")
    if done.tallies:
        lines.append(f"tallies {done.tallies}")
    if done.new_secret:
        lines.append(
            "the store's secret, if it had one, is gone: receipts of earlier erasures cannot be verified"
        )
    if done.resumed:
        lines.append("reading of logs goes on where it was")
    else:
        since = f" after {done.after.isoformat(sep=' ', timespec='seconds')} UTC" if done.after else ""
        lines += [
            f"lines{since} that were not sealed may be missing.  The daemon reads its logs again from their",
            "beginning and stores what is missing; of rotated ones, before that: mailscope ingest FILES",
        ]
        lines += [f"  source: {source}" for source in done.sources]
    if done.aside is not None:
        lines.append(f"the damaged file is kept: {done.aside}; remove it when it is of no use any more")
    return lines


def _existing(place: Path | None) -> Path:
    from mailscope.cli.stores import directory, exists

    where = directory(place)
    if not exists(where):
        raise InputError("there is no store", str(where), "load logs with 'mailscope ingest FILES'")
    return where


def _told(steps: Iterator[Step]) -> tuple[int, int]:
    """Show files as they are made; how many files there were, with those of tallies, and how many indexes."""
    count = indexed = 0
    for step in steps:
        if step.kind == "index":
            indexed += 1
            continue
        count += 1
        if step.kind == "file":
            click.echo(step.place)
    return count, indexed


def _verified(where: Path, *, set_aside: bool) -> list[Damage]:
    from mailscope.store import upkeep
    from mailscope.store.database import Database
    from mailscope.store.refusals import DamagedError
    from mailscope.store.sealed_only import SealedOnly

    try:
        database = Database(where, read_only=not set_aside)
    except DamagedError as error:
        if set_aside:
            raise
        database = SealedOnly(where, error)
    try:
        damages = upkeep.check(database, thorough=True)
        if database.damage:
            damages.insert(0, upkeep.Damage(database.path.name, database.damage))
        if set_aside:
            upkeep.set_aside(database, damages)
        return damages
    finally:
        database.close()


def _sealed(where: Path) -> Iterator[Step]:
    from mailscope.cli.inputs import zone
    from mailscope.cli.stores import settings
    from mailscope.store.database import Database
    from mailscope.store.days import tidy
    from mailscope.store.indexing import make_next
    from mailscope.store.sealing import next_slice
    from mailscope.store.sealing import seal as seal_slice
    from mailscope.store.upkeep import Step

    database = Database(where)
    try:
        now = naive_now()
        while (part := next_slice(database, now)) is not None:
            yield Step("file", seal_slice(database, part))
        while tidy(database, zone(settings().time_zone or None), now):
            yield Step("tallies")
        while (indexed := make_next(database)) is not None:
            yield Step("index", indexed)
    finally:
        database.close()


def _compacted(where: Path) -> Iterator[Step]:
    from mailscope.store import upkeep
    from mailscope.store.database import Database
    from mailscope.store.upkeep import Step
    from mailscope.vocabulary.tables import TABLES

    database = Database(where)
    try:
        rows: list[tuple[str, date]] = database.connection.execute(
            "select distinct name, day from own.manifest order by name, day"
        ).fetchall()
        for name, day in rows:
            if name in TABLES and upkeep.compact(database, TABLES[name], day):
                yield Step("day", f"{name} {day}")
    finally:
        database.close()
