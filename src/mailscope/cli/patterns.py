"""``mailscope patterns``: the patterns that lines are read with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mailscope.cli.inputs import zone
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.fields import FIELDS

directory_option = click.option(
    "--patterns",
    "directory",
    type=click.Path(path_type=Path),
    help="A directory of your own pattern files (default: /etc/mailscope/patterns.d).",
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group()
def patterns() -> None:
    """List, check and try the patterns that lines are read with.

    \b
    mailscope patterns list postfix/smtpd
    mailscope patterns check
    """


@patterns.command("list")
@click.argument("names", nargs=-1)
@directory_option
@format_option
def list_(names: tuple[str, ...], directory: Path | None, form: str) -> None:
    """List patterns, of all programs or of the named files (such as postfix/smtpd).

    \b
    mailscope patterns list postfix/smtpd
    """
    from mailscope.recognise.library import in_force

    library = in_force(directory)
    unknown = [name for name in names if name not in library.programs]
    if unknown:
        raise MailscopeError(
            "there is no such pattern file", unknown[0], "'mailscope patterns list' shows all names"
        )
    rows = [
        {
            "file": program.name,
            "event": pattern.event,
            "match": pattern.match,
            "meaning": pattern.meaning,
            "fields": sorted({*pattern.captures, *pattern.constants}),
        }
        for program in library.programs.values()
        if not names or program.name in names
        for pattern in program.patterns
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['file']}: {row['event']}: {row['meaning']}\n    {row['match']}")


@patterns.command()
@click.argument("names", nargs=-1)
@directory_option
def check(names: tuple[str, ...], directory: Path | None) -> None:
    """Run the self-check of the pattern files and of the causes: their examples are the tests.

    \b
    mailscope patterns check
    mailscope patterns check postfix/smtpd
    """
    from mailscope.causes import check as causes
    from mailscope.recognise.check import check as run_check
    from mailscope.recognise.library import in_force

    library = in_force(directory)
    faults = list(run_check(library, names))
    if not names:
        faults += causes.check()
    for fault in faults:
        click.echo(fault, err=True)
    count = sum(len(p.patterns) for name, p in library.programs.items() if not names or name in names)
    if faults:
        raise MailscopeError(f"{len(faults)} faults in {count} patterns", "", "correct the lines above")
    click.echo(f"{count} patterns: all examples read as written")
    if not names:
        click.echo(f"{causes.count()} wordings of causes: all understood as written")


@patterns.command("try")
@click.argument("line")
@directory_option
@click.option("--tz", metavar="ZONE", help="Zone of stamps without one.")
@format_option
def try_(line: str, directory: Path | None, tz: str | None, form: str) -> None:
    """Say how one log line is read: envelope, pattern, fields.

    \b
    mailscope patterns try "Nov 22 04:00:42 mx1 postfix/qmgr[1]: 4B5C61F00D: removed"
    """
    from mailscope.cli.terminal import safe
    from mailscope.recognise.explain import explain_line

    found = explain_line(line, directory, zone(tz))
    if form == "json":
        click.echo(json.dumps(found, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f"))
        return
    for name, value in _rows(found):
        click.echo(f"{safe(name):>22}  {safe(str(value))}")


@patterns.command()
@format_option
def fields(form: str) -> None:
    """List the fields that a pattern may name.

    \b
    mailscope patterns fields
    """
    if form == "json":
        click.echo(json.dumps([asdict(field) for field in FIELDS], indent=1))
        return
    for field in FIELDS:
        click.echo(f"{field.name:>22}  {field.kind:<6}{field.meaning}")


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is known of a line, as names and values in the order in which they are worth reading."""
    yield from found["envelope"].items()
    yield "text", found["text"]
    yield "event", found["event"]
    if "pattern" in found:
        yield "pattern", f"{found['pattern']['file']} event {found['pattern']['number']}"
        yield "", found["pattern"]["match"]
        yield "meaning", found["pattern"]["meaning"]
        yield from found["fields"].items()
    if "programs" in found:
        yield "written by", ", ".join(found["programs"])
    for other in found.get("also", ()):
        yield "also", other
    for near in found.get("candidates", ()):
        yield "nearest", f"{near['file']} event {near['number']}: {near['match']}"
        yield "stops at", near["stops_at"] or "the end: the pattern wants more"
    if not found.get("covered", True):
        yield "", "no pattern file knows this program"
