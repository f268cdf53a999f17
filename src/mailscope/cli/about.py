"""``mailscope about``: everything about an IP, network, address, user or domain, across all logs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailscope.cli.inputs import Inputs, inputs, say
from mailscope.vocabulary.instants import naive_now

if TYPE_CHECKING:
    from mailscope.about.collect import Collector
    from mailscope.about.subject import Subject

KINDS = ("ip", "network", "address", "user", "domain")
NOTHING_FOUND = 1


@click.command()
@click.argument("subject")
@inputs
@click.option("--as", "kind", type=click.Choice(KINDS), help="What SUBJECT is, where its look does not tell.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Rows of a table at most (0: all).",
)
@click.option(
    "--geoip", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
    help="A MaxMind database for countries or networks (repeatable).",
)  # fmt: skip
@click.option("--dns", is_flag=True, help="Ask DNS for the name of an IP address.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def about(
    inputs: Inputs, subject: str, kind: str | None, top: int, geoip: tuple[Path, ...], dns: bool, form: str
) -> None:
    """Tell everything about an IP, network, address, user or domain.

    SUBJECT is 192.0.2.66, 192.0.2.0/24, 2001:db8::/32, alice@example.org, example.org, @example.org or alice:
    mail, logins, web requests, blocked packets, commands, whatever the logs in FILES say of it.

    \b
    mailscope about 192.0.2.66 /var/log/mail.log /var/log/auth.log
    mailscope about alice@example.org --since yesterday
    """
    from mailscope.about.picture import picture
    from mailscope.about.subject import read_subject

    asked = read_subject(subject, kind)
    inputs.journal_match = ()
    collector = _collected(inputs, asked)
    told = picture(collector, top)
    told["places"] = _places(told, asked, geoip)
    told["dns_name"] = _dns_name(asked) if dns else None
    if form == "json":
        # Of what a terminal might act on, JSON's ASCII form leaves only DEL as it is.
        click.echo(json.dumps(told, indent=1).replace("\x7f", "\\u007f"))
    elif told["lines"]:
        from mailscope.cli.about_text import render

        for line in render(told):
            click.echo(line)


def _collected(inputs: Inputs, asked: Subject) -> Collector:
    from mailscope.about.found import collected
    from mailscope.about.gather import MOST_MESSAGES
    from mailscope.trails.search.kept import Kept
    from mailscope.trails.search.window import Window

    now = naive_now()
    selection = inputs.selection()
    window = Window(selection.since, selection.until, inputs.hosts, inputs.zone, now)
    inputs.asks = asked.text
    if asked.network is None:
        inputs.about = asked.text, (asked.kind,), MOST_MESSAGES
    kept = Kept(*inputs.found())
    inputs.errors.extend(kept.problems)
    try:
        sources = inputs.sources_of(kept.files)
        collector = collected(asked, sources, inputs.library(), selection, window)
    finally:
        kept.close()
    if not collector.lines:
        names = f"{len(kept.files)} files" if len(kept.files) != 1 else "1 file"
        say(f"nothing found about {asked.kind} {asked.text} in {names}")
    inputs.finish(sources)
    if not collector.lines:
        sys.exit(NOTHING_FOUND)
    return collector


def _places(told: dict[str, Any], asked: Subject, files: tuple[Path, ...]) -> dict[str, dict[str, Any]]:
    """Where the address is, or the client addresses that are shown."""
    from mailscope.about.places import located

    rows = told["others"].get("client_ip", {}).get("rows", ())
    addresses = [str(asked.ip)] if asked.ip is not None else [row["value"] for row in rows]
    places: dict[str, dict[str, Any]] = {}
    for file in files:
        for address, place in located(addresses, file).items():
            places.setdefault(address, {}).update(place)
    return places


def _dns_name(asked: Subject) -> str | None:
    from mailscope.about.places import reverse_name

    if asked.ip is None:
        say("--dns: only an IP address has a name to ask for")
        return None
    return reverse_name(str(asked.ip))
