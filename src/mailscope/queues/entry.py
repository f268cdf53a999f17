"""A message in a queue, as every MTA's reader gives it.

Names are those of the vocabulary where it has the column (``queue``, ``queue_id``, ``sender``, ``recipient``,
``size_bytes``, ``reason``, ``dsn_status``, ``cause`` ...).  Instants are seconds since 1970, UTC, as spools
keep them; None is what the spool does not tell.  Addresses are as the spool keeps them, without angle
brackets; the empty sender is that of bounces. Text comes from strangers: whoever shows it makes it safe for
what it is shown on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

# What the MTA knows of a recipient.
WAITING: Final = "waiting"
DEFERRED: Final = "deferred"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELED: Final = "canceled"


@dataclass(slots=True)
class Recipient:
    """One recipient of a waiting message, and why it waits.

    ``status``: waiting (not tried, or nothing is known of it), deferred, done (delivered), failed (for good:
    a bounce is or will be made) or canceled (taken off before it was tried).  ``reason``: the remote's or the
    MTA's own words.
    """

    recipient: str
    status: str = WAITING
    reason: str = ""
    dsn_status: str = ""
    orig_recipient: str = ""
    relay_host: str = ""
    cause: str = ""


@dataclass(slots=True)
class QueueEntry:
    """One message in one queue.

    ``queue``: the MTA's name for the state (Postfix: deferred; qmail: queue, todo ...).  ``attempts``: how
    often it was tried, as the spool counts; ``attempts_estimated``: it does
    not, and the number is reckoned from the MTA's schedule.  ``problems``: what is damaged, missing or
    does not fit, in words; the rest of the entry is what could still be read.
    """

    queue: str
    queue_id: str
    path: str
    sender: str | None
    recipients: list[Recipient] = field(default_factory=list)
    size_bytes: int = 0
    arrival_time: float | None = None
    attempts: int | None = None
    attempts_estimated: bool = False
    last_attempt_time: float | None = None
    next_retry_time: float | None = None
    # Why the message as a whole waits (on hold, frozen ...); what each recipient waits for stands with it.
    reason: str = ""
    forced_expire: bool = False
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spool:
    """What a reader is asked: ``place`` the spool directory; ``now`` in seconds since 1970, for what depends
    on it.

    ``queues``: only these of the MTA's queues; empty for all that its own listing shows.
    ``zone``: of times that are shown.  ``config``: the directory of the MTA's settings, where it was named.
    ``asking``: the MTA's own program may be asked where its files may not be read; that it was goes to
    ``note``, or to ``tell`` where there is none.
    ``tell``: takes what could not be read and belongs to no entry (a directory, a file that is no message),
    one line each.
    """

    place: Path
    now: float
    tell: Callable[[str], None]
    queues: tuple[str, ...] = ()
    zone: tzinfo = UTC
    config: Path | None = None
    asking: bool = False
    note: Callable[[str], None] | None = None


# A reader's ``read``: the entries of a spool, one by one, so that a queue of any length needs little memory.
Read = Callable[[Spool], Iterator[QueueEntry]]
# What prints entries as the MTA's own program does: lines of bytes, without their ends.
Compat = Callable[[Spool, Sequence[str]], Iterator[bytes]]
