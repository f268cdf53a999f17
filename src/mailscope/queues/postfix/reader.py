"""The queue of Postfix as entries: every queue file with its defer log.

Postfix counts no attempts: they are reckoned (``schedule.py``).  The next retry is the time of the file
itself, as qmgr(8) sets it; the last attempt is when the defer log was written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from mailscope.queues import entry
from mailscope.queues.entry import QueueEntry, Recipient, Spool
from mailscope.queues.postfix import config, places, queuefile, through
from mailscope.queues.postfix.addresses import shown
from mailscope.queues.postfix.deferlog import NO_REASON, DeferLogs, Reason
from mailscope.queues.postfix.places import CORRUPT, DEFERRED, EXPIRE, HOLD, INCOMING, LISTED, MAILDROP, READY
from mailscope.queues.postfix.records import CANCELED, DONE
from mailscope.queues.postfix.schedule import Schedule
from mailscope.queues.postfix.through import HELD
from mailscope.vocabulary.errors import InputError, UsageError

STATUS: Final = {DONE: entry.DONE, CANCELED: entry.CANCELED}
File = tuple[str, str, str]


def read(spool: Spool) -> Iterator[QueueEntry]:
    """Every message, queue after queue.  Raises InputError where no queue can be read at all."""
    if spool.asking and not readable(spool) and through.answers(spool):
        yield from through.read(spool)
    else:
        yield from read_files(spool, files(spool))


def read_files(spool: Spool, some: Iterable[File]) -> Iterator[QueueEntry]:
    """The messages of some of the files: queue, name and path of each."""
    logs, schedule = DeferLogs(spool.place), Schedule(config.of(spool.place, spool.config))
    for queue, name, path in some:
        found = _entry(queue, name, path, logs, spool, schedule)
        if found is not None:
            yield found


def files(spool: Spool) -> Iterator[File]:
    """The queue, name and path of each file that can be one.

    Raises UsageError for a queue that Postfix has not, and InputError where none can be read.
    """
    queues = spool.queues or LISTED
    if wrong := [queue for queue in queues if queue not in places.QUEUES]:
        what = f"Postfix has no queue '{wrong[0]}'"
        raise UsageError(what, "", f"it has {', '.join(places.QUEUES)}")
    may_be_read = readable(spool)
    if not may_be_read:
        raise InputError(
            "none of its queues can be read",
            str(spool.place),
            "run as root or as the user of Postfix (postfix), or name another directory",
        )
    for queue in queues:
        if queue not in may_be_read and (spool.place / queue).is_dir():
            spool.tell(f"{spool.place / queue}: no permission to read it")
    for queue in may_be_read:
        for name, path in places.names(spool.place / queue, spool.tell):
            if places.id_fits(name):
                yield queue, name, path
            else:
                spool.tell(f"{path}: its name is no queue id")


def readable(spool: Spool) -> list[str]:
    """Those of the queues that are asked for that may be read."""
    # As whom it acts counts, not who started it.
    may = partial(os.access, mode=os.R_OK | os.X_OK, effective_ids=True)
    return [queue for queue in spool.queues or LISTED if may(spool.place / queue)]


def _entry(
    queue: str, name: str, path: str, logs: DeferLogs, spool: Spool, schedule: Schedule
) -> QueueEntry | None:
    """One message; None of a file that is gone meanwhile, or that cannot be read."""
    try:
        status, envelope = queuefile.read(path)
        if not stat.S_ISREG(status.st_mode):
            spool.tell(f"{path}: it is no file")
            return None
        logged = logs.read(name, path)
    except FileNotFoundError:
        return None
    except OSError as error:
        spool.tell(f"{path}: {error.strerror}")
        return None
    found = QueueEntry(
        queue,
        name,
        path,
        None if envelope.sender is None else text(envelope.sender),
        size_bytes=status.st_size if envelope.size_bytes is None else envelope.size_bytes,
        arrival_time=envelope.arrival_time,
        forced_expire=bool(status.st_mode & EXPIRE),
        problems=envelope.problems,
    )
    if found.arrival_time is None:
        found.arrival_time = places.time_of(name) or status.st_mtime
    if status.st_mode & stat.S_IRWXU != READY and queue != CORRUPT:
        found.problems.append("it is still being written")
    reasons: dict[bytes, Reason] = {}
    if logged is not None:
        found.last_attempt_time = logged[0]
        found.attempts = schedule.attempts(logged[0] - found.arrival_time)
        found.attempts_estimated = True
        reasons = {each.recipient: each for each in logged[1]}
    if queue == DEFERRED or (queue == INCOMING and status.st_mtime > spool.now):
        found.next_retry_time = status.st_mtime
    elif queue in (MAILDROP, INCOMING) and logged is None:
        found.attempts = 0
    if queue == HOLD:
        found.reason = HELD
    found.recipients = [_recipient(each, reasons) for each in envelope.recipients]
    return found


def _recipient(rcpt: queuefile.Rcpt, reasons: dict[bytes, Reason]) -> Recipient:
    """A recipient, with what the defer log says of it."""
    found = Recipient(text(rcpt.address), STATUS.get(rcpt.kind, entry.WAITING))
    if rcpt.original != rcpt.address:
        found.orig_recipient = text(rcpt.original)
    reason = reasons.get(shown(rcpt.address)) if reasons else None
    if reason is not None and found.status == entry.WAITING:
        found.status = entry.DEFERRED
        found.reason = "" if reason.reason == NO_REASON else text(reason.reason)
        found.dsn_status = text(reason.status)
        found.relay_host = text(reason.mta_name)
    return found


def text(raw: bytes) -> str:
    """Bytes of the spool as text; those that are no UTF-8 stay what they are."""
    return raw.decode("utf-8", "surrogateescape")
