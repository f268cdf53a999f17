"""Lines of files, or as they come over a pipe, into an archive."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from mailscope.intake.reader import sniff_compression
from mailscope.syslog.archive.writer import BATCH_BYTES, Archive
from mailscope.vocabulary.errors import InputError, UsageError

_BLOCK_BYTES = 1 << 16


def store_files(archive: Archive, files: Sequence[Path]) -> None:
    """Store the lines of files.  Raises InputError, and UsageError for what is compressed."""
    for path in files:
        try:
            with path.open("rb") as file:
                if sniff_compression(file.read(10)) != "none":
                    what_to_do = f"unpack it on the way: zcat {path.name} | mailscope archive store"
                    raise UsageError("it is compressed", str(path), what_to_do)
                file.seek(0)
                while data := file.read(BATCH_BYTES) + file.readline():
                    archive.add(data)
        except OSError as error:
            raise InputError.from_os_error(error, path) from error


def store_stream(archive: Archive, source: int, every_s: float) -> None:
    """Store the lines of a file descriptor until its end, or SIGTERM.

    ``every_s``: a line that has come is sealed after so long at most.
    """
    wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    signal.signal(signal.SIGTERM, end)
    waiting = select.poll()
    waiting.register(source, select.POLLIN)
    waiting.register(wake, select.POLLIN)
    held = b""
    due = 0.0
    while not ending:
        whole = held.rfind(b"\n") + 1
        if whole and (len(held) >= BATCH_BYTES or time.monotonic() >= due):
            archive.add(held[:whole])
            held, whole = held[whole:], 0
        ready = waiting.poll(max(due - time.monotonic(), 0.0) * 1000 if whole else None)
        if source in {descriptor for descriptor, _ in ready}:
            block = os.read(source, _BLOCK_BYTES)
            if not block:
                break
            if b"\n" not in held:
                due = time.monotonic() + every_s
            held += block
    if held:
        archive.add(held)
    os.close(wake)
    os.close(waker)
