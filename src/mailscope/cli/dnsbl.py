"""``mailscope dnsbl``: whether our addresses are on DNS blocklists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mailscope.watch.dnsbl.asking import Result

FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
LISTED_CODE = 1


@click.group()
def dnsbl() -> None:
    """Look up addresses and names of ours on DNS blocklists.

    \b
    mailscope dnsbl check
    mailscope dnsbl check 192.0.2.25 mail.example.org
    mailscope dnsbl lists
    """


@dnsbl.command()
@click.argument("subjects", nargs=-1, metavar="[ADDRESS|NAME]...")
@click.option("--list", "zones", multiple=True, metavar="ZONE", help="Only this list (repeatable).")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The settings file.")
@FORM
def check(subjects: tuple[str, ...], zones: tuple[str, ...], config: Path | None, form: str) -> None:
    """Ask the lists now, and explain what they say; without arguments, for all that is ours.

    The exit code is 1 where something is listed.  JSON has one answer per line.

    \b
    Example: mailscope dnsbl check 192.0.2.25
    """
    from mailscope.cli.inputs import say
    from mailscope.cli.stores import settings
    from mailscope.vocabulary.errors import InputError, UsageError
    from mailscope.watch.dnsbl.asking import examine
    from mailscope.watch.dnsbl.lists import unknown, wanted
    from mailscope.watch.dnsbl.ours import subjects as ours

    table = settings(config).detections.dnsbl_listed
    for words in unknown(table):
        say(f"{words}: 'mailscope dnsbl lists' shows all")
    lists = wanted(table)
    for zone in zones:
        if zone not in (known := [each.zone for each in lists]):
            raise UsageError(f"there is no list '{zone}'", "--list", f"there are {', '.join(known)}")
    asked = tuple(dict.fromkeys(subjects)) or ours(table)
    if not asked:
        what = "no public address of this host was found"
        raise InputError(what, "", "name some, or give detections.dnsbl_listed.addresses")
    chosen = [each for each in lists if not zones or each.zone in zones]
    results = examine(chosen, asked, table.timeout_s, table.tries)
    lines = _json(results) if form == "json" else _text(results, asked)
    for line in lines:
        click.echo(line)
    if any(each.state == "listed" for each in results):
        raise click.exceptions.Exit(LISTED_CODE)


@dnsbl.command()
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The settings file.")
def lists(config: Path | None) -> None:
    """Show the lists that are asked.

    \b
    Example: mailscope dnsbl lists
    """
    from mailscope.cli.stores import settings
    from mailscope.cli.terminal import safe
    from mailscope.watch.dnsbl.lists import wanted

    for each in wanted(settings(config).detections.dnsbl_listed):
        refuses = "" if each.public else ", refuses public resolvers"
        note = f"; {each.note}" if each.note else ""
        click.echo(f"{each.zone}  {each.name}: {', '.join(each.of)}; {each.severity}{refuses}{note}")
        for code, words in (*each.codes.items(), *each.refusals.items()):
            click.echo(f"  {code:<16}{words}")
        if each.link:
            click.echo(f"  {safe(each.link)}")


def _plain(result: Result) -> dict[str, Any]:
    return {
        "subject": result.subject,
        "blocklist": result.blocklist.zone,
        "state": result.state,
        "severity": result.blocklist.severity,
        "codes": list(result.codes),
        "meanings": list(result.meanings),
        "text": result.text,
        "why": result.why,
        "link": result.blocklist.link,
    }


def _json(results: Sequence[Result]) -> Iterator[str]:
    for each in results:
        yield json.dumps(_plain(each), ensure_ascii=True).replace("\x7f", "\\u007f")


def _text(results: Sequence[Result], asked: Sequence[str]) -> Iterator[str]:
    from mailscope.cli.terminal import safe

    for subject in asked:
        mine = [each for each in results if each.subject == subject]
        listed = [each for each in mine if each.state == "listed"]
        unknown = [each for each in mine if each.state == "unknown"]
        clear = len(mine) - len(listed) - len(unknown)
        told = f"listed by {len(listed)}, not listed by {clear}, {len(unknown)} tell nothing"
        yield f"{safe(subject)}: {told}" if mine else f"{safe(subject)}: no list lists such"
        for each in listed:
            yield f"  LISTED by {safe(each.blocklist.name or each.blocklist.zone)} ({each.blocklist.zone})"
            for code in each.codes:
                yield f"    {code}  {safe(each.blocklist.meaning(code))}".rstrip()
            if each.text:
                yield f"    it says: {safe(each.text)}"
            if each.blocklist.link:
                yield f"    find out why, stop it, then ask to be taken off: {safe(each.blocklist.link)}"
        for each in unknown:
            yield f"  {each.blocklist.zone}: {safe(each.why)}"
