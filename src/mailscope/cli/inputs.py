"""The options that all commands over logs share: which files, which lines, which zone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from zoneinfo import ZoneInfo

import click

from mailscope.cli.journals import JOURNAL, MAIL, Journals
from mailscope.vocabulary.errors import InputError, MailscopeError, UsageError
from mailscope.vocabulary.instants import naive

if TYPE_CHECKING:
    from mailscope.intake.reader import Source
    from mailscope.intake.sources import Sources
    from mailscope.pipeline import Pipeline
    from mailscope.recognise.library import Library
    from mailscope.sequence.selection import Selection
    from mailscope.store.asking import Door
    from mailscope.store.spool import Spool

Command = TypeVar("Command", bound=Callable[..., Any])


# Files to read, and the pipe that ``-`` stands for.
Found = tuple["list[Source]", "BinaryIO | None"]


@dataclass
class Inputs:
    """What a person asked to be read.

    ``errors`` collects what could not be read; the rest goes on, and the exit code says so at the end.
    """

    files: tuple[str, ...]
    since: str | None
    until: str | None
    hosts: tuple[str, ...]
    tz: str | None
    patterns: Path | None
    journal: bool = False
    units: tuple[str, ...] = ()
    cursor_file: Path | None = None
    # What is read of the host's journal where no unit is named.
    journal_match: tuple[str, ...] = (MAIL,)
    store: Path | None = None

    def __post_init__(self) -> None:
        self.zone = zone(self.tz)
        self.errors: list[InputError] = []
        self.journals = Journals(self)
        # What lines of a store are about, and how many messages are followed: what a command looks for.
        self.about: tuple[str, tuple[str, ...], int] | None = None
        # What a person looks for, where that is somebody's data: of a store, it is entered in its audit log.
        self.asks: str | None = None
        # What is done to lines before anything looks at them, such as pseudonyms.
        self.clean: Callable[[bytes], bytes] | None = None
        self._spools: list[Spool] = []

    @cached_property
    def door(self) -> Door | None:
        """The way to the store that is read where no files are named; None where files or journals are."""
        if self.files or self.journals.asked:
            if self.store is not None:
                raise UsageError("it does not go with FILES", "--store", "name the one or the other")
            return None
        from mailscope.cli.stores import door

        found = door(self)
        if found is not None:
            told = found.status()
            if self.store is None:
                say(f"reading the store {told['directory']} ({told['first']} to {told['last']})")
            for damage in told["damage"]:
                say(f"{damage['place']}: {damage['what']}; what it held is left out")
        return found

    def found(self) -> Found:
        """The files to read, found on the host where none is named; and the pipe that ``-`` stands for.

        Raises InputError where there is nothing to read at all.
        """
        from mailscope.intake.files import expand

        names = list(self.files)
        if self.door is not None:
            return self._stored(self.door), None
        if not (names or self.journals.asked):
            names = self._discovered()
        expansion = expand([name for name in names if name != JOURNAL])
        for note in expansion.notes:
            say(note)
        self.errors.extend(expansion.problems)
        expansion.sources += self.journals.opened(expansion.journals, host=JOURNAL in names)
        if not expansion.sources:
            if self.errors:
                raise self.errors.pop()
            raise InputError("there is nothing to read", ", ".join(names), "name files that hold log lines")
        return expansion.sources, None

    def _stored(self, door: Door) -> list[Source]:
        """The lines of the store that are asked for, as files."""
        from mailscope.cli.stores import entered, spooled
        from mailscope.store.asking import Asked

        if self.asks is not None:
            entered(door, self.asks)
        about, kinds, limit = self.about or (None, (), 100)
        asked = Asked(self.since_utc, self.until_utc, tuple(self.hosts), about, kinds, limit)
        self._spools.append(spooled(door, asked))
        return self._spools[-1].sources()

    def sources_of(self, files: list[Source], stdin: BinaryIO | None = None) -> Sources:
        """Files that were found, ready to be read."""
        from mailscope.intake.sources import Sources, utc_now

        return Sources(files, self.zone, utc_now(), stdin=stdin, clean=self.clean)

    def sources(self) -> Sources:
        """The files to read, ready to be read.  Raises InputError as ``found``."""
        return self.sources_of(*self.found())

    def selection(self) -> Selection:
        """Which lines count.  Raises UsageError for a span that is empty."""
        from mailscope.sequence.selection import Selection

        selection = Selection(self.since_utc, self.until_utc, self.hosts)
        if selection.since and selection.until and selection.since >= selection.until:
            raise UsageError("it is not before --until", "--since", "give a span that is not empty")
        return selection

    def library(self) -> Library:
        """The patterns in force."""
        from mailscope.recognise.library import in_force

        return in_force(self.patterns)

    def pipeline(self, needed: Any = None, found: Found | None = None) -> Pipeline:
        """The flow over the files, with the lines outside the asked-for span and hosts taken out.

        ``needed``: the fields that will be looked at, by event (None: all); ``found``: the files where they
        are known already.
        """
        from mailscope.pipeline import Pipeline

        selection, library = self.selection(), self.library()
        sources = self.sources() if found is None else self.sources_of(*found)
        if len(sources.files) > 1 and (selection.since or selection.until):
            sources.narrow(selection.since, selection.until)
        return Pipeline(sources, library, needed, selection)

    @property
    def since_utc(self) -> datetime | None:
        """Start of the span, naive UTC."""
        from mailscope.cli.when import parse_since

        return naive(parse_since(self.since, datetime.now(UTC), self.zone)) if self.since else None

    @property
    def until_utc(self) -> datetime | None:
        """End of the span, exclusive, naive UTC."""
        from mailscope.cli.when import parse_until

        return naive(parse_until(self.until, datetime.now(UTC), self.zone)) if self.until else None

    def names(self, pipeline: Pipeline) -> list[str]:
        """What is read, as a report names it."""
        if self.door is not None:
            return [f"store {self.door.status()['directory']}"]
        return [source.name for source in pipeline.sources.files]

    def refuse_nothing(self, pipeline: Pipeline) -> None:
        """Raise InputError for a run that came upon no line: its result would look like a quiet day."""
        for found in pipeline.sources.reports.values():
            self.errors.extend(found.problems)
        self.errors.extend(self.journals.closed(good=False))
        if self.errors:
            raise self.errors[0]
        names = ", ".join(source.name for source in pipeline.sources.files)
        if self.door is not None:
            raise InputError(
                "the store has no line of that time and host", "", "see 'mailscope store status'"
            )
        if pipeline.selection.everything:
            raise InputError("there are no lines in it", names, "name the mail log or its directory")
        raise InputError("no line is of that time and host", names, "see --since, --until and --host")

    def finish(self, sources: Sources) -> None:
        """Say what could not be read, and leave with exit code 1 where that was anything."""
        for report in sources.reports.values():
            self.errors.extend(report.problems)
        self.errors.extend(self.journals.closed(good=not self.errors))
        if not self.files and self.door is not None:
            self.door.close()
        for spool in self._spools:
            spool.close()
        for error in self.errors:
            say(str(error))
        if self.errors:
            sys.exit(1)

    def _discovered(self) -> list[str]:
        from mailscope.intake.discover import discover

        discovery = discover()
        for found in discovery.unreadable:
            if found.why.startswith("configuration of "):
                say(f"{found.path} is not readable, so its logs are not known ({found.why})")
            else:
                self.errors.append(
                    InputError(f"not readable ({found.why})", str(found.path), "run as root or adm")
                )
        names = []
        for found in discovery.found:
            say(f"reading {found.path} ({found.why})")
            names.append(JOURNAL if found.kind == "journal" else str(found.path))
        if not names:
            if self.errors:
                raise self.errors.pop()
            raise InputError("no mail logs found on this host", "", "name the files to read")
        return names


def inputs(command: Command) -> Command:
    """Add FILES and the shared options; the command gets one ``inputs`` argument."""

    def wrapped(
        files: tuple[str, ...],
        since: str | None,
        until: str | None,
        host: tuple[str, ...],
        tz: str | None,
        patterns: Path | None,
        journal: bool,
        unit: tuple[str, ...],
        cursor_file: Path | None,
        store: Path | None,
        **others: Any,
    ) -> Any:
        asked = Inputs(files, since, until, host, tz, patterns, journal, unit, cursor_file, store=store)
        return command(inputs=asked, **others)

    wrapped.__doc__ = command.__doc__
    wrapped.__name__ = command.__name__
    params = getattr(command, "__click_params__", [])
    if params:
        wrapped.__click_params__ = params  # type: ignore[attr-defined]
    for option in reversed(
        (
            click.argument("files", nargs=-1, type=click.Path()),
            click.option("--since", metavar="TIME", help="Only lines from this time on (inclusive)."),
            click.option("--until", metavar="TIME", help="Only lines before this time."),
            click.option(
                "--host", multiple=True, metavar="NAME", help="Only lines of this host (repeatable)."
            ),
            click.option("--tz", metavar="ZONE", help="Zone of stamps without one, and of the output."),
            click.option(
                "--patterns",
                type=click.Path(path_type=Path),
                help="A directory of your own pattern files.",
            ),
            click.option("--journal", is_flag=True, help="Read the host's journal (beside FILES, if any)."),
            click.option(
                "--unit", multiple=True, metavar="UNIT", help="Of journals, only this unit (repeatable)."
            ),
            click.option(
                "--store",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Read this store; without FILES, the one of the daemon's settings is, if there is one.",
            ),
            click.option(
                "--cursor-file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Of the host's journal, only what is new since the run that wrote this file.",
            ),
        )
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def zone(name: str | None) -> ZoneInfo:
    """The named zone, or the system's."""
    import os

    wanted = name or os.environ.get("TZ", "").lstrip(":") or _system_zone()
    try:
        return ZoneInfo(wanted)
    except (KeyError, ValueError, OSError):
        if name is None:
            return ZoneInfo("UTC")
        raise UsageError(f"unknown zone '{name}'", "--tz", "such as Europe/Rome or UTC") from None


def _system_zone() -> str:
    for path in (Path("/etc/timezone"),):
        try:
            return path.read_text(encoding="ascii").strip() or "UTC"
        except (OSError, UnicodeDecodeError):
            continue
    try:
        target = Path("/etc/localtime").resolve().as_posix()
    except OSError:
        return "UTC"
    return target.partition("/zoneinfo/")[2] or "UTC"


def say(text: str) -> None:
    """One line for the person, on standard error."""
    from mailscope.cli.terminal import safe

    click.echo(f"mailscope: {safe(text)}", err=True)


__all__ = ["Inputs", "MailscopeError", "inputs", "say", "zone"]
