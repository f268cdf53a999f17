"""``mailscope queue list``: the messages that wait."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.queue_listing import Listing, uncollected, whole, written
from mailscope.cli.queue_options import Asked, asked, filtered, selected, spooled
from mailscope.cli.queue_text import width

if TYPE_CHECKING:
    from mailscope.queues.entry import QueueEntry

SORTS: Final[dict[str, Callable[[QueueEntry], float]]] = {
    "age": lambda entry: entry.arrival_time or 0,
    "size": lambda entry: -entry.size_bytes,
    "retry": lambda entry: entry.next_retry_time or float("inf"),
    "recipients": lambda entry: -len(entry.recipients),
}


@click.command("list")
@filtered
@spooled
@click.option(
    "--sort", type=click.Choice(list(SORTS)), help="Oldest, largest ... first; else as they lie there."
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Show so many at most.")
@click.option("--all", "every", is_flag=True, help="Show every recipient, each with what keeps it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--compat", metavar="PROGRAM", help="Print what the MTA's own program does, such as postqueue.")
def command(
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    queues: tuple[str, ...],
    sort: str | None,
    top: int | None,
    every: bool,
    form: str,
    compat: str | None,
    **filters: Any,
) -> None:
    """List the messages that wait.

    Without filters, all; ID names queue ids.  A time to the next retry in brackets is over: it is tried at
    the next queue run.  JSON has one message per line, with the names of ``postqueue -j`` and more; the cause
    is the word that reports have for it.

    \b
    mailscope queue list --queue deferred --domain example.org --older-than 2h
    mailscope queue list --spool /mnt/copy/postfix --compat postqueue
    """
    from mailscope.cli.output import write

    queue = asked(place, mta, config, now, tz, queues, asking=True)
    selection = selected(**filters)
    if compat is not None:
        _compatible(
            queue, compat, form, filtered=not selection.everything or sort is not None or top is not None
        )
        return
    listing = Listing(form, every, width() if sys.stdout.isatty() else None, queue.spool.now)
    if sort is None and top is None:
        with uncollected():
            write(written(queue, selection, listing), None)
    else:
        entries: Iterable[QueueEntry] = queue.entries(selection, causes=listing.causes)
        if sort is not None:
            entries = sorted(entries, key=SORTS[sort])
        write(whole(listing.part(islice(entries, top)), listing), None)
    queue.say_troubles()


def _compatible(queue: Asked, program: str, form: str, *, filtered: bool) -> None:
    from mailscope.cli.output import write
    from mailscope.vocabulary.errors import UsageError

    if filtered:
        raise UsageError("it lists the whole queue", "--compat", "leave the filters out")
    lines = queue.mta.lines(program)(queue.spool, ("json",) if form == "json" else ())
    write((line + b"\n" for line in lines), None)
    queue.say_troubles()
