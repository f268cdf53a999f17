"""What every command on queues is told: whose queue, where it is, and the instant from which ages count."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.queues.registry import BY_NAME, Mta, choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailscope.queues.entry import QueueEntry, Spool

Command = Callable[..., Any]
OPTIONS: Final = (
    click.option(
        "--spool", "place", type=click.Path(path_type=Path), metavar="DIR",
        help="The queue directory, live or a copy; else this host's.",
    ),
    click.option("--mta", type=click.Choice(list(BY_NAME)), help="Whose it is; else what DIR looks like."),
    click.option("--now", metavar="TIME", help="Count ages from this instant, as for a copy; else from now."),
    click.option("--tz", metavar="ZONE", help="The zone of times; else the host's."),
)  # fmt: skip


def spooled(command: Command) -> Command:
    """Give a command these options: ``place``, ``mta``, ``now`` and ``tz``."""
    return reduce(lambda so_far, option: option(so_far), reversed(OPTIONS), command)


@dataclass
class Asked:
    """The queue that was asked for; what cannot be read of it is gathered, to be said at the end."""

    mta: Mta
    spool: Spool
    troubles: list[str]

    def entries(self) -> Iterator[QueueEntry]:
        """What is in it."""
        return self.mta.read()(self.spool)

    def say_troubles(self) -> None:
        """Tell what could not be read."""
        from mailscope.cli.inputs import say
        from mailscope.cli.terminal import safe

        for words in self.troubles:
            say(f"not read: {safe(words)}")


def asked(
    place: Path | None, mta: str | None, now: str | None, tz: str | None, queues: tuple[str, ...] = ()
) -> Asked:
    """What the options name.  Raises InputError or UsageError."""
    from mailscope.queues.entry import Spool

    chosen, where = choose(place, mta)
    troubles: list[str] = []
    return Asked(chosen, Spool(where, _instant(now, tz), troubles.append, queues), troubles)


def _instant(now: str | None, tz: str | None) -> float:
    if now is None:
        return time.time()
    from datetime import UTC, datetime

    from mailscope.cli.inputs import zone
    from mailscope.cli.when import parse_when

    return parse_when(now, datetime.now(UTC), zone(tz)).timestamp()
