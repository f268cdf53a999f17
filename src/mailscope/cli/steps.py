"""``mailscope steps``: the way of one message through the daemons, from the log or from strace's output."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.commands import Commanding
from mailscope.cli.inputs import Inputs, inputs, say, zone
from mailscope.vocabulary.errors import InputError, MailscopeError, UsageError
from mailscope.vocabulary.instants import naive_now

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mailscope.steps.strace.story import Told
    from mailscope.steps.way import Way

NOTHING_FOUND: Final = 1
SHOWN: Final = (
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "svg", "json"]),
        help="Otherwise what the file's ending says, or text.",
    ),
    click.option(
        "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write into this file."
    ),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Ways at most [default: 10]."),
    click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says."),
)


def shown(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of how ways are shown."""
    return reduce(lambda so_far, option: option(so_far), reversed(SHOWN), command)


@click.command(cls=Commanding)
@click.argument("query")
@inputs
@shown
def steps(
    inputs: Inputs, query: str, form: str | None, output: Path | None, limit: int | None, lang: str | None
) -> None:
    """Draw the way of a message through the daemons, with the time that each step took.

    From the log: QUERY is a queue id, a Message-ID or an address, as of 'mailscope trace'.  From strace:
    'mailscope steps strace FILES...', made by 'strace -f -tt -o FILE ...' of sendmail or of Postfix's master.
    A sequence diagram as text, or as a picture with -o way.svg.

    \b
    Example: mailscope steps 4B5C61F00D /var/log/mail.log
    """
    from mailscope.cli.output import writable
    from mailscope.steps.logged import way_of
    from mailscope.trails.narrative.whole import tell_whole
    from mailscope.trails.search.kept import Kept
    from mailscope.trails.search.query import read_query
    from mailscope.trails.search.run import search
    from mailscope.trails.search.window import Window

    writable(output)
    most = limit or 10
    asked = read_query(query, None)
    since, until = inputs.since_utc, inputs.until_utc
    selection = inputs.selection()
    window = Window(since, until, inputs.hosts, inputs.zone, naive_now())
    inputs.about, inputs.asks = (asked.text, asked.kinds, most), query
    kept = Kept(*inputs.found())
    inputs.errors.extend(kept.problems)
    try:
        sources = inputs.sources_of(kept.files)

        def look(most: int) -> Any:
            return search(asked, kept.files, most, window, numbered=False)

        _, told = tell_whole(asked, look(most), look, sources, inputs.library(), selection, most)
    finally:
        kept.close()
    ways = [way_of(story) for story in told.stories]
    show(ways, [], inputs.zone, form, output, lang)
    if told.more:
        say(f"{told.more} more match; name a queue id, or see them with a larger --limit")
    if not ways:
        say(f"nothing found for {asked}")
    inputs.finish(sources)
    if not ways:
        sys.exit(NOTHING_FOUND)


@steps.command("strace")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--message", metavar="ID", help="Only the message of this queue id (also one of its bounce).")
@click.option("--processes", "with_tree", is_flag=True, help="Also show which process started which.")
@click.option("--tz", metavar="ZONE", help="Zone that times of strace -ttt are shown in.")
@shown
def strace(
    files: tuple[str, ...],
    message: str | None,
    with_tree: bool,
    tz: str | None,
    form: str | None,
    output: Path | None,
    limit: int | None,
    lang: str | None,
) -> None:
    """Read what strace wrote of Postfix's programs.

    FILES: output of 'strace -f' with or without -t, -tt, -ttt, -r, -T, -y, -yy, -ff; several are put into one
    order.  With -s 200 or more the lines that the daemons log are told, too.

    \b
    Example: mailscope steps strace postfix.strace -o way.svg
    """
    from mailscope.cli.output import writable
    from mailscope.steps.strace.story import tell

    writable(output)
    traces, problems = _read(files)
    if not traces:
        raise problems[0]
    told = tell(traces)
    ways = [way for way in told.ways if message is None or message in way.queue_ids]
    most = limit or 10
    show(ways[:most], told.processes if with_tree else [], zone(tz), form, output, lang)
    if len(ways) > most:
        say(f"{len(ways) - most} more messages; see them with a larger --limit, or one with --message ID")
    _notes(told)
    for problem in problems:
        say(str(problem))
    if not ways:
        if message is not None:
            raise UsageError(f"there is no message {message} in it", "--message", _known(told))
        raise InputError(
            "they tell of no mail", ", ".join(files), "trace sendmail, postdrop or Postfix's master"
        )
    if problems:
        sys.exit(1)


def _read(files: Sequence[str]) -> tuple[list[Any], list[MailscopeError]]:
    """The traces that could be read, and what could not."""
    from mailscope.intake.files import expand
    from mailscope.steps.strace.calls import read_trace

    expansion = expand(list(files))
    for note in expansion.notes:
        say(note)
    problems: list[MailscopeError] = list(expansion.problems)
    traces = []
    for number, source in enumerate(expansion.sources):
        try:
            trace = read_trace(source, number)
        except InputError as error:
            problems.append(error)
            continue
        problems += trace.problems
        traces.append(trace)
    if not (traces or problems):
        problems.append(InputError("there is nothing to read", ", ".join(files), "name what strace wrote"))
    return traces, problems


def _known(told: Told) -> str:
    known = [queue_id for way in told.ways for queue_id in way.queue_ids]
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return f"there are: {', '.join(known[:20])}{more}" if known else "no line names a message"


def _notes(told: Told) -> None:
    """What could not be read, and why times are missing."""
    if told.damaged:
        places = "; ".join(f"{name}, line {', '.join(map(str, lines))}" for name, lines in told.where[:5])
        say(f"{told.damaged} of {told.lines} lines are none of strace's, or damaged, and left out ({places})")
    if told.cut:
        say(f"of {told.cut} calls the beginning or the end is not in the files")
    if told.clock == "none":
        say("no common clock in it, so that only the order is told; trace with -tt for times")


def show(
    ways: Sequence[Way],
    processes: Sequence[Any],
    shown_in: ZoneInfo,
    form: str | None,
    output: Path | None,
    lang: str | None,
) -> None:
    """Write ways in the form that was asked for."""
    from mailscope.cli.output import write
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator

    tr = translator(choose(lang))
    endings = {".svg": "svg", ".json": "json"}
    form = form or endings.get(output.suffix.lower() if output is not None else "", "text")
    if form == "json":
        from mailscope.steps.record import process_record, record

        told: dict[str, Any] = {"ways": [record(way) for way in ways]}
        if processes:
            told["processes"] = [process_record(process) for process in processes]
        # Of what a terminal might act on, JSON's ASCII form leaves only DEL as it is.
        write([json.dumps(told, indent=1).replace("\x7f", "\\u007f"), "\n"], output)
    elif form == "svg":
        from mailscope.steps.svg import drawn

        if ways:
            write([drawn(ways, shown_in, tr)], output)
    else:
        from mailscope.cli.steps_text import render, tree

        width = shutil.get_terminal_size((100, 24)).columns
        lines = list(render(ways, shown_in, width, tr))
        if processes:
            lines += ["", *tree(processes, width, tr)]
        text = "".join(line + "\n" for line in lines)
        if output is not None or not sys.stdout.isatty():
            text = click.unstyle(text)
        write([text], output)
