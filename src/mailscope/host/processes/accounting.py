"""Process accounting of this host's kernel: on, off, and whether it is on (acct(2)).

The kernel tells nobody whether accounting is on.  So a process is started and its end awaited: where
accounting is on into a file, that file has grown by a record.
"""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from mailscope.vocabulary.errors import InputError, MailscopeError, OutputError

CONFIG: Final = "CONFIG_BSD_PROCESS_ACCT"
MODE: Final = 0o640


class AccountingError(MailscopeError):
    """The kernel does not do it, or not for us."""


def switch_on(path: Path) -> None:
    """Have the kernel write its records to a file, which is made where there is none.

    Raises AccountingError or OutputError.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE))
    except OSError as error:
        raise OutputError.from_os_error(error, path) from error
    _call(os.fsencode(path), str(path))


def switch_off() -> None:
    """Have the kernel write no records any more.  Raises AccountingError."""
    _call(None, "process accounting")


def is_on(path: Path) -> bool:
    """Whether the kernel writes its records to a file.  Raises InputError where that cannot be looked at."""
    if not is_supported():
        return False
    try:
        before = path.stat().st_size
        # Whatever ends counts; this one ends for certain, and its record is written before that is told.
        subprocess.run([sys.executable, "-S", "-E", "-c", ""], check=False, stdin=subprocess.DEVNULL)
        return path.stat().st_size > before
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError.from_os_error(error, path) from error


def is_supported() -> bool:
    """Whether this kernel can do it at all."""
    return os.path.exists("/proc/sys/kernel/acct")


def _call(path: bytes | None, where: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.acct.argtypes, libc.acct.restype = [ctypes.c_char_p], ctypes.c_int
    if libc.acct(path) == 0:
        return
    number = ctypes.get_errno()
    known = {
        errno.ENOSYS: ("this kernel has no process accounting", f"use one that is built with {CONFIG}"),
        errno.EPERM: ("not permitted to switch process accounting", "run as root, outside of a container"),
        errno.EACCES: ("the kernel does not write there", "name a plain file"),
    }
    what, what_to_do = known.get(number, (os.strerror(number), ""))
    raise AccountingError(what, where, what_to_do)
