"""A mail that is to be sent once, however often and by however many processes it is tried.

In: the place of a record.  It is written, and on disk, right after the server has taken the mail; a lock
beside it is held meanwhile, and whoever finds the record sends nothing.  SIGTERM waits until then.  What
cannot be told is whether a server took a mail whose sender was killed (SIGKILL, power) before it had the
answer or wrote the record: it is sent again, with the same Message-ID.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from mailscope.reports.mail.sending import PartlyRefusedError
from mailscope.vocabulary.errors import OutputError

LOCK: Final = "lock"


def send_once(record: Path, message: EmailMessage, send: Callable[[EmailMessage], None]) -> None:
    """Send a message unless there is a record of it.  Raises as ``send`` does, and OutputError.

    A message that was taken for some recipients is not sent again to those.
    """
    try:
        record.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(record.parent / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise OutputError.from_os_error(error, record.parent) from error
    try:
        # Whoever has it is sending just now.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if record.exists():
            return
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            send(message)
        except PartlyRefusedError:
            _write(record, message, whole=False)
            raise
        else:
            _write(record, message, whole=True)
        finally:
            signal.signal(signal.SIGTERM, before)
    finally:
        os.close(lock)


def _write(record: Path, message: EmailMessage, *, whole: bool) -> None:
    """Put the record on disk.  It names nobody."""
    sent = datetime.now(UTC).isoformat(timespec="seconds")
    told = {"sent": sent, "message_id": message["Message-ID"], "all_recipients": whole}
    beside = record.with_suffix(".new")
    try:
        with beside.open("w", encoding="ascii") as file:
            file.write(json.dumps(told) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(record)
        folder = os.open(record.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OutputError.from_os_error(error, record) from error
