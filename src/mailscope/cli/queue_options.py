"""What commands on queues are told: whose queue, where, the instant from which ages count, and which messages
are meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.queues.registry import BY_NAME, Mta, choose

if TYPE_CHECKING:
    from mailscope.queues.causes import Causes
    from mailscope.queues.entry import QueueEntry, Spool
    from mailscope.queues.selection import Selection

Command = Callable[..., Any]
PLACE: Final = (
    click.option(
        "--spool", "place", type=click.Path(path_type=Path), metavar="DIR",
        help="The queue directory, live or a copy; else this host's.",
    ),
    click.option("--mta", type=click.Choice(list(BY_NAME)), help="Whose it is; else what DIR looks like."),
    click.option(
        "-c", "--config", type=click.Path(path_type=Path), metavar="DIR",
        help="Postfix: the directory of main.cf, which names the queue directory.",
    ),
    click.option("--now", metavar="TIME", help="Count ages from this instant, as for a copy; else from now."),
    click.option("--tz", metavar="ZONE", help="The zone of times; else the host's."),
)  # fmt: skip
FILTERS: Final = (
    click.argument("queue_ids", nargs=-1, metavar="[ID]..."),
    click.option("--queue", "queues", multiple=True, metavar="QUEUE", help="In this queue."),
    click.option("--sender", "senders", multiple=True, metavar="PATTERN", help="From such a sender."),
    click.option("--recipient", "recipients", multiple=True, metavar="PATTERN", help="For such a recipient."),
    click.option("--domain", "domains", multiple=True, metavar="PATTERN", help="For such a domain."),
    click.option("--older-than", metavar="SPAN", help="Waiting for longer, such as 90m, 2h or 3d."),
    click.option("--larger-than", metavar="SIZE", help="Larger, such as 500k or 10M."),
    click.option("--reason", "reasons", multiple=True, metavar="WORDS", help="Put off with such words."),
    click.option("--cause", "causes", multiple=True, metavar="CAUSE", help="Put off for such a cause."),
)  # fmt: skip


def spooled(command: Command) -> Command:
    """Give a command the options that name a queue: ``place``, ``mta``, ``config``, ``now`` and ``tz``."""
    return reduce(lambda so_far, option: option(so_far), reversed(PLACE), command)


def filtered(command: Command) -> Command:
    """Give a command the options that say which messages; all are to be handed to ``selected``."""
    return reduce(lambda so_far, option: option(so_far), reversed(FILTERS), command)


@dataclass
class Asked:
    """The queue that was asked for; what cannot be read of it is gathered, to be said at the end."""

    mta: Mta
    spool: Spool
    troubles: list[str]
    _causes: Causes | None = None

    def entries(self, selection: Selection | None = None, *, causes: bool = False) -> Iterator[QueueEntry]:
        """What is in it, or what is meant of that; ``causes``: with the causes of reasons."""
        return self.chosen(self.mta.read()(self.spool), selection, causes=causes)

    def chosen(
        self, found: Iterator[QueueEntry], selection: Selection | None, *, causes: bool
    ) -> Iterator[QueueEntry]:
        """What is meant of some messages."""
        if causes or (selection is not None and selection.causes):
            self._causes = self._causes or _causes()
            found = self._causes.judged(found)
        if selection is None or selection.everything:
            return found
        return (entry for entry in found if selection.takes(entry, self.spool.now))

    def say_troubles(self) -> None:
        """Tell what could not be read or does not fit, so much of it as a person looks at."""
        from mailscope.cli.inputs import say
        from mailscope.cli.terminal import safe

        for words in self.troubles[:20]:
            say(safe(words))
        if len(self.troubles) > 20:
            say(f"and {len(self.troubles) - 20:,} more")


def _causes() -> Causes:
    from mailscope.queues.causes import Causes

    return Causes()


def asked(
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    queues: tuple[str, ...] = (),
    *,
    asking: bool = False,
) -> Asked:
    """What the options name; ``asking``: the MTA's program may be asked where files may not be read.

    Raises InputError or UsageError.
    """
    from mailscope.cli.inputs import zone
    from mailscope.queues.entry import Spool

    if config is not None and place is None:
        from mailscope.queues.postfix.config import read

        mta, place = mta or "postfix", read(config).spool
    chosen, where = choose(place, mta)
    troubles: list[str] = []
    spool = Spool(where, _instant(now, tz), troubles.append, queues, zone(tz), config, asking)
    return Asked(chosen, spool, troubles)


def selected(
    queue_ids: tuple[str, ...],
    senders: tuple[str, ...],
    recipients: tuple[str, ...],
    domains: tuple[str, ...],
    older_than: str | None,
    larger_than: str | None,
    reasons: tuple[str, ...],
    causes: tuple[str, ...],
) -> Selection:
    """Which messages the options mean.  Raises UsageError."""
    from mailscope.queues.selection import Selection, seconds, size

    if causes:
        _check(causes)
    return Selection(
        queue_ids,
        senders,
        recipients,
        domains,
        None if older_than is None else seconds(older_than, "--older-than"),
        None if larger_than is None else size(larger_than, "--larger-than"),
        reasons,
        causes,
    )


def _check(causes: tuple[str, ...]) -> None:
    from mailscope.causes.catalogue import catalogue
    from mailscope.vocabulary.errors import UsageError

    known = catalogue()
    if wrong := [cause for cause in causes if cause not in known]:
        raise UsageError(f"there is no cause '{wrong[0]}'", "--cause", f"there are {', '.join(known)}")


def _instant(now: str | None, tz: str | None) -> float:
    if now is None:
        return time.time()
    from datetime import UTC, datetime

    from mailscope.cli.inputs import zone
    from mailscope.cli.when import parse_when

    return parse_when(now, datetime.now(UTC), zone(tz)).timestamp()
