"""``mailscope queue shape``: how many messages wait for how long, by domain."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mailscope.cli.queue_options import asked, spooled

CLEAR = "\x1b[H\x1b[2J\x1b[3J"


@click.command("shape")
@click.argument("queues", nargs=-1, metavar="[QUEUE]...")
@spooled
@click.option("-s", "senders", is_flag=True, help="By domain of the sender instead of the recipients.")
@click.option("-p", "parents", is_flag=True, help="Also sums for parent domains, such as .example.org.")
@click.option(
    "-m",
    "least",
    type=int,
    default=5,
    show_default=True,
    metavar="N",
    help="Parent domains with so many subdomains at least.",
)
@click.option("-b", "buckets", type=int, default=10, show_default=True, metavar="N", help="Columns of ages.")
@click.option(
    "-t", "tick", type=int, default=5, show_default=True, metavar="MINUTES", help="Age of the first."
)
@click.option("-l", "linear", is_flag=True, help="Ages grow by steps instead of doubling.")
@click.option(
    "-w", "width", type=int, default=80, show_default=True, metavar="COLUMNS", help="Width of the table."
)
@click.option(
    "-N",
    "batch",
    type=int,
    default=1000,
    show_default=True,
    metavar="N",
    help="On a terminal, show the table after each so many messages.",
)
@click.option(
    "-n",
    "top",
    type=int,
    default=20,
    show_default=True,
    metavar="N",
    help="On a terminal, show so many domains (0: all).",
)
def command(
    queues: tuple[str, ...],
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    senders: bool,
    parents: bool,
    least: int,
    buckets: int,
    tick: int,
    linear: bool,
    width: int,
    batch: int,
    top: int,
) -> None:
    """Count the messages of a Postfix queue by domain and age: qshape, with its options and its text.

    QUEUE is a queue's name or a directory; incoming and active where none is named.

    \b
    mailscope queue shape deferred
    mailscope queue shape -s -b 12 -t 1 incoming active deferred hold
    """
    from mailscope.cli.output import write
    from mailscope.queues.postfix import qshape

    _refuse_others(place, mta)
    queue = asked(place, mta or "postfix", config, now, tz, asking=True)
    # What is no positive number means the default there.
    options = qshape.Options(
        senders, parents, _or(least, 5), _or(buckets, 10), _or(tick, 5), linear, max(width, qshape.NARROWEST)
    )
    shape = qshape.Shape(options, int(queue.spool.now))
    terminal = sys.stdout.isatty()
    wanted = queues or qshape.DEFAULT_QUEUES
    for count in qshape.read(queue.spool, wanted, shape):
        if terminal and batch > 0 and count % batch == 0:
            write([CLEAR, _table(shape, top)], None)
    write([CLEAR if terminal and batch > 0 else "", _table(shape, top if terminal else 0)], None)
    queue.say_troubles()


def _refuse_others(place: Path | None, mta: str | None) -> None:
    """Raise UsageError for the queue of another MTA: its table would be empty."""
    from mailscope.queues.registry import MTAS
    from mailscope.vocabulary.errors import UsageError

    others = [each for each in MTAS if each.name != "postfix"]
    named = next((each for each in others if each.name == mta), None)
    if named is None and mta is None and place is not None:
        named = next((each for each in others if each.fits(place)), None)
    if named is not None:
        what = f"it counts queues of Postfix, and this one is of {named.name}"
        raise UsageError(what, str(place or ""), "see 'mailscope queue list' and 'queue causes'")


def _table(shape: object, top: int) -> bytes:
    from mailscope.cli.terminal import safe
    from mailscope.queues.postfix.qshape import Shape

    assert isinstance(shape, Shape)
    lines = shape.lines(top)
    if sys.stdout.isatty():
        lines = [safe(line) for line in lines]
    return "".join(line + "\n" for line in lines).encode("latin-1", "replace")


def _or(number: int, default: int) -> int:
    return number if number > 0 else default
