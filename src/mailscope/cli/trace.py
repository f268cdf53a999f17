"""``mailscope trace``: the story of a message, an address, a domain, an IP or a delivery."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Final

import click

from mailscope.cli.inputs import Inputs, inputs, say
from mailscope.trails.search.query import KINDS, Query, read_query
from mailscope.trails.search.window import Window
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive_now

if TYPE_CHECKING:
    from mailscope.trails.narrative.build import Told
    from mailscope.trails.search.wants import Found

NOTHING_FOUND: Final = 1


@click.command()
@click.argument("query")
@inputs
@click.option("--as", "kind", type=click.Choice(KINDS), help="What QUERY is, where its look does not tell.")
@click.option("--raw", is_flag=True, help="Also show the raw log line of each step.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="Stories at most.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
def trace(
    inputs: Inputs, query: str, kind: str | None, raw: bool, limit: int, form: str, lang: str | None
) -> None:
    """Follow a message, address, domain or IP from arrival to final fate.

    QUERY is a queue id, a Message-ID, an address, a domain (example.org with its hosts, @example.org), an IP
    address, or a qmail delivery ('delivery 15' or d15).  --since, --until and --host choose stories by the
    lines that match; a story is told whole.

    \b
    mailscope trace alice@example.org /var/log/mail.log*
    mailscope trace 4B5C61F00D --format json /var/log/mail.log
    """
    from functools import partial

    from mailscope.language.choice import choose
    from mailscope.trails.search.beside import begin
    from mailscope.trails.search.kept import Kept
    from mailscope.trails.search.run import search

    language = choose(lang)
    asked, window = read_query(query, kind), _window(inputs)
    inputs.about = asked.text, asked.kinds, limit
    inputs.asks = query
    kept = Kept(*inputs.found())
    inputs.errors.extend(kept.problems)
    try:
        # The search runs while what is needed to understand its result is being loaded.
        numbered = raw or form == "json"
        result = begin(partial(search, asked, kept.files, limit, window, numbered=numbered))
        from mailscope.trails.narrative.whole import tell_whole

        sources = inputs.sources_of(kept.files)
        library, selection = inputs.library(), inputs.selection()
        found, told = tell_whole(
            asked,
            result(),
            lambda follow: search(asked, kept.files, follow, window, numbered=numbered),
            sources,
            library,
            selection,
            limit,
        )
    finally:
        kept.close()
    _show(told, inputs, form, raw=raw, language=language)
    _notes(asked, found, told, len(kept.files))
    for number, report in found.reports.items():
        sources.reports[kept.files[number].name] = report
    inputs.finish(sources)
    if not told.stories:
        sys.exit(NOTHING_FOUND)


def _window(inputs: Inputs) -> Window:
    """The span and hosts that were asked for.  Raises UsageError for a span that is empty."""
    since, until = inputs.since_utc, inputs.until_utc
    if since and until and since >= until:
        raise UsageError("it is not before --until", "--since", "give a span that is not empty")
    return Window(since, until, inputs.hosts, inputs.zone, naive_now())


def _show(told: Told, inputs: Inputs, form: str, *, raw: bool, language: str) -> None:
    if form == "json":
        from mailscope.trails.narrative.record import record

        trails = [record(trail) for story in told.stories for trail in story.trails]
        # Of what a terminal might act on, JSON's ASCII form leaves only DEL as it is.
        click.echo(json.dumps(trails, indent=1).replace("\x7f", "\\u007f"))
        return
    from mailscope.cli.trace_text import render
    from mailscope.language.translator import translator

    width = shutil.get_terminal_size((80, 24)).columns
    for line in render(told.stories, inputs.zone, width, raw=raw, tr=translator(language)):
        click.echo(line)


def _notes(asked: Query, found: Found, told: Told, files: int) -> None:
    """What is not shown, and where was searched when there is nothing to show."""
    if told.more:
        say(f"{told.more} more match; see them with a larger --limit or a shorter --since ... --until")
    if told.other:
        say(
            f"{told.other} matching lines tell of no message (connections and the like): "
            "see 'mailscope events'"
        )
    for message_id in sorted(found.shared):
        from mailscope.cli.terminal import safe
        from mailscope.trails.search.probe import MOST_PER_MESSAGE_ID

        name = safe(message_id.decode("utf-8", "replace"))
        say(
            f"more than {MOST_PER_MESSAGE_ID} lines have the Message-ID <{name}>: the others are not followed"
        )
    if not told.stories:
        where = f"{files} files" if files != 1 else "1 file"
        say(f"nothing found for {asked} in {where}, {found.bytes_searched:,} bytes")
