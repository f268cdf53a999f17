"""The queue of Exim as entries: every message with its recipients, who has it, and why the others wait.

When a message is tried again stands in a database of Exim's (db/retry), which belongs to hosts and not to
messages: it is not told.  Attempts are counted in the message log.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

from mailscope.queues import entry
from mailscope.queues.entry import QueueEntry, Recipient, Spool
from mailscope.queues.exim.files import Message, messages
from mailscope.queues.exim.header import MOST_BYTES, Header
from mailscope.queues.exim.messagelog import Deferral, deferrals
from mailscope.vocabulary.errors import UsageError

QUEUE, FROZEN = "queue", "frozen"


def read(spool: Spool) -> Iterator[QueueEntry]:
    """Every message.  ``spool.queues``: queue, frozen, or the name of a named queue.

    Raises UsageError for another, and InputError where none can be read.
    """
    known = (QUEUE, FROZEN)
    for wanted in spool.queues:
        if wanted not in known and ("/" in wanted or not (spool.place / wanted / "input").is_dir()):
            raise UsageError(f"Exim has no queue '{wanted}'", "", f"it has {', '.join(known)} and named ones")
    for message in messages(spool):
        try:
            found = _entry(message, message.read(), spool)
        except FileNotFoundError:
            continue  # gone meanwhile
        except OSError as error:
            spool.tell(f"{message.path('H')}: {error.strerror}")
            continue
        if not spool.queues or found.queue in spool.queues:
            yield found


def _entry(message: Message, header: Header, spool: Spool) -> QueueEntry:
    frozen = b"frozen" in header.options
    problems: list[str] = []
    found = QueueEntry(
        message.named or (FROZEN if frozen else QUEUE),
        message.queue_id,
        message.path("H"),
        None if header.sender is None else _text(header.sender),
        size_bytes=size(message, header, problems),
        arrival_time=header.arrival_time,
        problems=problems,
    )
    if header.fault:
        found.problems.append(f"its -H file is damaged: {header.fault}")
    if frozen:
        since = header.frozen_at
        when = "" if since is None else f" since {_shown(since, spool)}"
        found.reason = f"frozen{when}: nobody tries it until it is thawed (exim -Mt)"
    done = header.done | delivered(message)
    log = _log(message, spool)
    found.recipients = [_recipient(each, done, log) for each in header.recipients]
    found.attempts = max((each.count for each in log.values()), default=0)
    found.attempts_estimated = True
    found.last_attempt_time = max((each.last for each in log.values() if each.last is not None), default=None)
    return found


def size(message: Message, header: Header, problems: list[str]) -> int:
    """Of the message, as ``exim -bp`` counts: header, the empty line, body.  0 where the body is missing."""
    try:
        # Before the body stands the name of the file, and a line feed.
        return header.size_bytes + os.stat(message.path("D")).st_size - len(message.queue_id) - 3 + 1
    except FileNotFoundError:
        problems.append("its -D file, the body, is missing")
    except OSError as error:
        problems.append(f"its -D file: {error.strerror}")
    return 0


def delivered(message: Message) -> set[bytes]:
    """Who got it in a delivery that goes on, or that was broken off (-J)."""
    try:
        with open(message.path("J"), "rb") as file:
            return set(file.read(MOST_BYTES).split(b"\n")) - {b""}
    except OSError:
        return set()


def _log(message: Message, spool: Spool) -> dict[str, Deferral]:
    """What its log says; nothing where none is kept (message_logs), or it may not be read."""
    try:
        with open(message.log, "rb") as file:
            return deferrals(file.read(MOST_BYTES), spool.zone)
    except OSError:
        return {}


def _recipient(address: bytes, done: set[bytes], log: dict[str, Deferral]) -> Recipient:
    found = Recipient(_text(address))
    if address in done:
        found.status = entry.DONE
    elif (why := log.get(found.recipient)) is not None:
        found.status = entry.DEFERRED
        found.reason, found.dsn_status, found.relay_host = why.reason, why.dsn_status, why.relay_host
    return found


def _shown(since: int, spool: Spool) -> str:
    try:
        return f"{datetime.fromtimestamp(since, spool.zone):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return str(since)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
