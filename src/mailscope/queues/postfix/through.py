"""The queue of this host's Postfix as postqueue(1) tells it, for who may not read its files.

Whoever is in authorized_mailq_users (by default anybody) is told by showq(8) what waits, for whom and why;
not how often it was tried, nor when it is tried again.  Source: postqueue(1), JSON OBJECT FORMAT, of Postfix
3.7.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from mailscope.queues import entry
from mailscope.queues.entry import QueueEntry, Recipient, Spool
from mailscope.queues.postfix import config
from mailscope.queues.postfix.addresses import EMPTY
from mailscope.queues.postfix.places import HOLD, LISTED
from mailscope.vocabulary.errors import InputError

PROGRAM: Final = "postqueue"
HELD: Final = "on hold: it waits until somebody releases it"
NOTICE: Final = "its files may not be read: postqueue was asked, which tells no attempts and no next retry"
SAID: Final = 300


def answers(spool: Spool) -> bool:
    """Whether postqueue can be asked: the spool is that of this host's Postfix, and it lists these queues."""
    settings = config.of(spool.place, spool.config)
    there = settings.directory is not None and settings.spool.resolve() == spool.place.resolve()
    return there and set(spool.queues) <= set(LISTED) and shutil.which(PROGRAM) is not None


def read(spool: Spool) -> Iterator[QueueEntry]:
    """Every message that it lists, as it tells them.  Raises InputError where it refuses."""
    where = [] if spool.config is None else ["-c", str(spool.config)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen([PROGRAM, *where, "-j"], stdout=subprocess.PIPE, stderr=said) as process,
    ):
        assert process.stdout is not None
        count = 0
        try:
            for line in process.stdout:
                count += 1
                found = _entry(line)
                if found is None:
                    spool.tell(f"{PROGRAM}: line {count} is no message")
                elif not spool.queues or found.queue in spool.queues:
                    yield found
        except GeneratorExit:
            process.kill()
            raise
        if process.wait() != 0:
            said.seek(0)
            words = said.read(SAID).decode("utf-8", "replace").strip() or f"code {process.returncode}"
            raise InputError(
                f"its files may not be read, and {PROGRAM} does not tell: {words}",
                str(spool.place),
                "run as root or as the user of Postfix (postfix), or see authorized_mailq_users",
            )
    (spool.note or spool.tell)(NOTICE)


def _entry(line: bytes) -> QueueEntry | None:
    """A line; None of one that is no message."""
    try:
        told: dict[str, Any] = json.loads(line.decode("utf-8", "surrogateescape"))
        return QueueEntry(
            str(told["queue_name"]),
            str(told["queue_id"]),
            "",
            _address(told["sender"]),
            [_recipient(each) for each in told["recipients"]],
            int(told["message_size"]),
            float(told["arrival_time"]),
            reason=HELD if told["queue_name"] == HOLD else "",
            forced_expire=bool(told.get("forced_expire")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _recipient(told: dict[str, Any]) -> Recipient:
    reason = str(told.get("delay_reason", ""))
    return Recipient(_address(told["address"]), entry.DEFERRED if reason else entry.WAITING, reason)


def _address(told: object) -> str:
    """An address; the empty one is told by a name."""
    return "" if told == EMPTY.decode() else str(told)
