"""What multilog does when the disk does not do what it should: it says so, waits, and tries again.

Whoever writes the log is held up meanwhile; nothing is lost.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from typing import Final, TypeVar

PAUSE_S: Final = 5.0
_Result = TypeVar("_Result")
# What daemontools calls these (error_str.c), so that whoever watches for its words finds them.
_WORDS: Final = {
    errno.ENOENT: "file does not exist",
    errno.EACCES: "access denied",
    errno.EPERM: "permission denied",
    errno.EAGAIN: "temporary failure",
    errno.ENOTDIR: "not a directory",
    errno.EISDIR: "is a directory",
    errno.EEXIST: "file already exists",
    errno.ENOSPC: "out of disk space",
    errno.EROFS: "read-only file system",
    errno.EIO: "input/output error",
    errno.EMFILE: "process cannot open more files",
    errno.ENFILE: "system cannot open more files",
    errno.EDQUOT: "disk quota exceeded",
    errno.ELOOP: "symbolic link loop",
    errno.ENAMETOOLONG: "file name too long",
    errno.ENOMEM: "out of memory",
    errno.EXDEV: "cross-device link",
}


class Fatal(Exception):
    """It cannot begin; the text is told behind ``multilog: fatal:``."""

    def __init__(self, what: str, error: OSError | None = None) -> None:
        super().__init__(f"{what}: {words(error)}" if error else what)


def words(error: OSError) -> str:
    """What an error is called."""
    return _WORDS.get(error.errno or 0, error.strerror or str(error))


def insist(work: Callable[[], _Result], what: str) -> _Result:
    """Do some work until it succeeds.  ``what``: what cannot be done, for the warning."""
    while True:
        try:
            return work()
        except OSError as error:
            warn(f"{what}, pausing: {words(error)}")
            pause()


def warn(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"multilog: warning: {text}\n")
    sys.stderr.flush()


def pause() -> None:
    """Wait before the next try."""
    time.sleep(PAUSE_S)


def shown(name: bytes) -> str:
    """A file's name for a message: what could drive a terminal is an escape."""
    text = os.fsdecode(name)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
